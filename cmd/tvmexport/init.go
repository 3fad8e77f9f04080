package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/config"
	"github.com/tvmexport/tvmexport/kusto"
)

func (p *process) initCommand() *cobra.Command {
	var print bool
	var tables []string
	c := &cobra.Command{
		Use:   "init",
		Short: "Create what is missing in the database",
		Long: `init creates what is missing in the database: the configuration and audit
tables, the ledger, and for each table the published table, the landing table,
their mappings and the read function. It needs the roles users and ingestors on
the database, never touches what others made, and changes nothing when run twice.

With --print it only prints the whole script, for an administrator to run; that
needs no database.`,
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
			if wanted, err = chosen(wanted, cfg); err != nil {
				return err
			}
			x, err := p.open(c.Context(), cfg)
			if err != nil {
				return err
			}
			defer x.destination.Close()
			if wanted, err = x.destination.Ordered(c.Context(), wanted); err != nil {
				return err
			}
			setup, err := x.destination.Init(c.Context(), wanted, scriptOptions(cfg))
			for _, made := range setup.Made {
				fmt.Fprintf(p.stdout, "made %s %s%s\n", made.Kind, made.Name, of(made.Table))
			}
			for _, note := range setup.Notes {
				fmt.Fprintf(p.stderr, "note: %s\n", note)
			}
			if err != nil {
				return err
			}
			if err := x.destination.Configure(c.Context(), wanted); err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "%d made, %d there already\n", len(setup.Made), setup.There)
			return err
		},
	}
	c.Flags().BoolVar(&print, "print", false, "only print the script")
	c.Flags().StringArrayVar(&tables, "table", nil, "source table to prepare (repeatable; default the nine TVM tables)")
	return c
}

// printScript prints the script. It needs no configuration, but keeps to one
// that is there.
func (p *process) printScript(tables []tvmexport.Table) error {
	var o kusto.ScriptOptions
	c, err := config.File(p.configFile(), p.env)
	if err == nil {
		o = scriptOptions(c)
		if tables, err = chosen(tables, c); err != nil {
			return err
		}
	}
	commands, err := kusto.Script(tables, o)
	if err != nil {
		return err
	}
	return kusto.WriteScript(p.stdout, commands)
}

// of names the table that something belongs to.
func of(table string) string {
	if table == "" {
		return ""
	}
	return " of " + table
}
