package tenant

import (
	"context"
	"iter"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// sources are the tables of a tenant, by name.
var sources = []source{
	&baselineAssessment,
	&baselineAssessmentKB,
	&baselineProfiles,
	&deviceInfo,
	&networkEvents,
	&processEvents,
	&browserExtensions,
	&browserExtensionsKB,
	&certificates,
	&hardware,
	&gathering,
	&gatheringKB,
	&configurations,
	&configurationsKB,
	&evidence,
	&inventory,
	&vulnerabilities,
	&vulnerabilitiesKB,
}

// TableNames are the names of a tenant's tables, sorted.
func TableNames() []string {
	names := make([]string, 0, len(sources))
	for _, s := range sources {
		names = append(names, s.title())
	}
	slices.Sort(names)
	return names
}

// catalog is the tables of one state; kql.Catalog.
type catalog struct{ state *state }

// Table is the relation called name, in exactly that case.
func (c catalog) Table(db, name string) (kql.Relation, bool) {
	if db != "" {
		return nil, false
	}
	for _, s := range sources {
		if s.title() == name {
			if rows := c.state.inserted[name]; len(rows) > 0 {
				s = grown{s, rows}
			}
			r := &relation{source: s, state: c.state, view: c.state.drifted[name]}
			r.columns, r.hidden = s.schema()
			if r.view != nil {
				r.columns = r.view.schema()
			}
			if c.state.timed && s.current() {
				return timed{r}, true
			}
			return r, true
		}
	}
	return nil, false
}

// Function finds nothing: advanced hunting keeps no functions that the API
// can call but built-in ones, which a tenant has none of.
func (c catalog) Function(string, string) (kql.Function, bool) { return kql.Function{}, false }

// Tables are the names of all tables.
func (c catalog) Tables(db string) []string {
	if db != "" {
		return nil
	}
	return TableNames()
}

// relation is a table of one state; kql.Relation.
type relation struct {
	source          source
	state           *state
	view            view // nil where the schema is the source's
	columns, hidden []value.Column
}

func (r *relation) Columns() []value.Column { return r.columns }

func (r *relation) Hidden() []value.Column { return r.hidden }

// Count is the number of rows that a Scan yields. Without conditions it is counted
// once for each state.
func (r *relation) Count(ctx context.Context, q kql.Request) (int64, error) {
	known := r.state.counts
	if len(q.Where) == 0 {
		if n, ok := known.Load(r.source.title()); ok {
			return n.(int64), nil
		}
	}
	q.Need = make([]bool, len(r.columns)+len(r.hidden))
	n := int64(0)
	for _, err := range r.Scan(ctx, q) {
		if err != nil {
			return 0, err
		}
		n++
	}
	if len(q.Where) == 0 {
		known.Store(r.source.title(), n)
	}
	return n, nil
}

func (r *relation) Scan(ctx context.Context, q kql.Request) iter.Seq2[[]value.Value, error] {
	if r.view != nil {
		return r.view.scan(ctx, r.state, r.source, q)
	}
	return r.source.scan(ctx, r.state, q)
}
