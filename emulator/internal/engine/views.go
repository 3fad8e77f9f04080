package engine

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func sortedViews(s *state) []*view {
	return slices.SortedFunc(maps.Values(s.views), func(a, b *view) int { return compareNames(a.name, b.name) })
}

// viewRows has the columns of the page on .show materialized-view. A view is
// computed when it is read, so it is always materialized to now and healthy.
func viewRows(s *session, views []*view) *rows {
	r := &rows{columns: []value.Column{
		stringColumn("Name"), stringColumn("SourceTable"), stringColumn("Query"), timeColumn("MaterializedTo"),
		timeColumn("LastRun"), stringColumn("LastRunResult"), boolColumn("IsHealthy"), boolColumn("IsEnabled"),
		stringColumn("Folder"), stringColumn("DocString"), boolColumn("AutoUpdateSchema"), timeColumn("EffectiveDateTime"),
		timespanColumn("Lookback"),
	}}
	now := timeValue(s.e.now())
	for _, v := range views {
		if v == nil { // dropped meanwhile
			continue
		}
		r.add(value.NewString(v.name), value.NewString(v.source), value.NewString(strings.TrimSpace(v.query)), now, now,
			value.NewString(stateCompleted), value.NewBool(true), value.NewBool(v.enabled), value.NewString(v.folder),
			value.NewString(v.docString), value.NewBool(v.autoUpdateSchema), timeValue(v.since), value.Null(value.TimeSpan))
	}
	return r
}

// showViews is .show materialized-views, .show materialized-view V and its schema.
func showViews(s *session, c *command.ShowViews) (*rows, error) {
	sc, err := s.scopeFor(Monitor)
	if err != nil {
		return nil, err
	}
	if c.Name == "" {
		return viewRows(s, sortedViews(sc.state)), nil
	}
	v, ok := sc.state.views[c.Name]
	if !ok {
		return nil, notFound(CodeEntityNotFound, "MaterializedView", c.Name)
	}
	if !c.Schema {
		return viewRows(s, []*view{v}), nil
	}
	r := &rows{columns: stringColumns("TableName", "Schema", "DatabaseName", "Folder", "DocString")}
	relation, ok := s.e.databases.catalog(sc.db.name, s.call.Principal).view(sc, v)
	if !ok {
		return nil, semantic("Materialized view '%s' cannot be computed: its source has changed", v.name)
	}
	t := &table{name: v.name, columns: s.e.databases.newColumns(relation.Columns())}
	r.addText(v.name, cslSchema(t), sc.db.name, v.folder, v.docString)
	return r, nil
}

// defineView is .create, .create-or-alter and .alter materialized-view.
func defineView(ctx context.Context, s *session, c *command.DefineView) (*rows, error) {
	sc, err := s.scope()
	if err != nil {
		return nil, err
	}
	err = checkProperties(c.With, "backfill", "effectivedatetime", "updateextentscreationtime", "lookback", "autoupdateschema",
		"dimensiontables", "dimensionmaterializedviews", "folder", "docstring", "allowmaterializedviewswithoutrowlevelsecurity")
	if err != nil {
		return nil, err
	}
	if err := checkName("MaterializedView", c.Name); err != nil {
		return nil, err
	}
	old, there := sc.state.views[c.Name]
	switch {
	case there && c.Verb == command.Create && c.IfNotExists:
		return viewRows(s, []*view{old}), nil
	case there && c.Verb == command.Create:
		return nil, alreadyExists("MaterializedView", c.Name)
	case !there && c.Verb == command.Alter:
		return nil, notFound(CodeEntityNotFound, "MaterializedView", c.Name)
	case there:
		err = sc.of("materialized-view", c.Name, &old.attributes).require(s.call.Principal, Admin)
	default:
		err = sc.require(s.call.Principal, Admin)
	}
	if err != nil {
		return nil, err
	}
	if err := checkView(s, sc, c); err != nil {
		return nil, err
	}
	return s.operate(ctx, "MaterializedViewCreateOrAlter", c.Async, func(context.Context, operation) (*rows, error) {
		return putView(s, sc.db, c)
	})
}

// checkView refuses a query that is not one of the source with a summarize
// that a view can have.
func checkView(s *session, sc scope, c *command.DefineView) error {
	if sc.state.tables[c.Source] == nil && sc.state.views[c.Source] == nil {
		return notFound(CodeTableNotFound, "Table", c.Source)
	}
	parsed, err := parseView(c.Name, c.Query)
	if err != nil {
		return err
	}
	if err := checkViewSource(sc.state, c, parsed); err != nil {
		return err
	}
	q, err := kql.Compile(c.Query, kql.Environment{
		Catalog: s.e.databases.catalog(sc.db.name, s.call.Principal), Database: sc.db.name, Now: s.e.now(),
	})
	if err != nil {
		return asError(err)
	}
	if len(q.Statements) != 1 {
		return semantic("Materialized view '%s': its query must be one tabular statement", c.Name)
	}
	return nil
}

func putView(s *session, d *database, c *command.DefineView) (*rows, error) {
	err := d.update(func(state *state) error {
		v := view{name: c.Name, enabled: true, since: s.e.now()}
		if old, ok := state.views[c.Name]; ok {
			v = *old
		} else {
			if kind, taken := state.taken(c.Name); taken {
				return alreadyExists(kind, c.Name)
			}
			v.from = viewFrom(c, v.since)
			v.grant(creator(s.call.Principal))
		}
		v.source, v.query = c.Source, c.Query
		if x, ok := c.With["folder"]; ok {
			v.folder = x
		}
		if x, ok := c.With["docstring"]; ok {
			v.docString = x
		}
		if x, ok := c.With["autoupdateschema"]; ok {
			v.autoUpdateSchema = truth(x)
		}
		state.views[c.Name] = &v
		return nil
	})
	if err != nil {
		return nil, err
	}
	return viewRows(s, []*view{d.present.Load().views[c.Name]}), nil
}

// viewFrom is the ingestion time from which a new view sees its source: its own creation,
// or what it is backfilled from.
func viewFrom(c *command.DefineView, created time.Time) time.Time {
	if !truth(given(c.With, "backfill")) {
		return created
	}
	if v, ok := value.ParseDateTime(c.With["effectivedatetime"]); ok {
		return v.Time()
	}
	return time.Time{}
}

// enableView is .enable and .disable materialized-view.
func enableView(s *session, c *command.EnableView) (*rows, error) {
	sc, a, err := s.entity(command.View, c.Name)
	if err != nil {
		return nil, err
	}
	if err := sc.of("materialized-view", c.Name, a).require(s.call.Principal, Admin); err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		v, err := state.editView(c.Name)
		if err != nil {
			return err
		}
		v.enabled = c.Enabled
		return nil
	})
	if err != nil {
		return nil, err
	}
	return viewRows(s, []*view{sc.db.present.Load().views[c.Name]}), nil
}
