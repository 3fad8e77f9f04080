package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/catalog"
)

func (p *process) tablesCommand() *cobra.Command {
	var asJSON, all bool
	c := &cobra.Command{
		Use:     "tables",
		Short:   "List the known tables",
		Long:    "tables lists the tables of the catalogue. Other tables of Advanced Hunting can be\nexported too: tvmexport reads their schema from the service. The source of a table is\nAdvanced Hunting (hunting) or Defender's export assessment APIs (assessment).",
		Example: "  tvmexport tables --all",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			names := slices.Concat(catalog.Default(), catalog.Offered(), catalog.Assessments())
			if all {
				names = catalog.Names()
			}
			if asJSON {
				return p.tablesJSON(names)
			}
			w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "TABLE\tSOURCE\tDEFAULT\tLOAD\tWATERMARK\tCOLUMNS")
			for _, name := range names {
				l := tableLineOf(name)
				fmt.Fprintf(w, "%s\t%s\t%t\t%s\t%s\t%d\n", l.Table, l.Source, l.Default, l.LoadType, dash(l.Watermark), l.Columns)
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, one line per table")
	c.Flags().BoolVar(&all, "all", false, "list all known tables, not only those of vulnerability management")
	c.AddCommand(addCommand(p), p.activateCommand(false), p.activateCommand(true), p.timetableCommand())
	return c
}

type tableLine struct {
	Table     string `json:"table"`
	Default   bool   `json:"default"`
	LoadType  string `json:"loadType"`
	Watermark string `json:"watermark,omitempty"`
	Columns   int    `json:"columns"`
	Docs      string `json:"docs"`
	Source    string `json:"source"`
}

func tableLineOf(name string) tableLine {
	t, _ := catalog.Table(name) // name is from the catalogue
	info, _ := catalog.Lookup(name)
	return tableLine{
		Table: name, Default: slices.Contains(catalog.Default(), name), LoadType: string(t.LoadType),
		Watermark: t.Watermark, Columns: len(t.Columns), Docs: info.Docs,
		Source: string(info.Source),
	}
}

func (p *process) tablesJSON(names []string) error {
	out := json.NewEncoder(p.stdout)
	for _, name := range names {
		if err := out.Encode(tableLineOf(name)); err != nil {
			return err
		}
	}
	return nil
}
