package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/kusto"
)

func (p *process) initCommand() *cobra.Command {
	var print bool
	var tables []string
	c := &cobra.Command{
		Use:   "init",
		Short: "Create the missing tables, functions and policies in the database",
		Long: `init creates missing objects in the database: the configuration and audit tables,
the ledger, and for each table the published tables, the landing table, their
mappings and the read functions. It needs the roles users and ingestors on the
database. It never changes objects that others created. A second init changes
nothing.

With --print it only prints the script, for an administrator to run. This needs no
database.`,
		Example: "  tvmexport init\n  tvmexport init --table DeviceTvmSoftwareVulnerabilitiesKB\n  tvmexport init --print > init.kql",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			wanted, err := tablesNamed(tables)
			if err != nil {
				return err
			}
			if print {
				return p.printScript(wanted)
			}
			cfg, err := p.configuration()
			if err != nil {
				return err
			}
			if wanted, err = withPolicies(wanted, cfg); err != nil {
				return err
			}
			x, err := p.open(c.Context(), cfg)
			if err != nil {
				return err
			}
			defer x.destination.Close()
			if wanted, err = x.destination.Setup().Ordered(c.Context(), wanted); err != nil {
				return err
			}
			setup, err := x.destination.Setup().Init(c.Context(), wanted, scriptOptions(cfg))
			for _, line := range madeLines(setup.Made) {
				fmt.Fprintln(p.stdout, line)
			}
			for _, note := range setup.Notes {
				fmt.Fprintf(p.stderr, "note: %s\n", note)
			}
			if err != nil {
				return err
			}
			if err := x.destination.Configuration().Configure(c.Context(), wanted); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "%d created, %d already exist\n", len(setup.Made), setup.There)
			return err
		},
	}
	c.Flags().BoolVar(&print, "print", false, "only print the script")
	c.Flags().StringArrayVar(&tables, "table", nil, "source `table` to prepare (repeatable; default: the nine TVM tables)")
	return c
}

// printScript prints the script. It needs no configuration, but keeps to one
// that is there.
func (p *process) printScript(tables []tvmexport.Table) error {
	var o kusto.ScriptOptions
	c, err := config.File(p.configFile(), p.env)
	if err == nil {
		o = scriptOptions(c)
		if tables, err = withPolicies(tables, c); err != nil {
			return err
		}
	}
	commands, err := kusto.Script(tables, o)
	if err != nil {
		return err
	}
	return kusto.WriteScript(p.stdout, commands)
}

// madeLines say what was made: of each table with what belongs to it, and of
// each source table the functions, on one line.
func madeLines(list []kusto.Command) []string {
	var out []string
	table, functions := "", "" // of the last line
	for _, m := range list {
		switch {
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
