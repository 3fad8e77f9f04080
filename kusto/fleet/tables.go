package fleet

import (
	"context"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// tables are those of the options, else those that the tenants have configured. What an operator should know
// about them is a note.
func (c *Installer) tables(ctx context.Context, o Options, out *Result) ([]tvmexport.Table, error) {
	if len(o.Tables) > 0 {
		return o.Tables, nil
	}
	names, err := c.configured(ctx)
	if err != nil {
		return nil, err
	}
	var known []tvmexport.Table
	var unknown []string
	for _, name := range names {
		t, ok := tvmexport.Table{}, false
		if o.Known != nil {
			t, ok = o.Known(name)
		}
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		if err := conn.CheckNames(t); err != nil {
			return nil, err
		}
		known = append(known, t)
	}
	if len(unknown) > 0 {
		out.Notes = append(out.Notes, "tables of tenants that are not in the catalogue have no functions: "+strings.Join(unknown, ", "))
	}
	if len(known) == 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("no tenant says which tables it exports, so there are functions for %s; run init --fleet again when tenants are initialised", strings.Join(namesOf(o.Otherwise), ", ")))
		return o.Otherwise, nil
	}
	return known, nil
}

func namesOf(tables []tvmexport.Table) []string {
	out := make([]string, len(tables))
	for i, t := range tables {
		out[i] = t.Name
	}
	return out
}

// configured are the source tables that any tenant has in its configuration table, paused ones too:
// what they have exported can be read.
func (c *Installer) configured(ctx context.Context) ([]string, error) {
	s := conn.Statement{Op: "init", Text: "set best_effort=true;\n" + configuredText}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Text("SourceTable") })
}

// configuredText has a part that always resolves: macro-expand fails if no tenant answers.
var configuredText = "union isfuzzy=true\n" +
	"    (datatable (SourceTable:string) []),\n" +
	"    (\n" + indented(indented("macro-expand kind=outer isfuzzy=true "+Group+" as X (\n    X."+kql.ConfigurationTable+"\n    | summarize by SourceTable = tostring(SourceTable)\n)\n")) + "    )\n" +
	"| where isnotempty(SourceTable)\n| distinct SourceTable\n| order by SourceTable asc"
