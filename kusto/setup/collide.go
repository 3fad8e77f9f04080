package setup

import (
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// uncollided refuses tables whose destinations, or those of the orders that the
// database already has, would hold the rows of two tables.
func uncollided(tables []tvmexport.Table, orders []tvmexport.Order) error {
	all := make([]tvmexport.Order, 0, len(orders)+len(tables))
	asked := make(map[string]bool, len(tables))
	for _, t := range tables {
		all = append(all, tvmexport.Order{Table: t.Name, Into: t.Destination, Active: true})
		asked[t.Name] = true
	}
	for _, o := range orders {
		if !asked[o.Table] {
			all = append(all, tvmexport.Order{Table: o.Table, Into: o.Into, Active: o.Active, Err: o.Err})
		}
	}
	tvmexport.RefuseCollisions(all)
	for _, o := range all {
		if asked[o.Table] && o.Err != nil {
			return o.Err
		}
	}
	return nil
}

// reading refuses a table of which a stored function has a name that we use
// for a table: queries would read the function.
func reading(t tvmexport.Table, inv conn.Schema) error {
	names := []string{t.Landing()}
	if t.Layout.Raw() {
		names = append(names, t.Destination)
	}
	if views.IsTyped(t) {
		names = append(names, t.Typed())
	}
	for _, name := range names {
		if _, ok := inv.Functions[name]; ok {
			return conn.UsageError("configuration", t.Name, fmt.Errorf("%s, through which %s is published, is the name of a stored function", name, t.Name))
		}
	}
	return nil
}

// misnamed refuses a destination that is the name of another table's read
// function.
func misnamed(tables []tvmexport.Table, commands []Command) error {
	for _, t := range tables {
		for _, c := range commands {
			if c.Kind == MakeFunction && c.Name == t.Destination && c.Name != t.Name {
				return conn.UsageError("configuration", t.Name, fmt.Errorf("destination table %s is the name of a function that reads a table", t.Destination))
			}
		}
	}
	return nil
}
