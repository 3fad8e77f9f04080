package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

// initFleet makes what reads across all tenants, or prints the script that does.
func initFleet(ctx context.Context, p *process, c *cobra.Command, tables []tvmexport.Table, f initFlags) error {
	for _, name := range []string{"principal", "roles", "for", "tenant", "all-tenants"} {
		if flag := c.Flags().Lookup(name); flag != nil && flag.Changed {
			return usage(fmt.Errorf("--%s is not for --fleet, which is about all tenants", name))
		}
	}
	if f.print && f.json {
		return usage(errors.New("--print prints a script, and --json a result: give one of them"))
	}
	top, members, err := config.Load(p.configFile(), p.env)
	switch {
	case err != nil:
		return usage(err)
	case !top.HasTenants():
		return usage(errors.New("--fleet needs a configuration with tenants; this one has neither tenants nor tenants_dir"))
	case top.Fleet.Database == "":
		return usage(errors.New("--fleet needs fleet.database: the name of a database for the functions over all tenants, in which no tenant is exported"))
	}
	if wiring.Lakes(top) {
		return notOfLakes("init --fleet")
	}
	o, unusable := fleetOptions(top, members, tables)
	o.Remove = f.remove
	if len(f.tables) == 0 && !f.print { // a script cannot ask the tenants
		o.Tables, o.Known, o.Otherwise = nil, catalog.Table, tables
	}
	for _, m := range unusable {
		fmt.Fprintf(p.stderr, "note: %v; the functions do not have it\n", m.Err)
	}
	if len(unusable) > 0 && f.remove {
		return usage(errors.New("--remove would take out the databases of tenants whose settings cannot be used; correct them first"))
	}
	if f.print {
		err = kusto.WriteFleetScript(p.stdout, o)
	} else {
		err = makeFleet(ctx, p, top, o, f.json)
	}
	if err == nil && len(unusable) > 0 {
		err = &reported{exitPartly}
	}
	return err
}

// fleetOptions are the tenants of a configuration as the destination knows them, and those whose
// settings cannot be used.
func fleetOptions(top config.Config, members []config.Member, tables []tvmexport.Table) (o kusto.FleetOptions, unusable []config.Member) {
	o = kusto.FleetOptions{
		Cluster: cmp.Or(top.Fleet.Cluster, top.Kusto.Cluster), Database: top.Fleet.Database,
		Tables: tables, Prefix: top.Functions.Prefix,
	}
	for _, m := range members {
		if m.Err != nil {
			unusable = append(unusable, m)
			continue
		}
		o.Tenants = append(o.Tenants, kusto.FleetTenant{Name: m.Name, Cluster: m.Config.Kusto.Cluster, Database: m.Config.Kusto.Database})
	}
	return o, unusable
}

// makeFleet carries out what is missing, and says which tenants do not answer.
func makeFleet(ctx context.Context, p *process, top config.Config, o kusto.FleetOptions, asJSON bool) error {
	if o.Cluster != top.Kusto.Cluster {
		top.Kusto.Ingest = "" // of another cluster
	}
	top.Kusto.Cluster, top.Kusto.Database = o.Cluster, o.Database
	x, err := p.open(ctx, top)
	if err != nil {
		return err
	}
	defer x.Close()
	made, err := x.Destination.Fleet().Init(ctx, o)
	out := json.NewEncoder(p.stdout)
	for _, m := range made.Made {
		if asJSON {
			err = errors.Join(err, out.Encode(madeLine{Kind: string(m.Kind), Name: m.Name}))
			continue
		}
		fmt.Fprintf(p.stdout, "created %s %s\n", m.Kind, m.Name)
	}
	for _, note := range made.Notes {
		fmt.Fprintf(p.stderr, "note: %s\n", note)
	}
	if err != nil {
		return err
	}
	total := fleetTotal{Total: true, Created: len(made.Made), There: made.There, Removed: made.Removed, Notes: made.Notes}
	if total.Tenants, err = x.Destination.Fleet().Coverage(ctx); err != nil {
		return fmt.Errorf("the functions are made, but FleetCoverage cannot be read: %w", err)
	}
	if asJSON {
		return out.Encode(total)
	}
	for _, line := range total.lines() {
		fmt.Fprintln(p.stdout, line)
	}
	return nil
}

// fleetTotal is the result of init --fleet.
type fleetTotal struct {
	Total   bool            `json:"total"`
	Created int             `json:"created"`
	There   int             `json:"existing"`
	Removed []string        `json:"removed,omitempty"` // entities that the group had
	Tenants []kusto.Tenancy `json:"tenants"`
	Notes   []string        `json:"notes,omitempty"`
}

func (t fleetTotal) lines() []string {
	var out []string
	for _, entity := range t.Removed {
		out = append(out, "removed "+entity+" from the entity group")
	}
	var missing []string
	for _, tenant := range t.Tenants {
		if !tenant.Answered {
			missing = append(missing, tenant.Name)
		}
	}
	out = append(out, fmt.Sprintf("%d created, %d already exist", t.Created, t.There))
	answered := len(t.Tenants) - len(missing)
	if len(missing) == 0 {
		return append(out, fmt.Sprintf("%d of %d tenants answer", answered, len(t.Tenants)))
	}
	return append(out, fmt.Sprintf("%d of %d tenants answer; missing: %s", answered, len(t.Tenants), strings.Join(missing, ", ")))
}
