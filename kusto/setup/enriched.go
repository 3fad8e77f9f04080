package setup

import (
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// enriched is the command that makes the enriched function, if it is wanted and can be
// made. It removes a function of ours that is there otherwise.
func enriched(tables []tvmexport.Table, o Options, inv conn.Schema) []Command {
	why := unenriched(tables, o, inv)
	if o.Enriched && why == "" {
		f := views.Enriched(o.FunctionPrefix)
		return []Command{makeFunction(f, "read "+views.EnrichedTables()[0]+f.What)}
	}
	name := views.EnrichedName(o.FunctionPrefix)
	if found, there := inv.Functions[name]; !there || found.Folder != kql.Folder {
		return nil
	}
	if why == "" {
		why = "functions.enriched is not set"
	}
	return []Command{{Kind: DropFunction, Name: name, Why: why, Text: fmt.Sprintf(".drop function %s ifexists", kql.Ident(name))}}
}

// unenriched says why the enriched function cannot be made although it is wanted; "" if
// it can, or is not wanted. It needs the read functions of both tables, which are there or
// are made for one of the tables, and their key columns in a form that can be compared.
func unenriched(tables []tvmexport.Table, o Options, inv conn.Schema) string {
	if !o.Enriched {
		return ""
	}
	for _, name := range views.EnrichedTables() {
		if _, there := inv.Functions[o.FunctionPrefix+name]; !there && !named(tables, name) {
			return fmt.Sprintf("functions.enriched needs the function %s: tvmexport tables add %s", o.FunctionPrefix+name, name)
		}
	}
	if o.Policy == nil {
		return ""
	}
	pair, _ := catalog.PairOf(views.EnrichedTables()[0])
	hidden := pair.Hidden(o.Policy)
	if len(hidden) == 0 {
		return ""
	}
	h := hidden[0]
	if h.Pseudonym {
		return fmt.Sprintf("functions.enriched needs the column %s of %s, which is published as a pseudonym: pseudonymise it in both tables, or in none", h.Column, h.Table)
	}
	return fmt.Sprintf("functions.enriched needs the column %s of %s, which is not published: see tables.%s in the configuration", h.Column, h.Table, h.Table)
}

// named says whether a table is among the tables.
func named(tables []tvmexport.Table, name string) bool {
	for _, t := range tables {
		if t.Name == name {
			return true
		}
	}
	return false
}
