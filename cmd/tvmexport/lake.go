package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/preflight"
	"github.com/tvmexport/tvmexport/lake"
)

// databaseOnly refuses a command that works on a Kusto database.
func databaseOnly(x *parts, command string) error {
	if x.Lake == nil {
		return nil
	}
	return notOfLakes(command)
}

func notOfLakes(command string) error {
	return usage(fmt.Errorf("%s works on a Kusto database, and the configuration has destination: lake", command))
}

// openingOf is how people open a lake.
func openingOf(c *lake.Client) string { return "open it in DuckDB: " + c.OpenCommand() }

// initialiseLake creates what is missing in the folder, and configures the tables that have no row yet.
func initialiseLake(ctx context.Context, p *process, x *parts, wanted []tvmexport.Table, asJSON bool) error {
	made, there, err := x.Lake.Init(ctx, wanted)
	if err != nil {
		return err
	}
	before, err := x.Lake.Orders(ctx)
	if err != nil {
		return err
	}
	if err := x.Lake.Seed(ctx, wanted); err != nil {
		return err
	}
	changed, err := x.Lake.WriteScript(ctx)
	if err != nil {
		return err
	}
	if changed {
		made = append(made, lake.Made{Kind: "file", Name: lake.ScriptName})
	} else {
		there++
	}
	if !p.brief || asJSON {
		for _, m := range made {
			if asJSON {
				err = json.NewEncoder(p.stdout).Encode(madeLine{Kind: m.Kind, Name: m.Name, Table: m.Table})
			} else {
				_, err = fmt.Fprintf(p.stdout, "created %s %s\n", m.Kind, m.Name)
			}
			if err != nil {
				return err
			}
		}
	}
	return totalOf(len(made), there, nil, wanted, before).print(p.stdout, asJSON)
}

// The checks of a lake.
const folderCheck, leaseCheck = "folder", "conditional writes"

// lakeChecks are the checks of an export into a folder.
func lakeChecks(i *inspection) []preflight.Check {
	of := func(f func(context.Context, *inspection) preflight.Result) func(context.Context) preflight.Result {
		return func(ctx context.Context) preflight.Result { return f(ctx, i) }
	}
	return []preflight.Check{
		{Name: "endpoint", Do: i.legacy},
		{Name: "network", Do: i.network},
		{Name: signInDefender, Needs: []string{reachEntra}, Do: i.signInDefender},
		{Name: leaseCheck, Do: of(conditions)},
		{Name: folderCheck, Needs: []string{leaseCheck}, Do: of(folder)},
		{Name: permission, Needs: []string{signInDefender}, Do: i.permission},
		{Name: sourceTables, Needs: []string{permission}, Unless: []string{reachDefender}, Do: i.sourceTables},
		{Name: sourceTables, Needs: []string{signInDefender}, Do: i.exportedTables},
	}
}

// conditions writes a scratch file as two writers would.
func conditions(ctx context.Context, i *inspection) preflight.Result {
	if err := i.parts.Lake.Probe(ctx); err != nil {
		return preflight.Found(preflight.Bad(i.parts.Config.Lake.Path, err, ""))
	}
	return preflight.Found(preflight.Good(i.parts.Config.Lake.Path, "a file that exists is not overwritten"))
}

// folder reads what init has made.
func folder(ctx context.Context, i *inspection) preflight.Result {
	name := i.parts.Config.Lake.Path
	stored, err := i.parts.Lake.Understood(ctx)
	if err != nil {
		return preflight.Found(preflight.Bad(name, advise(err), ""))
	}
	if i.orders, err = i.parts.Lake.Orders(ctx); err != nil {
		return preflight.Found(preflight.Bad(name, err, "tvmexport init"))
	}
	i.made = true
	active := slices.DeleteFunc(slices.Clone(i.orders), func(o tvmexport.Order) bool { return !o.Active })
	found := []preflight.Finding{preflight.Good(name, "%d tables are configured, %d of them active", len(i.orders), len(active))}
	if other := stored.Tenant; other != "" && i.who.TenantID != "" && other != i.who.TenantID {
		found = append(found, preflight.Finding{
			About: name, Status: preflight.Broken, Cause: tvmexport.Usage,
			Text: fmt.Sprintf("the folder holds the data of tenant %s; a folder holds the data of one tenant only", other),
			Fix:  "set lake.path to another folder, one for each tenant, or sign in to tenant " + other,
		})
	}
	for _, o := range active {
		if o.Err != nil {
			found = append(found, preflight.Bad(o.Table, o.Err, ""))
		}
	}
	return preflight.Found(found...)
}
