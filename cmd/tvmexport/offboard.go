package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/figures"
)

func offboardCommand(p *process) *cobra.Command {
	return &cobra.Command{
		Use:   "offboard NAME",
		Short: "Stop the export of a customer's tenant; its data stays",
		Long: `offboard deactivates all tables of a tenant in its MigrationConfiguration: no exporter
of its database exports anything from its next run on. It deletes no data. It prints how
to take the tenant out of the configuration, and the commands that delete its database and
withdraw the consent.

To take it in again: tvmexport onboard NAME, and tvmexport tables resume TABLE... --tenant NAME.`,
		Example: "  tvmexport offboard contoso",
		Args:    oneTenant,
		RunE:    func(c *cobra.Command, args []string) error { return release(c.Context(), p, args[0]) },
	}
}

// release ends the export of a tenant.
func release(ctx context.Context, p *process, name string) error {
	m, err := memberNamed(p, name, onboardFlags{})
	if err != nil {
		return err
	}
	top, err := config.File(p.configFile(), p.env)
	if err != nil {
		return usage(err)
	}
	t := *p
	t.tenant = &m
	x, err := t.configured(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	cloud, err := hunting.LookupCloud(m.Config.Defender.Cloud)
	if err != nil {
		return usage(err)
	}
	out := namedWriter{p.stdout, name}
	stopped, err := deactivate(ctx, x)
	switch {
	case err != nil:
		fmt.Fprintf(out, "todo  export: it could not be stopped: %s\n", oneLine(advise(err).Error()))
	case stopped == 0:
		fmt.Fprintln(out, "done  export: no table was active")
	default:
		fmt.Fprintf(out, "done  export: nothing is exported any more of %s\n", figures.Plural(stopped, "table"))
	}
	customer := customerOf(&t, m.Config, cloud)
	if _, ok := top.Tenants[name]; ok {
		fmt.Fprintf(out, "todo  configuration: remove %s from tenants in %s\n", name, p.configFile())
	} else {
		fmt.Fprintf(out, "todo  configuration: remove the file of %s from %s\n", name, top.TenantsDir)
	}
	if top.Fleet.Database != "" {
		fmt.Fprintln(out, "todo  fleet: after that, take its database out of the functions over all tenants\n        tvmexport init --fleet --remove")
	}
	fmt.Fprintln(out, "todo  data: it stays; delete it only if the customer asks for that")
	for _, w := range customer.DeleteDatabase() {
		for _, command := range w.Commands {
			fmt.Fprintf(out, "        by %s: %s\n", w.With, command)
		}
	}
	fmt.Fprintf(out, "todo  consent: an administrator of the customer runs\n        %s\n", customer.Withdraw())
	if err != nil {
		return &reported{exitCode(err)}
	}
	return nil
}

// deactivate deactivates all active tables, and returns their number.
func deactivate(ctx context.Context, x *parts) (int, error) {
	orders, err := x.Configuration().Orders(ctx)
	if err != nil {
		return 0, err
	}
	var active []string
	for _, o := range orders {
		if o.Active {
			active = append(active, o.Table)
		}
	}
	if len(active) == 0 {
		return 0, nil
	}
	return len(active), x.Configuration().Activate(ctx, active, false)
}
