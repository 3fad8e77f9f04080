package views

import (
	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// MissingRuns says in which published tables committed runs of a table are missing:
// they were published with another layout.
type MissingRuns struct{ Raw, Typed bool }

// With adds the other published table where it holds runs that this one lacks.
func (s Source) With(t tvmexport.Table, existing map[string][]kql.Column, l MissingRuns) Source {
	other := Source{Table: t.Typed(), Columns: existing[t.Typed()], Typed: true}
	lacking := l.Raw
	if s.Typed {
		other, lacking = Source{Table: t.Destination, Columns: existing[t.Destination]}, l.Typed
	}
	if lacking && len(t.Visible()) > 0 && s.HasLineage() && s.IsBounded() && other.HasLineage() && other.IsBounded() {
		s.Other = &other
	}
	return s
}

// ReadersOf returns the table in which readers see rows of t, if tables have the
// columns existing: the typed one if it is ours, but Raw if it also has rows of
// another exporter.
func ReadersOf(t tvmexport.Table, existing map[string][]kql.Column) Source {
	raw, typed := existing[t.Destination], existing[t.Typed()]
	if IsTyped(t) && (raw == nil || typed != nil && !IsForeign(typed) && !(IsShared(t, raw) && t.Layout.Raw())) {
		return Source{Table: t.Typed(), Columns: typed, Typed: true}
	}
	return Source{Table: t.Destination, Columns: raw}
}

// IsTyped says whether readers see rows in a typed table: where the layout has
// one and columns are known to make it of.
func IsTyped(t tvmexport.Table) bool { return t.Layout.Typed() && len(t.Visible()) > 0 }
