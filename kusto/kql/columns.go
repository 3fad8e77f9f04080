package kql

import (
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// Names returns the names of source tables, in order.
func Names(tables []tvmexport.Table) []string {
	out := make([]string, len(tables))
	for i, t := range tables {
		out[i] = t.Name
	}
	return out
}

// Declaration returns the columns as commands that create tables take them.
func Declaration(columns []Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = Ident(c.Name) + ":" + c.Kind
	}
	return strings.Join(list, ", ")
}

// Missing returns the first column of want, with its type, that have does not
// hold. It returns "" if there is none.
func Missing(have, want []Column) string {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return w.Name + ":" + w.Kind
		}
	}
	return ""
}

// MissingNames is [Missing] for names alone; types may differ.
func MissingNames(have, want []Column) string {
	for _, w := range want {
		if !slices.ContainsFunc(have, func(c Column) bool { return c.Name == w.Name }) {
			return w.Name + ":" + w.Kind
		}
	}
	return ""
}
