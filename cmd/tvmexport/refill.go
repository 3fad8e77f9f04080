package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/progress"
)

func (p *process) refillCommand() *cobra.Command {
	var tables []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "refill",
		Short: "Rebuild typed rows from stored records",
		Long: `refill rebuilds the rows of the typed tables from the records of the runs that
published them. It fills columns that existed only in the records (drift: raw) or
were not known then, also in older rows. It fetches nothing from Defender. Runs
whose records have expired do not change. Readers see each run either before or
after the change, never in between; of a run with more than five million rows, each
partition.`,
		Example: "  tvmexport refill --table DeviceTvmSoftwareInventory",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.refill(c.Context(), tables, asJSON) },
	}
	c.Flags().StringArrayVar(&tables, "table", nil, "source `table` (repeatable; default: all active tables)")
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON, one line per table")
	return c
}

func (p *process) refill(ctx context.Context, tables []string, asJSON bool) error {
	s, err := p.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	list, err := s.exporterWithoutSource().Backfill(ctx, tables)
	s.printer.Close()
	if err != nil {
		return err
	}
	_ = printRefilled(p.stdout, list, asJSON) // the output says itself that it was not written
	return combinedResult(list, func(r tvmexport.Backfilled) error { return r.Err })
}

// refilledLine is a table's result as JSON.
type refilledLine struct {
	Table string `json:"table"`
	Runs  int    `json:"runs"`
	Rows  int64  `json:"rows"`
	Short int    `json:"short,omitempty"` // runs whose records are not all there any more
	Error string `json:"error,omitempty"`
}

func printRefilled(w io.Writer, list []tvmexport.Backfilled, asJSON bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(t, "TABLE\tRUNS\tROWS\tEXPIRED")
	}
	out := json.NewEncoder(w)
	var failures strings.Builder
	for _, r := range list {
		l := refilledLine{Table: r.Table.Name, Runs: r.Runs, Rows: r.Rows, Short: r.Short}
		if r.Err != nil {
			l.Error = oneLine(advise(r.Err).Error())
		}
		if asJSON {
			if err := out.Encode(l); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%d\n", l.Table, l.Runs, progress.Count(l.Rows), l.Short)
		if l.Error != "" {
			fmt.Fprintf(&failures, "%s: %s\n", l.Table, l.Error)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, failures.String())
	return err
}
