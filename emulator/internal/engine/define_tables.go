package engine

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// checkName refuses what cannot be an entity's name. See
// https://learn.microsoft.com/kusto/query/schema-entities/entity-names.
func checkName(kind, name string) error {
	bad := name == "" || len(name) > 1024 || strings.TrimSpace(name) != name ||
		kind == "Column" && (strings.HasPrefix(name, "__") || strings.HasSuffix(name, "__")) || // reserved
		strings.ContainsFunc(name, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-. ", r)
		})
	if bad {
		return semantic("%s name '%s' is not valid: names have letters, digits, underscores, spaces, dots and dashes, and up to 1,024 characters",
			kind, excerpt(name))
	}
	return nil
}

func checkColumns(table string, columns []value.Column) error {
	for i, c := range columns {
		if err := checkName("Column", c.Name); err != nil {
			return err
		}
		if slices.ContainsFunc(columns[:i], func(d value.Column) bool { return d.Name == c.Name }) {
			return semantic("Table '%s' has two columns named '%s'", table, c.Name)
		}
	}
	return nil
}

func alreadyExists(kind, name string) *Error {
	e := semantic("")
	e.Type = "Kusto.Data.Exceptions.EntityAlreadyExistsException"
	e.Message = invalid + "Entity '" + name + "' of kind '" + kind + "' already exists."
	return e
}

// defineTables is .create, .create-merge, .alter and .alter-merge table(s).
func defineTables(s *session, c *command.DefineTables) (*rows, error) {
	sc, err := s.scope()
	if err != nil {
		return nil, err
	}
	if err := checkProperties(c.With, "folder", "docstring", "hidden"); err != nil {
		return nil, err
	}
	for _, def := range c.Tables {
		if err := checkName("Table", def.Name); err != nil {
			return nil, err
		}
		if err := checkColumns(def.Name, def.Columns); err != nil {
			return nil, err
		}
		if err := mayDefine(s, sc, c.Verb, def.Name); err != nil {
			return nil, err
		}
	}
	err = sc.db.update(func(state *state) error {
		for _, def := range c.Tables {
			if err := defineTable(s, state, c, def); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	now := sc.db.present.Load()
	if len(c.Tables) == 1 {
		return schemaList(sc.db.name, []*table{now.tables[c.Tables[0].Name]}, jsonSchema)
	}
	r := &rows{columns: stringColumns("TableName", "DatabaseName", "Folder", "DocString")}
	for _, def := range c.Tables {
		if t := now.tables[def.Name]; t != nil {
			r.addText(t.name, sc.db.name, t.folder, t.docString)
		}
	}
	return r, nil
}

// mayDefine checks the role for one table: Database User to make it, Table
// Admin to change it.
func mayDefine(s *session, sc scope, verb command.Verb, name string) error {
	t, there := sc.state.tables[name]
	creates := verb == command.Create || verb == command.CreateMerge
	switch {
	case there && verb != command.Create:
		return sc.of("table", name, &t.attributes).require(s.call.Principal, Admin)
	case creates:
		return sc.require(s.call.Principal, User)
	}
	return notFound(CodeTableNotFound, "Table", name)
}

func defineTable(s *session, state *state, c *command.DefineTables, def command.TableDef) error {
	t, there := state.tables[def.Name]
	switch {
	case !there && (c.Verb == command.Alter || c.Verb == command.AlterMerge):
		return notFound(CodeTableNotFound, "Table", def.Name)
	case there && c.Verb == command.Create:
		return nil // as documented: success, and the table stays as it is
	case !there:
		if kind, taken := state.taken(def.Name); taken {
			return alreadyExists(kind, def.Name)
		}
		t = &table{id: newID(), name: def.Name, columns: s.e.databases.newColumns(def.Columns)}
		t.grant(creator(s.call.Principal))
	default:
		edited := *t
		t = &edited
		columns, err := mergeColumns(s, t, def.Columns, c.Verb == command.Alter)
		if err != nil {
			return err
		}
		t.columns = columns
	}
	if v, ok := c.With["folder"]; ok {
		t.folder = v
	}
	if v, ok := c.With["docstring"]; ok {
		t.docString = v
	}
	if v, ok := c.With["hidden"]; ok {
		t.hidden = truth(v)
	}
	state.tables[def.Name] = t
	return nil
}

// mergeColumns is the columns of t after wanted was merged in: new ones come
// last. With exactly, wanted is all that remains, in its order.
func mergeColumns(s *session, t *table, wanted []value.Column, exactly bool) ([]extent.Column, error) {
	var kept []extent.Column
	var news []value.Column
	for _, w := range wanted {
		i := t.column(w.Name)
		if i < 0 {
			news = append(news, w)
			continue
		}
		if have := t.columns[i].Kind; have != w.Kind {
			return nil, semantic("Column '%s' of table '%s' is of type %v and cannot become %v: its type cannot be changed",
				w.Name, t.name, have, w.Kind)
		}
		kept = append(kept, t.columns[i])
	}
	made := s.e.databases.newColumns(news)
	if !exactly {
		return append(slices.Clip(t.columns), made...), nil
	}
	all := append(kept, made...)
	slices.SortFunc(all, func(a, b extent.Column) int { return place(wanted, a.Name) - place(wanted, b.Name) })
	return all, nil
}

func place(columns []value.Column, name string) int {
	return slices.IndexFunc(columns, func(c value.Column) bool { return c.Name == name })
}

// checkProperties refuses properties that are not among the known ones.
func checkProperties(with command.Properties, known ...string) error {
	for name := range with {
		if !slices.Contains(known, name) {
			return badRequest("The property '%s' is not known here, or not supported by this emulator; known are: %s",
				name, strings.Join(known, ", "))
		}
	}
	return nil
}

// cloneTable is .create table T based-on S.
func cloneTable(s *session, c *command.CloneTable) (*rows, error) {
	sc, err := s.scopeFor(Admin)
	if err != nil {
		return nil, err
	}
	if err := checkProperties(c.With, "folder", "docstring", "hidden"); err != nil {
		return nil, err
	}
	if err := checkName("Table", c.Name); err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		source, err := state.table(c.Source)
		if err != nil {
			return err
		}
		if kind, taken := state.taken(c.Name); taken {
			if kind == "Table" && c.IfNotExists {
				return nil
			}
			return alreadyExists(kind, c.Name)
		}
		t := &table{
			id: newID(), name: c.Name, columns: s.e.databases.newColumns(source.schema()),
			folder: source.folder, docString: source.docString, hidden: truth(c.With["hidden"]),
		}
		t.policies = source.policies
		if v, ok := c.With["folder"]; ok {
			t.folder = v
		}
		if v, ok := c.With["docstring"]; ok {
			t.docString = v
		}
		if _, hidden := c.With["hidden"]; !hidden {
			t.hidden = false
		}
		t.grant(creator(s.call.Principal))
		state.tables[c.Name] = t
		return nil
	})
	if err != nil {
		return nil, err
	}
	return schemaList(sc.db.name, []*table{sc.db.present.Load().tables[c.Name]}, jsonSchema)
}
