package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
)

type addFlags struct {
	load, watermark, destination string
	json                         bool
}

func addCommand(p *process) *cobra.Command {
	var f addFlags
	c := &cobra.Command{
		Use:   "add TABLE...",
		Short: "Export further tables from now on",
		Long: `add creates what the tables need in the database, as init --table does, and appends a
row for each to MigrationConfiguration. The next run exports them. The load type and
the watermark are those of the catalogue (tvmexport tables --all lists them), unless
flags say otherwise. A table that has a row already stays as its row says.

The schedule of serve applies to the tables too; serve.schedules.TABLE in the
configuration file gives a table a schedule of its own.`,
		Example: "  tvmexport tables add DeviceTvmSoftwareVulnerabilitiesKB\n" +
			"  tvmexport tables add DeviceProcessEvents --load-type Incr --watermark Timestamp",
		Args:              tableArguments,
		ValidArgsFunction: cobra.FixedCompletions(catalog.Names(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(c *cobra.Command, args []string) error {
			return addTables(c.Context(), p, args, f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.load, "load-type", "", "load `type`: Snapshot, Incr or FullThenIncr (default: that of the catalogue)")
	flags.StringVar(&f.watermark, "watermark", "", "`column` that Incr and FullThenIncr follow, or None for ingestion_time() (default: that of the catalogue)")
	flags.StringVar(&f.destination, "destination", "", "published `table` for the records (default: TABLERaw)")
	flags.BoolVar(&f.json, "json", false, "print JSON, one line for each object that was created and one total line")
	_ = c.RegisterFlagCompletionFunc("load-type", cobra.FixedCompletions([]string{"Snapshot", "Incr", "FullThenIncr"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func addTables(ctx context.Context, p *process, names []string, f addFlags) error {
	tables, err := tablesNamed(names)
	if err != nil {
		return err
	}
	if f.destination != "" && len(tables) > 1 {
		return usage(fmt.Errorf("--destination is for one table, but %d are named", len(tables)))
	}
	for i := range tables {
		if err := f.apply(&tables[i]); err != nil {
			return err
		}
	}
	return p.initialise(ctx, tables, f.json)
}

// apply changes a table of the catalogue by what the flags say.
func (f addFlags) apply(t *tvmexport.Table) error {
	if f.load != "" {
		load, err := tvmexport.ParseLoadType(f.load)
		if err != nil {
			return usage(fmt.Errorf("--load-type is %q; it must be Snapshot, Incr or FullThenIncr", f.load))
		}
		t.LoadType = load
	}
	if f.destination != "" {
		if err := tvmexport.CheckIdentifier("--destination", f.destination); err != nil {
			return usage(err)
		}
		t.Destination = f.destination
	}
	switch {
	case t.LoadType == tvmexport.Snapshot && f.watermark != "":
		return usage(fmt.Errorf("--watermark is for Incr and FullThenIncr, but %s is a Snapshot; add --load-type Incr", t.Name))
	case t.LoadType == tvmexport.Snapshot:
		t.Watermark = ""
	case f.watermark == "None":
		t.Watermark = tvmexport.IngestionTime
	case f.watermark != "":
		if !slices.Contains(t.Columns, tvmexport.Column{Name: f.watermark, Type: "datetime"}) {
			return usage(fmt.Errorf("--watermark is %q, which is not a datetime column of %s; the column is usually %s", f.watermark, t.Name, timeColumn(t.Name)))
		}
		t.Watermark = f.watermark
	case t.Watermark == "" && timeColumn(t.Name) != "None":
		t.Watermark = timeColumn(t.Name)
	}
	return nil
}
