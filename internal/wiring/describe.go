package wiring

import (
	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/config"
)

// Describe gives a table of the catalogue as the configuration wants it exported.
// Tables that the catalogue does not know get their columns from the source.
func Describe(c config.Config) func(name string) (tvmexport.Table, bool) {
	return func(name string) (tvmexport.Table, bool) {
		t, ok := catalog.Table(name)
		return asConfigured(t, name, c), ok
	}
}

// asConfigured is a table with what the configuration says of it.
func asConfigured(t tvmexport.Table, name string, c config.Config) tvmexport.Table {
	t.Layout = tvmexport.Layout(c.Layout)
	t.Drift, t.Volatile = tvmexport.Drift(c.Drift), c.Tables[name].Volatile
	return t
}
