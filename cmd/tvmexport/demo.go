//go:build !noemulator

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/kusto"
)

func (p *process) demoCommand() *cobra.Command {
	f := defaultEmulator()
	var stay bool
	destination := config.ToKusto
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run a complete export on this machine, no account needed",
		Long: `demo starts the emulator, prepares its database and exports the nine TVM tables.
It lets a day pass and exports them again. It compares source and destination,
table by table, by row count and by hash, and then prints the audit log.

With --tenants, it does the same for several tenants of 5 to 20 devices at once and
prints one line for each.

With --destination lake, it exports into a new folder instead of a database, and prints
the command that opens it in DuckDB. The folder stays.`,
		Example: "  tvmexport demo --devices 1000\n  tvmexport demo --tenants 20\n  tvmexport demo --destination lake\n  tvmexport demo --stay",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.tenants > 1 && !c.Flags().Changed("devices") {
				f.devices = deviceRange{5, 20}
			}
			switch {
			case !slices.Contains(config.Destinations, destination):
				return usage(fmt.Errorf("--destination is %q; it must be one of %s", destination, strings.Join(config.Destinations, " and ")))
			case destination == config.ToLake && f.tenants > 1:
				return usage(errors.New("--destination lake is for one tenant"))
			}
			return p.demo(c.Context(), f, stay, destination)
		},
	}
	flags := c.Flags()
	flags.Var(&f.devices, "devices", "`number` of devices in the tenant, or MIN-MAX for the sizes of several")
	flags.IntVar(&f.tenants, "tenants", f.tenants, "number of tenants")
	flags.StringVar(&f.quota, "quota", f.quota, "hunting `quotas`: documented or off")
	flags.StringVar(&destination, "destination", destination, "where rows go: kusto, or lake for a new `folder`")
	flags.BoolVar(&stay, "stay", false, "keep the emulator running afterwards and print its addresses")
	return c
}

func (p *process) demo(ctx context.Context, f emulatorFlags, stay bool, destination string) error {
	o, err := p.emulatorOptions(f)
	if err != nil {
		return err
	}
	defer o.close()
	e, err := emulator.Start(o.Options, emulator.Listen{Defender: f.defender, Kusto: f.kusto})
	if err != nil {
		return err
	}
	defer e.Close()
	inside := *p
	inside.env = emulated(e.Ready, p.env)
	if err := playDemo(ctx, &inside, e, f, destination); err != nil {
		return err
	}
	if stay {
		fmt.Fprintf(p.stdout, "\nThe emulator runs until it is stopped. Cluster %s, database %s, CA %s, control %s\n",
			e.Ready.Kusto, e.Ready.Database, e.Ready.CA, e.Ready.Control)
		<-ctx.Done()
	}
	return nil
}

// playDemo exports the one tenant of an emulator, or all.
func playDemo(ctx context.Context, inside *process, e *emulator.Server, f emulatorFlags, destination string) error {
	if destination == config.ToLake {
		return demoLake(ctx, inside, e, f)
	}
	if f.tenants > 1 {
		fmt.Fprintf(inside.stdout, "%d synthetic tenants of %v devices, each with an empty database of its own.\n\n", f.tenants, &f.devices)
		return demoFleet(ctx, inside, e)
	}
	fmt.Fprintf(inside.stdout, "A synthetic tenant of %v devices, and an empty database %q.\n\n", &f.devices, e.Ready.Database)
	x, err := inside.open(ctx, demoConfig(e.Ready))
	if err != nil {
		return err
	}
	defer x.Close()
	d := demonstration{process: inside, parts: x, emulator: e}
	return d.play(ctx)
}

// demoConfig is the configuration of an export from and to the emulator.
func demoConfig(r emulator.Ready) config.Config {
	c := config.Default()
	c.Defender.Endpoint, c.Defender.Share = r.Graph, 1
	c.Kusto.Cluster, c.Kusto.Ingest, c.Kusto.Database = r.Kusto, r.Ingest, r.Database
	c.Auth.Method, c.Auth.Authority, c.CAFile = "secret", r.Authority, r.CA
	return c
}

// emulated is an environment that signs in to the emulator.
func emulated(r emulator.Ready, rest config.Lookup) config.Lookup {
	vars := map[string]string{
		"AZURE_TENANT_ID": r.TenantID, "AZURE_CLIENT_ID": r.ClientID, "AZURE_CLIENT_SECRET": r.ClientSecret,
	}
	return func(name string) (string, bool) {
		if v, ok := vars[name]; ok {
			return v, true
		}
		return rest(name)
	}
}

// demonstration is a demo under way.
type demonstration struct {
	process  *process
	parts    *parts
	emulator *emulator.Server
	differ   bool
}

func (d *demonstration) play(ctx context.Context) error {
	tables, err := tablesNamed(nil)
	if err != nil {
		return err
	}
	setup, err := d.parts.Destination.Setup().Init(ctx, tables, kusto.ScriptOptions{})
	if err != nil {
		return err
	}
	if err := d.parts.Configuration().Configure(ctx, tables); err != nil {
		return err
	}
	fmt.Fprintf(d.process.stdout, "init: created %d tables, mappings, policies and functions with the roles users and ingestors only.\n", len(setup.Made))
	source, err := d.demoSource(ctx)
	if err != nil {
		return err
	}
	for i, title := range []string{"First export", "A day later: second export"} {
		if i > 0 {
			d.emulator.Tenant().Advance(1)
		}
		if err := d.export(ctx, source, title); err != nil {
			return err
		}
	}
	if err := d.audit(ctx); err != nil {
		return err
	}
	if d.differ {
		return errors.New("source and destination differ; see the table above")
	}
	return nil
}

func (d *demonstration) demoSource(ctx context.Context) (tvmexport.Source, error) {
	return d.parts.Source(ctx, time.Hour, progress.Silent())
}

// export makes one run and proves it.
func (d *demonstration) export(ctx context.Context, source tvmexport.Source, title string) error {
	fmt.Fprintf(d.process.stdout, "\n%s\n", title)
	printer, err := d.process.printer()
	if err != nil {
		return err
	}
	report, err := d.parts.Exporter(source, printer).Run(ctx, engine.Request{})
	printer.Close()
	if err != nil {
		return err
	}
	lines := [][]string{{"TABLE", "SOURCE ROWS", "DESTINATION ROWS", "HASHES", "CHANGED", "CALLS", "TOOK"}}
	for _, r := range report.Outcomes {
		if r.Err != nil {
			return r.Err
		}
		truth, err := d.emulator.Truth(ctx, r.Table.Name)
		if err != nil {
			return err
		}
		landed, err := d.emulator.Landed(ctx, "", r.Table.Name)
		if err != nil {
			return err
		}
		verdict := "agree " + truth.SHA256[:12]
		if truth != landed {
			verdict, d.differ = "DIFFER", true
		}
		lines = append(lines, []string{r.Table.Name, progress.Count(truth.Rows), progress.Count(landed.Rows), verdict, figures.Changed(r.Rows, r.Growth), strconv.Itoa(r.Calls), figures.Span(r.Took)})
	}
	return printTable(d.process.stdout, lines, 6, 5, 4)
}

func (d *demonstration) audit(ctx context.Context) error {
	rows, err := d.parts.Reports().AuditLog(ctx, 2*len(catalog.Default()))
	if err != nil {
		return err
	}
	fmt.Fprintln(d.process.stdout, "\nMigrationAuditLog")
	lines := [][]string{{"TABLE", "TIMESTAMP", "STATUS", "RECORDS", "REASON"}}
	for _, r := range rows {
		lines = append(lines, []string{r.Table, r.At.UTC().Format(time.RFC3339), r.Status, progress.Count(r.Rows), dash(r.Reason)})
	}
	return printTable(d.process.stdout, lines, 4)
}
