package engine

import (
	"context"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// catalog is what one query sees: of each database the state that it was in
// when the query first named it, the default one at once.
type catalog struct {
	in      *databases
	p       Principal
	system  bool                    // nothing is forbidden: for update policies and views
	home    string                  // the default database
	replace map[string]kql.Relation // tables of the default database that are others for this query
	depth   int                     // of views within views
	behind  string                  // the table whose row-level security this query carries out
	force   bool                    // row-level security applies where it is disabled too

	mu     *sync.Mutex
	scopes map[string]scope
}

// viewDepth limits how deep views may be nested.
const viewDepth = 8

// Catalog is what p can name in a query that runs in database db: a snapshot
// of it. Databases that p may not read hold nothing.
func (e *Engine) Catalog(db string, p Principal) kql.Catalog { return e.databases.catalog(db, p) }

func (all *databases) catalog(db string, p Principal) *catalog {
	c := &catalog{in: all, p: p, home: all.canonical(db), mu: &sync.Mutex{}, scopes: map[string]scope{}}
	c.scope("")
	return c
}

// with is the catalog where the named table of the default database is r.
func (c *catalog) with(name string, r kql.Relation) *catalog {
	d := *c
	d.replace = maps.Clone(c.replace)
	if d.replace == nil {
		d.replace = map[string]kql.Relation{}
	}
	d.replace[name] = r
	return &d
}

// OwnsCluster says whether a host is this cluster's: with or without the domain of
// clusters in Azure, as https://learn.microsoft.com/kusto/query/cluster-function has it.
func (c *catalog) OwnsCluster(host string) bool {
	u, err := url.Parse(c.in.o.ClusterURI)
	if err != nil || u.Hostname() == "" {
		return false
	}
	own := strings.ToLower(u.Hostname())
	return host == own || host+".kusto.windows.net" == own
}

// ClusterURI is the cluster's address.
func (c *catalog) ClusterURI() string { return c.in.o.ClusterURI }

// Address finds a further address of the cluster.
func (c *catalog) Address(host string) (uri string, down, ok bool) {
	if c.in.o.Address == nil {
		return "", false, false
	}
	return c.in.o.Address(host)
}

// DatabaseName is the engine's name of a database that may be read.
func (c *catalog) DatabaseName(name string) (string, bool) {
	if name == "" {
		return "", false
	}
	s, ok := c.scope(name)
	if !ok {
		return "", false
	}
	return s.db.name, true
}

// EntityGroup is a stored group of the default database.
func (c *catalog) EntityGroup(name string) ([]string, bool) {
	s, ok := c.scope("")
	if !ok {
		return nil, false
	}
	entities, ok := s.state.groups[name]
	return entities, ok
}

func (c *catalog) scope(db string) (scope, bool) {
	if db = c.in.canonical(db); db == "" {
		db = c.home
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.scopes[db]; ok {
		return s, true
	}
	d, err := c.in.find(db)
	if err != nil {
		return scope{}, false
	}
	s := c.in.scope(d)
	if !c.system && db != c.home && !s.permits(c.p, Viewer) {
		return scope{}, false
	}
	c.scopes[db] = s
	return s, true
}

// Table finds a table or a materialized view.
func (c *catalog) Table(db, name string) (kql.Relation, bool) {
	if db == "" || equalFold(c.in.canonical(db), c.home) {
		if r, ok := c.replace[name]; ok {
			return r, true
		}
	}
	s, ok := c.scope(db)
	if !ok {
		return nil, false
	}
	if t, ok := s.state.tables[name]; ok {
		return c.relation(s, t), true
	}
	if v, ok := s.state.views[name]; ok {
		return c.view(s, v)
	}
	return nil, false
}

func (c *catalog) relation(s scope, t *table) kql.Relation {
	r := &extent.Relation{Schema: t.columns, Extents: t.extents}
	if c.hidesRows(t) {
		return c.visible(s, t)
	}
	if !c.system && t.restricted() && !s.state.holds(c.p, UnrestrictedViewer) { // regardless of its other roles
		return refused{r, forbidden(c.p, "read table '%s' in database '%s', whose view access is restricted", t.name, s.db.name)}
	}
	return r
}

// Function finds a stored function.
func (c *catalog) Function(db, name string) (kql.Function, bool) {
	s, ok := c.scope(db)
	if !ok {
		return kql.Function{}, false
	}
	f, ok := s.state.functions[name]
	if !ok {
		return kql.Function{}, false
	}
	return f.query(), true
}

// Tables are the names of tables, materialized views, and functions that are views. The
// last are those of https://learn.microsoft.com/kusto/query/schema-entities/views.
func (c *catalog) Tables(db string) []string {
	s, ok := c.scope(db)
	if !ok {
		return nil
	}
	names := slices.Collect(maps.Keys(s.state.tables))
	for n := range s.state.views {
		names = append(names, n)
	}
	for n, f := range s.state.functions {
		if f.view && strings.Trim(f.parameters, "() \t\r\n") == "" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// refused is a table that may be named and not be read.
type refused struct {
	kql.Relation
	err error
}

// Scan fails.
func (r refused) Scan(context.Context, kql.Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) { yield(nil, r.err) }
}

// view is a materialized view, whose rows are computed from its source when
// they are read.
func (c *catalog) view(s scope, v *view) (kql.Relation, bool) {
	if c.depth >= viewDepth {
		return nil, false
	}
	inner := *c
	inner.depth++
	inner.home = s.db.name
	inner.system = true // who may read the view may read what it shows
	source := &inner
	if t, ok := s.state.tables[v.source]; ok && !v.from.IsZero() {
		seen := &extent.Relation{Schema: t.columns}
		for _, x := range t.extents {
			seen.Extents = append(seen.Extents, x.Since(v.from))
		}
		source = inner.with(v.source, seen)
	}
	q, err := kql.Compile(v.query, kql.Environment{Catalog: source, Database: s.db.name, Now: c.in.now()})
	if err != nil || len(q.Statements) != 1 {
		return nil, false
	}
	return computed{q.Statements[0]}, true
}

// computed is the result of a statement as a table.
type computed struct{ statement *kql.Statement }

// Columns are the statement's.
func (r computed) Columns() []value.Column { return r.statement.Columns() }

// Hidden is empty: computed rows were never ingested.
func (r computed) Hidden() []value.Column { return nil }

// Scan runs the statement.
func (r computed) Scan(ctx context.Context, _ kql.Request) iter.Seq2[[]value.Value, error] {
	return r.statement.Rows(ctx)
}

// inMemory is rows as a table.
type inMemory struct{ *rows }

// Columns are those of the rows.
func (r inMemory) Columns() []value.Column { return r.columns }

// Hidden is empty.
func (r inMemory) Hidden() []value.Column { return nil }

// Scan yields the rows.
func (r inMemory) Scan(context.Context, kql.Request) iter.Seq2[[]value.Value, error] { return r.seq() }
