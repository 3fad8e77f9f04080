package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

// mostDevices bounds the answer to a comparison.
const mostDevices = 10_000

func reconcileCommand(p *process) *cobra.Command {
	var devices int
	var asJSON bool
	c := &cobra.Command{
		Use:   "reconcile [TABLE...]",
		Short: "Compare tables that both sources have with each other",
		Long: `reconcile compares tables of Advanced Hunting (DeviceTvm...) with tables of the export
assessment APIs (Tvm...) that hold the same facts, and counts the rows by device that
only one side has. It finds rows that one source leaves out, which verify cannot see.
TABLE is a table of either source (default: all pairs of which a table is active).
All tables of the export APIs but TvmSoftwareVulnerabilityChanges are in a pair.

It compares what readers see since the last commits, in the database. It makes no
call to Defender and writes nothing. Rows are compared by their keys, without regard to
case, each once; other columns are not compared. Rows that one side is documented not
to have are left out: software without a CVE, and devices that are not onboarded.

The sides were read at different times, which are printed. A row that was changed
in between is on one side only, and no loss: run both tables, then reconcile again.
A query is printed that shows the rows of a device. If something differs, the exit
code is 3.`,
		Example:           "  tvmexport reconcile\n  tvmexport reconcile DeviceTvmSoftwareVulnerabilities --devices 50",
		ValidArgsFunction: cobra.FixedCompletions(pairedTables(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(c *cobra.Command, args []string) error {
			if devices < 0 || devices > mostDevices {
				return usage(fmt.Errorf("--devices is %d; it must be between 0 and %d", devices, mostDevices))
			}
			pairs, err := pairsNamed(args)
			if err != nil {
				return err
			}
			return reconcileTables(c.Context(), p, kusto.Reconciliation{Pairs: pairs, Devices: devices}, asJSON)
		},
	}
	c.Flags().IntVar(&devices, "devices", 10, "list this `number` of devices of each pair, those with the most rows that only one side has")
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON, one line for each pair")
	return c
}

// pairedTables are the tables that can be compared.
func pairedTables() (names []string) {
	for _, p := range catalog.Pairs() {
		names = append(names, p.Tables()...)
	}
	return names
}

// pairsNamed are the pairs of the tables, each once; nil if none is named.
func pairsNamed(tables []string) (pairs []catalog.Pair, err error) {
	for _, name := range tables {
		pair, ok := catalog.PairOf(name)
		switch _, known := catalog.Lookup(name); {
		case ok && !slices.ContainsFunc(pairs, func(p catalog.Pair) bool { return p.Hunting == pair.Hunting }):
			pairs = append(pairs, pair)
		case ok:
		case known:
			return nil, usage(fmt.Errorf("only one source has the table %s; these tables can be compared: %s", name, strings.Join(pairedTables(), ", ")))
		default:
			_, err := tablesNamed([]string{name})
			return nil, err
		}
	}
	return pairs, nil
}

func reconcileTables(ctx context.Context, p *process, q kusto.Reconciliation, asJSON bool) error {
	x, err := p.configured(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	if err := databaseOnly(x, "reconcile"); err != nil {
		return err
	}
	q.Policy = wiring.Policies(x.Config)
	list, err := x.Destination.Reconciler().Reconcile(ctx, q)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return usage(fmt.Errorf("no table that both sources have is active; add one of each source, such as tvmexport tables add DeviceTvmSoftwareVulnerabilities TvmSoftwareVulnerabilities"))
	}
	if err := printReconciled(p.stdout, list, asJSON); err != nil {
		return err
	}
	if code := reconciledCode(list, q.Pairs != nil); code != exitDone {
		return &reported{code}
	}
	return nil
}

// reconciledCode is 0 if nothing differs, 3 if something does. A pair that was not
// compared counts if it was named, or if no pair was compared at all.
func reconciledCode(list []kusto.Reconciled, named bool) int {
	var codes, uncompared []int
	for _, x := range list {
		switch {
		case len(x.Obstacles) > 0:
			uncompared = append(uncompared, exitUsage)
		case x.Err != nil:
			codes = append(codes, codeOf(tvmexport.CauseOf(x.Err)))
		case x.Counts.Devices > 0:
			codes = append(codes, exitPartly)
		default:
			codes = append(codes, exitDone)
		}
	}
	if named || len(codes) == 0 {
		codes = append(codes, uncompared...)
	}
	return combinedCode(codes)
}
