package engine

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
)

// renameTables renames all of the tables, or none; they may swap their names.
func renameTables(s *session, c *command.RenameTables) (*rows, error) {
	sc, err := s.scope()
	if err != nil {
		return nil, err
	}
	pairs := make([][2]string, 0, len(c.Pairs))
	for _, p := range c.Pairs {
		if err := checkName("Table", p[1]); err != nil {
			return nil, err
		}
		if sc.state.tables[p[0]] == nil && c.IfExists {
			continue
		}
		if _, _, err := s.table(p[0], Admin); err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	err = sc.db.update(func(state *state) error {
		moved := make([]*table, len(pairs))
		for i, p := range pairs {
			t, err := state.editTable(p[0])
			if err != nil {
				return err
			}
			moved[i] = t
		}
		for _, p := range pairs {
			delete(state.tables, p[0])
		}
		for i, p := range pairs {
			if kind, taken := state.taken(p[1]); taken {
				return alreadyExists(kind, p[1])
			}
			moved[i].name = p[1]
			state.tables[p[1]] = moved[i]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return tableList(sc.db)
}

// dropColumns drops columns with their data.
func dropColumns(s *session, c *command.DropColumns) (*rows, error) {
	sc, _, err := s.table(c.Table, Admin)
	if err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		t, err := state.editTable(c.Table)
		if err != nil {
			return err
		}
		for _, name := range c.Columns {
			i := t.column(name)
			if i < 0 {
				return notFound(CodeEntityNotFound, "Column", name)
			}
			t.columns = slices.Delete(slices.Clone(t.columns), i, i+1)
		}
		if len(t.columns) == 0 {
			return semantic("Table '%s' would have no columns", c.Table)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return schemaList(sc.db.name, []*table{sc.db.present.Load().tables[c.Table]}, jsonSchema)
}

// clearTable drops all rows.
func clearTable(s *session, c *command.ClearTable) (*rows, error) {
	sc, _, err := s.table(c.Name, Admin)
	if err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		t, err := state.editTable(c.Name)
		if err != nil {
			return err
		}
		t.extents = []*extent.Extent{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := &rows{columns: stringColumns("Status")}
	r.addText("Successfully cleared")
	return r, nil
}

// clearSchemaCache has nothing to clear: streams see the schema as it is. Its
// result names the node, as
// https://learn.microsoft.com/kusto/management/clear-schema-cache-command shows it.
func clearSchemaCache(s *session, c *command.ClearSchemaCache) (*rows, error) {
	var err error
	if c.Table != "" {
		_, _, err = s.table(c.Table, Ingestor)
	} else {
		_, err = s.scopeFor(Ingestor)
	}
	if err != nil {
		return nil, err
	}
	r := &rows{columns: stringColumns("NodeId", "Status")}
	r.addText("Node1", "Succeeded")
	return r, nil
}

// describeEntity sets the docstring or folder of a table, function or view.
func describeEntity(s *session, c *command.Describe) (*rows, error) {
	sc, a, err := s.entity(c.Scope, c.Name)
	if err != nil {
		return nil, err
	}
	if err := sc.of(string(c.Scope), c.Name, a).require(s.call.Principal, Admin); err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		var folder, doc *string
		switch c.Scope {
		case command.Table:
			t, err := state.editTable(c.Name)
			if err != nil {
				return err
			}
			folder, doc = &t.folder, &t.docString
		case command.Function:
			f, err := state.editFunction(c.Name)
			if err != nil {
				return err
			}
			folder, doc = &f.folder, &f.docString
		default:
			v, err := state.editView(c.Name)
			if err != nil {
				return err
			}
			folder, doc = &v.folder, &v.docString
		}
		if c.Folder {
			*folder = c.Text
		} else {
			*doc = c.Text
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch c.Scope {
	case command.Table:
		return schemaList(sc.db.name, []*table{sc.db.present.Load().tables[c.Name]}, jsonSchema)
	case command.Function:
		return functionRows([]*function{sc.db.present.Load().functions[c.Name]}), nil
	}
	return viewRows(s, []*view{sc.db.present.Load().views[c.Name]}), nil
}

// entity is the attributes of a table, function, view or database. For a
// database, the scope is that database.
func (s *session) entity(kind command.Scope, name string) (scope, *attributes, error) {
	if kind == command.Database {
		d, err := s.e.databases.find(name)
		if err != nil {
			return scope{}, nil, err
		}
		sc := s.e.databases.scope(d)
		return sc, &sc.state.attributes, nil
	}
	sc, err := s.scope()
	if err != nil {
		return scope{}, nil, err
	}
	switch kind {
	case command.Table:
		t, err := sc.state.table(name)
		if err != nil {
			return scope{}, nil, err
		}
		return sc, &t.attributes, nil
	case command.Function:
		if f, ok := sc.state.functions[name]; ok {
			return sc, &f.attributes, nil
		}
		return scope{}, nil, notFound(CodeEntityNotFound, "Function", name)
	}
	if v, ok := sc.state.views[name]; ok {
		return sc, &v.attributes, nil
	}
	return scope{}, nil, notFound(CodeEntityNotFound, "MaterializedView", name)
}

// editAttributes is for change, in the state that update gives.
func (s *state) editAttributes(kind command.Scope, name string) (*attributes, error) {
	switch kind {
	case command.Database:
		return &s.attributes, nil
	case command.Table:
		t, err := s.editTable(name)
		if err != nil {
			return nil, err
		}
		return &t.attributes, nil
	case command.Function:
		f, err := s.editFunction(name)
		if err != nil {
			return nil, err
		}
		return &f.attributes, nil
	}
	v, err := s.editView(name)
	if err != nil {
		return nil, err
	}
	return &v.attributes, nil
}

func (s *state) editFunction(name string) (*function, error) {
	f, ok := s.functions[name]
	if !ok {
		return nil, notFound(CodeEntityNotFound, "Function", name)
	}
	c := *f
	s.functions[name] = &c
	return &c, nil
}

func (s *state) editView(name string) (*view, error) {
	v, ok := s.views[name]
	if !ok {
		return nil, notFound(CodeEntityNotFound, "MaterializedView", name)
	}
	c := *v
	s.views[name] = &c
	return &c, nil
}

// dropEntities drops tables, functions or materialized views, all or none.
func dropEntities(s *session, c *command.DropEntities) (*rows, error) {
	sc, err := s.scope()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range c.Names {
		_, a, err := s.entity(c.Scope, name)
		if err != nil {
			if c.IfExists {
				continue
			}
			return nil, err
		}
		if err := sc.of(string(c.Scope), name, a).require(s.call.Principal, Admin); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	var functions []*function
	err = sc.db.update(func(state *state) error {
		for _, name := range names {
			if _, err := state.editAttributes(c.Scope, name); err != nil && !c.IfExists {
				return err
			}
			switch c.Scope {
			case command.Table:
				delete(state.tables, name)
			case command.Function:
				if f := state.functions[name]; f != nil {
					functions = append(functions, f)
				}
				delete(state.functions, name)
			default:
				delete(state.views, name)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case c.Scope == command.Table:
		return tableList(sc.db)
	case c.Scope == command.Function:
		return functionRows(functions), nil
	}
	return viewRows(s, sortedViews(sc.db.present.Load())), nil
}
