package engine

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/newtonsoft"
)

// loadKinds are the operations' names of the commands that load.
var loadKinds = map[command.Verb]string{
	command.Set: "TableSet", command.Append: "TableAppend", command.SetOrAppend: "TableSetOrAppend",
	command.SetOrReplace: "TableSetOrReplace",
}

// loadRows has the columns of the page on ingest from query. A load that a
// tag stopped has no rows.
func loadRows(done loaded) *rows {
	r := &rows{columns: []value.Column{
		guidColumn("ExtentId"), realColumn("OriginalSize"), realColumn("ExtentSize"), realColumn("CompressedSize"),
		realColumn("IndexSize"), longColumn("RowCount"),
	}}
	for _, x := range done.extents {
		size := value.NewReal(float64(x.CompressedSize()))
		r.add(guidValue(x.ID), value.NewReal(float64(x.OriginalSize())), size, size, value.NewReal(0), value.NewLong(x.RowCount()))
	}
	return r
}

// loadQuery is .set, .append, .set-or-append and .set-or-replace.
func loadQuery(ctx context.Context, s *session, c *command.Load) (*rows, error) {
	l, err := loadOf(s, c.With)
	if err != nil {
		return nil, err
	}
	err = checkProperties(c.With, "tags", "ingestifnotexists", "creationtime", "extend_schema", "recreate_schema", "folder",
		"docstring", "distributed", "policy_ingestiontime", "persistdetails")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"extend_schema", "recreate_schema", "distributed", "policy_ingestiontime", "persistdetails"} {
		if text, ok := c.With[name]; ok && !equalFold(text, "true") && !equalFold(text, "false") {
			return nil, badRequest("The property '%s' must be true or false, not '%s'", name, excerpt(text))
		}
	}
	l.table = c.Table
	if err := mayLoad(s, c); err != nil {
		return nil, err
	}
	return s.operate(ctx, loadKinds[c.Verb], c.Async, func(ctx context.Context, o operation) (*rows, error) {
		l.operation = o.id
		sc, err := s.scope()
		if err != nil {
			return nil, err
		}
		columns, source, err := s.source(ctx, c.Query)
		if err != nil {
			return nil, err
		}
		if err := shapeLoad(s, sc, c, &l, columns); err != nil {
			return nil, err
		}
		done, err := s.e.loader.load(ctx, sc.db, l, source)
		if err != nil {
			return nil, err
		}
		return loadRows(done), nil
	})
}

// mayLoad checks the role: Database User to make the table, Table Ingestor to
// append, Table Admin to replace.
func mayLoad(s *session, c *command.Load) error {
	sc, err := s.scope()
	if err != nil {
		return err
	}
	t, there := sc.state.tables[c.Table]
	switch {
	case there && c.Verb == command.Set:
		return alreadyExists("Table", c.Table)
	case !there && c.Verb == command.Append:
		return notFound(CodeTableNotFound, "Table", c.Table)
	case !there:
		if err := checkName("Table", c.Table); err != nil {
			return err
		}
		return sc.require(s.call.Principal, User)
	case c.Verb == command.SetOrReplace:
		return sc.of("table", c.Table, &t.attributes).require(s.call.Principal, Admin)
	}
	return sc.of("table", c.Table, &t.attributes).require(s.call.Principal, Ingestor)
}

// shapeLoad fits the load to the query's columns: it makes the table, extends it,
// or refuses.
func shapeLoad(s *session, sc scope, c *command.Load, l *load, columns []value.Column) error {
	l.replace = c.Verb == command.SetOrReplace
	t, there := sc.state.tables[c.Table]
	if !there {
		if err := checkColumns(c.Table, columns); err != nil {
			return err
		}
		l.create = &table{
			id: newID(), name: c.Table, columns: s.e.databases.newColumns(columns), folder: c.With["folder"], docString: c.With["docstring"],
		}
		l.create.grant(creator(s.call.Principal))
		if equalFold(c.With["policy_ingestiontime"], "false") { // on where nothing is said
			l.create.setPolicy("ingestiontime", `{"IsEnabled":false}`)
		}
		return nil
	}
	have := t.schema()
	if truth(given(c.With, "recreate_schema")) && l.replace {
		return badRequest("The property 'recreate_schema' is not supported by this emulator: drop the table first")
	}
	if truth(given(c.With, "extend_schema")) && len(columns) > len(have) {
		if err := matches(columns[:len(have)], have); err != nil {
			return badRequest("%v", err)
		}
		if err := checkColumns(c.Table, append(have, columns[len(have):]...)); err != nil {
			return err
		}
		l.extend = s.e.databases.newColumns(columns[len(have):])
		return nil
	}
	if err := matches(columns, have); err != nil {
		return badRequest("Invalid query for %s: %v", strings.TrimPrefix(string(c.Verb), "."), err)
	}
	return nil
}

// loadOf reads the properties that all loads have.
func loadOf(s *session, with command.Properties) (load, error) {
	l := load{principal: s.call.Principal}
	var err error
	if l.tags, err = stringList("tags", with["tags"]); err != nil {
		return l, err
	}
	if l.ifNotExists, err = stringList("ingestIfNotExists", with["ingestifnotexists"]); err != nil {
		return l, err
	}
	if text, ok := with["creationtime"]; ok {
		v, ok := value.ParseDateTime(text)
		if !ok {
			return l, badRequest("creationTime '%s' is not a datetime", text)
		}
		l.created = v.Time()
	}
	return l, nil
}

// stringList reads a property whose text is a JSON array of strings.
func stringList(property, text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var list []string
	text, err := newtonsoft.Standard(text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &list)
	}
	if err != nil {
		return nil, badRequest("The property %s must be a JSON array of strings, not %s", property, excerpt(text))
	}
	return list, nil
}
