package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

// initFlags are what init is asked for.
type initFlags struct {
	print     bool
	tables    []string
	principal string
	roles     string
	place     string
	json      bool
	fleet     bool
	remove    bool
}

func (p *process) initCommand() *cobra.Command {
	var f initFlags
	c := &cobra.Command{
		Use:   "init",
		Short: "Create the missing tables, functions and policies in the database",
		Long: `init creates missing objects in the database: the configuration and audit tables,
the ledger, and for each table the published tables, the landing table, their
mappings and the read functions. It needs the roles users and ingestors on the
database. It never changes objects that others created. A second init changes
nothing. The next run exports each table that init adds to MigrationConfiguration.

With --print it only prints one script, which an administrator of the database
pastes into a query editor and runs. Run again, it changes nothing. The script
makes what init makes, gives --principal its roles, and adds the configuration
rows. If the configuration names a database that can be read, the script leaves
alone what others created there, as init does. Otherwise it is for a database in
which none of the tables exists.

With --print --for arm it prints the commands for a database script resource of
Azure Resource Manager (Microsoft.Kusto/clusters/databases/scripts). Roles are
resources of their own there. The configuration rows come from the first init.

With --fleet it makes, in the database fleet.database, what reads across all
tenants: the entity group FleetTenants, for each table functions of the same
names with a column Tenant, the ledgers, the audits, and FleetCoverage, which
lists each tenant and says whether it answers. The tables are those that any
tenant has configured, or those of --table. It needs the role admins on that
database. Databases of tenants that the configuration no longer has stay in the
group until --remove takes them out.`,
		Example: "  tvmexport init\n  tvmexport init --table DeviceTvmSoftwareVulnerabilitiesKB\n" +
			"  tvmexport init --print > init.kql\n  tvmexport init --print --principal 'aadapp=APPLICATION;TENANT' --roles table > init.kql\n" +
			"  tvmexport init --all-tenants && tvmexport init --fleet",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			wanted, err := tablesNamed(f.tables)
			if err != nil {
				return err
			}
			if f.fleet {
				return initFleet(c.Context(), p, c, wanted, f)
			}
			if f.remove {
				return usage(errors.New("--remove is for --fleet"))
			}
			if f.print && f.json {
				return usage(errors.New("--print prints a script, and --json a result: give one of them"))
			}
			if f.print {
				return p.printScript(c.Context(), wanted, f)
			}
			for _, name := range []string{"principal", "roles", "for"} {
				if c.Flags().Changed(name) {
					return usage(fmt.Errorf("--%s is for --print", name))
				}
			}
			return p.initialise(c.Context(), wanted, f.json)
		},
	}
	c.Flags().BoolVar(&f.print, "print", false, "only print the script")
	c.Flags().StringArrayVar(&f.tables, "table", nil, "source `table` to prepare (repeatable; default: the nine TVM tables; with --fleet: those that tenants have configured)")
	c.Flags().StringVar(&f.principal, "principal", "", "`identity` of the exporter that the script gives its roles: aadapp=APPLICATION;TENANT")
	c.Flags().StringVar(&f.roles, "roles", "database", "`scope` of the roles in the script: database, or table for roles of single tables")
	c.Flags().StringVar(&f.place, "for", "editor", "`place` where the script runs: editor, or arm for a database script resource")
	c.Flags().BoolVar(&f.fleet, "fleet", false, "make the functions over all tenants, in fleet.database")
	c.Flags().BoolVar(&f.remove, "remove", false, "with --fleet: take databases of no configured tenant out of the entity group")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON, one line for each object that was created and one total line")
	return c
}

// initialise creates what is missing, and configures the tables that have no row yet.
func (p *process) initialise(ctx context.Context, wanted []tvmexport.Table, asJSON bool) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	if wanted, err = wiring.WithPolicies(wanted, cfg); err != nil {
		return err
	}
	x, err := p.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer x.Close()
	if x.Lake != nil {
		return initialiseLake(ctx, p, x, wanted, asJSON)
	}
	if wanted, err = x.Destination.Setup().Ordered(ctx, wanted); err != nil {
		return err
	}
	setup, err := x.Destination.Setup().Init(ctx, wanted, wiring.ScriptOptions(cfg))
	if !p.brief || asJSON { // several tenants have the same objects; the total says how many
		if perr := printMade(p.stdout, setup.Made, asJSON); perr != nil {
			return perr
		}
	}
	for _, note := range setup.Notes {
		fmt.Fprintf(p.stderr, "note: %s\n", note)
	}
	if err != nil {
		return err
	}
	before, err := x.Configuration().Orders(ctx)
	if err != nil {
		return err
	}
	if err := x.Configuration().Configure(ctx, wanted); err != nil {
		return err
	}
	return totalOf(created(setup.Made), setup.There, setup.Notes, wanted, before).print(p.stdout, asJSON)
}

func (t initTotal) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(t)
	}
	for _, line := range t.lines() {
		fmt.Fprintln(w, line)
	}
	_, err := fmt.Fprintf(w, "%d created, %d already exist\n", t.Created, t.There)
	return err
}

// created counts the commands that create or alter something.
func created(list []kusto.Command) (n int) {
	for _, m := range list {
		if m.Kind != kusto.DropFunction {
			n++
		}
	}
	return n
}

// madeLine is an object that was created, as JSON.
type madeLine struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Table string `json:"table,omitempty"` // that it belongs to
}

// printMade prints what was created.
func printMade(w io.Writer, list []kusto.Command, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		for _, m := range list {
			if err := out.Encode(madeLine{Kind: string(m.Kind), Name: m.Name, Table: m.Table}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, line := range madeLines(list) {
		fmt.Fprintln(w, line)
	}
	return nil
}

// initTotal is the result of init.
type initTotal struct {
	Total   bool     `json:"total"`
	Created int      `json:"created"`
	There   int      `json:"existing"`
	Added   []string `json:"added,omitempty"`  // to MigrationConfiguration
	Paused  []string `json:"paused,omitempty"` // that have a row with IsActive = false
	Notes   []string `json:"notes,omitempty"`
}

func totalOf(made, there int, notes []string, wanted []tvmexport.Table, before []tvmexport.Order) initTotal {
	total := initTotal{Total: true, Created: made, There: there, Notes: notes}
	for _, t := range wanted {
		i := slices.IndexFunc(before, func(o tvmexport.Order) bool { return o.Table == t.Name })
		switch {
		case i < 0:
			total.Added = append(total.Added, t.Name)
		case !before[i].Active:
			total.Paused = append(total.Paused, t.Name)
		}
	}
	return total
}

// lines say which tables are exported from now on.
func (t initTotal) lines() []string {
	var out []string
	switch len(t.Added) {
	case 0:
	case 1:
		out = append(out, t.Added[0]+" is active from now on: the next run exports it")
	default:
		out = append(out, fmt.Sprintf("%d tables are active from now on: the next run exports them", len(t.Added)))
	}
	for _, name := range t.Paused {
		out = append(out, fmt.Sprintf("%s is paused; tvmexport tables resume %s exports it again", name, name))
	}
	return out
}

// madeLines say what was made: of each table with what belongs to it, and of
// each source table the functions, on one line.
func madeLines(list []kusto.Command) []string {
	var out []string
	table, functions := "", "" // of the last line
	for _, m := range list {
		switch {
		case m.Kind == kusto.DropFunction:
			table, functions = "", ""
			out = append(out, "removed function "+m.Name)
		case m.Kind == kusto.MakeTable:
			table, functions = m.Name, ""
			out = append(out, "created table "+m.Name)
		case m.Table != "" && m.Table == table:
			sep := ", "
			if !strings.Contains(out[len(out)-1], " with ") {
				sep = " with "
			}
			out[len(out)-1] += fmt.Sprintf("%s%s %s", sep, m.Kind, m.Name)
		case m.Kind == kusto.MakeFunction && functions != "" && strings.HasPrefix(m.Name, functions):
			out[len(out)-1] += ", " + m.Name
		default:
			table, functions = "", ""
			if m.Kind == kusto.MakeFunction {
				functions = m.Name
			}
			out = append(out, fmt.Sprintf("created %s %s%s", m.Kind, m.Name, of(m.Table)))
		}
	}
	return out
}

// of names the table that something belongs to.
func of(table string) string {
	if table == "" {
		return ""
	}
	return " of " + table
}
