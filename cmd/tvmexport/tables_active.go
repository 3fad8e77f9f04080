package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/nearest"
)

// activateCommand is tables resume, or tables pause.
func (p *process) activateCommand(active bool) *cobra.Command {
	c := &cobra.Command{
		Use:   "pause TABLE...",
		Short: "Stop exporting tables until tables resume",
		Long: `pause appends a row with IsActive = false to MigrationConfiguration for each table.
All exporters of the database leave the table out from their next run on. Published
rows stay, and readers still see them.`,
		Example: "  tvmexport tables pause DeviceTvmSoftwareVulnerabilities",
		Args:    tableArguments,
		RunE: func(c *cobra.Command, args []string) error {
			return p.activate(c.Context(), args, active)
		},
	}
	if active {
		c.Use, c.Short = "resume TABLE...", "Export paused tables again"
		c.Long = `resume appends a row with IsActive = true to MigrationConfiguration for each table.
The next run of a Snapshot exports what changed meanwhile, that of another load type
goes on behind its watermark.`
		c.Example = "  tvmexport tables resume DeviceTvmSoftwareVulnerabilities"
	}
	return c
}

// tableArguments wants the names of tables.
func tableArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage(fmt.Errorf("%s takes the names of tables; tvmexport status lists the configured ones", c.CommandPath()))
	}
	return nil
}

func (p *process) activate(ctx context.Context, tables []string, active bool) error {
	x, err := p.configured(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	orders, err := x.Configuration().Orders(ctx)
	if err != nil {
		return err
	}
	wanted, there := switched(orders, tables, active)
	for _, name := range tables {
		if !slices.Contains(wanted, name) && !slices.Contains(there, name) {
			return usage(fmt.Errorf("MigrationConfiguration has no row for the table %q; %s", name, configuredHint(orders, name)))
		}
	}
	if len(wanted) > 0 {
		if err := x.Configuration().Activate(ctx, wanted, active); err != nil {
			return err
		}
	}
	state := "paused"
	if active {
		state = "active"
	}
	for _, name := range wanted {
		if _, err := fmt.Fprintf(p.stdout, "%s is %s from the next run on\n", name, state); err != nil {
			return err
		}
	}
	for _, name := range there {
		if _, err := fmt.Fprintf(p.stdout, "%s was %s already\n", name, state); err != nil {
			return err
		}
	}
	return nil
}

// switched divides the configured tables among those that were named: into those to
// switch, and those that are already as wanted.
func switched(orders []tvmexport.Order, tables []string, active bool) (wanted, there []string) {
	for _, o := range orders {
		switch {
		case !slices.Contains(tables, o.Table):
		case o.Active == active:
			there = append(there, o.Table)
		default:
			wanted = append(wanted, o.Table)
		}
	}
	return wanted, there
}

// configuredHint says what a name may have meant.
func configuredHint(orders []tvmexport.Order, name string) string {
	names := make([]string, len(orders))
	for i, o := range orders {
		names[i] = o.Table
	}
	if near := nearest.Of(name, names, len(name)/3); near != "" {
		return "did you mean " + near + "?"
	}
	return "tvmexport status lists the configured tables, and tvmexport tables add TABLE adds one"
}
