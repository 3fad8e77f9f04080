package setup

import (
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// enriched is the command that makes the enriched function, if it is wanted and the read
// functions of both tables are there, or are made for one of the tables. It removes a
// function of ours that is there otherwise.
func enriched(tables []tvmexport.Table, o Options, inv conn.Schema) []Command {
	wanted := o.Enriched
	for _, name := range views.EnrichedTables() {
		_, there := inv.Functions[o.FunctionPrefix+name]
		wanted = wanted && (there || named(tables, name))
	}
	if wanted {
		f := views.Enriched(o.FunctionPrefix)
		return []Command{makeFunction(f, "read "+views.EnrichedTables()[0]+f.What)}
	}
	name := views.EnrichedName(o.FunctionPrefix)
	if found, there := inv.Functions[name]; !there || found.Folder != kql.Folder {
		return nil
	}
	why := "functions.enriched is not set"
	if o.Enriched {
		why = "a function that it calls is gone"
	}
	return []Command{{Kind: DropFunction, Name: name, Why: why, Text: fmt.Sprintf(".drop function %s ifexists", kql.Ident(name))}}
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
