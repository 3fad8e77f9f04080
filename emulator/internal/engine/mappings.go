package engine

import (
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// mappingKey finds a mapping of a table or database. Names of mappings are
// case-sensitive; kinds are not.
type mappingKey struct{ kind, name string }

type mapping struct {
	text    string // as it was given
	updated time.Time
}

// mappingKinds are the kinds that .create ... mapping takes, and how results
// name them.
var mappingKinds = map[string]string{"json": "Json", "csv": "Csv"}

func keyOf(kind, name string) mappingKey { return mappingKey{strings.ToLower(kind), name} }

// kindOfFormat is the kind of mapping that a format uses.
func kindOfFormat(format string) string {
	switch f := strings.ToLower(format); f {
	case "json", "multijson", "singlejson":
		return "json"
	case "", "csv", "tsv", "tsve", "psv", "scsv", "sohsv", "txt":
		return "csv"
	default:
		return f
	}
}

// mappingRows has the columns of the pages on mappings.
func mappingRows() *rows {
	return &rows{columns: []value.Column{
		stringColumn("Name"), stringColumn("Kind"), stringColumn("Mapping"), timeColumn("LastUpdatedOn"),
		stringColumn("Database"), stringColumn("Table"),
	}}
}

func (r *rows) addMapping(k mappingKey, m mapping, db, table string) {
	r.add(value.NewString(k.name), value.NewString(mappingKinds[k.kind]), value.NewString(m.text), timeValue(m.updated),
		value.NewString(db), value.NewString(table))
}

// tableOf is the table's name where the scope is one.
func tableOf(scope command.Scope, name string) string {
	if scope == command.Table {
		return name
	}
	return ""
}

// defineMapping is .create, .create-or-alter and .alter ... ingestion mapping.
func defineMapping(s *session, c *command.DefineMapping) (*rows, error) {
	sc, a, err := s.entity(c.Scope, c.Entity)
	if err != nil {
		return nil, err
	}
	if err := sc.of(string(c.Scope), c.Entity, a).require(s.call.Principal, Ingestor); err != nil {
		return nil, err
	}
	if _, known := mappingKinds[strings.ToLower(c.Kind)]; !known {
		return nil, badRequest("Mappings of kind '%s' are not supported by this emulator: json and csv are", c.Kind)
	}
	if c.Name == "" {
		return nil, badRequest("A mapping needs a name")
	}
	if err := checkMapping(c.Kind, c.Name, c.Text); err != nil {
		return nil, err
	}
	k, m := keyOf(c.Kind, c.Name), mapping{c.Text, s.e.now()}
	err = sc.db.update(func(state *state) error {
		a, err := state.editAttributes(c.Scope, c.Entity)
		if err != nil {
			return err
		}
		_, there := a.mappings[k]
		switch {
		case there && c.Verb == command.Create:
			return alreadyExists("MappingPersistent", c.Name)
		case !there && c.Verb == command.Alter:
			return notFound(CodeEntityNotFound, "MappingPersistent", c.Name)
		}
		a.setMapping(k, m, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r := mappingRows()
	r.addMapping(k, m, sc.db.name, tableOf(c.Scope, c.Entity))
	return r, nil
}

// dropMapping is .drop ... ingestion mapping.
func dropMapping(s *session, c *command.DropMapping) (*rows, error) {
	sc, a, err := s.entity(c.Scope, c.Entity)
	if err != nil {
		return nil, err
	}
	if err := sc.of(string(c.Scope), c.Entity, a).require(s.call.Principal, Ingestor); err != nil {
		return nil, err
	}
	k := keyOf(c.Kind, c.Name)
	r := mappingRows()
	err = sc.db.update(func(state *state) error {
		a, err := state.editAttributes(c.Scope, c.Entity)
		if err != nil {
			return err
		}
		if _, there := a.mappings[k]; !there {
			return notFound(CodeEntityNotFound, "MappingPersistent", c.Name)
		}
		a.setMapping(k, mapping{}, false)
		for _, k := range sortedMappings(a.mappings) {
			r.addMapping(k, a.mappings[k], sc.db.name, tableOf(c.Scope, c.Entity))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// showMappings is .show ... ingestion [kind] mappings and mapping "name".
func showMappings(s *session, c *command.ShowMappings) (*rows, error) {
	entity := c.Entity
	if entity == "" {
		entity = s.call.Database
	}
	sc, a, err := s.entity(c.Scope, entity)
	if err != nil {
		return nil, err
	}
	if err := sc.of(string(c.Scope), entity, a).require(s.call.Principal, Monitor); err != nil {
		return nil, err
	}
	r := mappingRows()
	for _, k := range sortedMappings(a.mappings) {
		if (c.Kind == "" || equalFold(c.Kind, k.kind)) && (c.Name == "" || c.Name == k.name) {
			r.addMapping(k, a.mappings[k], sc.db.name, tableOf(c.Scope, entity))
		}
	}
	if c.Name != "" && len(r.rows) == 0 {
		return nil, notFound(CodeEntityNotFound, "MappingPersistent", c.Name)
	}
	return r, nil
}
