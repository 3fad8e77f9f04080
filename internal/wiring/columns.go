package wiring

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/nearest"
	"github.com/tvmexport/tvmexport/internal/pseudonym"
)

// Policies returns the column policy of each table in a configuration.
func Policies(c config.Config) func(table string) tvmexport.ColumnPolicy {
	mark := ""
	if c.PseudonymisationKey != "" {
		mark = pseudonym.Mark([]byte(c.PseudonymisationKey))
	}
	return func(table string) tvmexport.ColumnPolicy {
		t := c.Tables[table]
		policy := tvmexport.ColumnPolicy{Include: t.Include, Exclude: t.Exclude, Pseudonymise: t.Pseudonymise}
		if len(t.Pseudonymise) > 0 {
			policy.Key = mark
		}
		return policy
	}
}

// WithPolicies returns the tables as they are configured, with their column policies.
func WithPolicies(tables []tvmexport.Table, c config.Config) ([]tvmexport.Table, error) {
	policy := Policies(c)
	out := make([]tvmexport.Table, len(tables))
	for i, t := range tables {
		var err error
		if out[i], err = asConfigured(t, t.Name, c).WithPolicy(policy(t.Name)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// KnownColumns refuses probable typing errors: the column that was meant would be
// published. Columns that the catalogue does not know and
// that are like none may be new ones.
func KnownColumns(c config.Config) error {
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		info, ok := catalog.Lookup(name)
		if !ok {
			if near := catalog.Nearest(name); near != "" {
				return fmt.Errorf("tables.%s is not in the catalogue; did you mean %s?", name, near)
			}
			continue
		}
		var known []string
		for _, k := range info.Columns {
			known = append(known, k.Name)
		}
		t := c.Tables[name]
		for _, list := range []struct {
			key     string
			columns []string
		}{{"include", t.Include}, {"exclude", t.Exclude}, {"pseudonymise", t.Pseudonymise}, {"volatile", t.Volatile}} {
			for _, column := range list.columns {
				if slices.Contains(known, column) {
					continue
				}
				if near := nearest.Of(column, known, len(column)/3); near != "" {
					return fmt.Errorf("tables.%s.%s: the table has no column %s; did you mean %s?", name, list.key, column, near)
				}
			}
		}
		table, _ := catalog.Table(name)
		if _, err := table.WithPolicy(Policies(c)(name)); err != nil {
			return err
		}
	}
	return nil
}
