package engine

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// database is a name and the state that it is in now.
type database struct {
	name    string
	id      uuid.UUID
	created time.Time
	commit  sync.Mutex // held while a new state is made of the present one
	present atomic.Pointer[state]
}

// state is what a database holds at one moment. It and all that it refers to
// is never changed; a change makes copies of what it touches.
type state struct {
	attributes // of the database itself
	prettyName string
	version    int
	tables     map[string]*table
	functions  map[string]*function
	views      map[string]*view
	groups     map[string][]string // the entities of entity groups, as queries refer to them
}

// attributes are what databases, tables, functions and views have in common.
type attributes struct {
	policies   map[string]string // JSON by the policy's name
	mappings   map[mappingKey]mapping
	principals []assignment
}

type table struct {
	attributes
	id                uuid.UUID
	name              string
	folder, docString string
	hidden            bool
	columns           []extent.Column
	extents           []*extent.Extent
}

type function struct {
	attributes
	name              string
	parameters, body  string // with parentheses, without braces
	folder, docString string
	view              bool
	skipValidation    bool
}

type view struct {
	attributes
	name              string
	source, query     string
	folder, docString string
	enabled           bool
	autoUpdateSchema  bool
	since             time.Time
	from              time.Time // ingestion time of the first rows of the source that count; zero: all count
}

func newDatabase(name string, now time.Time) *database {
	d := &database{name: name, id: uuid.New(), created: now}
	d.present.Store(&state{
		tables: map[string]*table{}, functions: map[string]*function{}, views: map[string]*view{}, groups: map[string][]string{},
	})
	return d
}

// itemID is the GUID of the database item with that name in Fabric, the same in every
// emulator.
func itemID(name string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("tvmexport emulator:kqlDatabases/"+name))
}

// newItem makes the database of an item in Fabric, by the name that people see.
func newItem(name string, now time.Time) *database {
	id := itemID(name)
	d := newDatabase(id.String(), now)
	d.id = id
	s := *d.present.Load()
	s.prettyName = name
	d.present.Store(&s)
	return d
}

// update puts a changed copy of the present state in its place, or keeps the
// present one if change fails. There is one update at a time.
func (d *database) update(change func(s *state) error) error {
	d.commit.Lock()
	defer d.commit.Unlock()
	s := *d.present.Load()
	s.version++
	s.tables, s.functions, s.views, s.groups = maps.Clone(s.tables), maps.Clone(s.functions), maps.Clone(s.views), maps.Clone(s.groups)
	if err := change(&s); err != nil {
		return err
	}
	d.present.Store(&s)
	return nil
}

// table is a copy of the table for change, already in its place. Only for the
// state that update gives.
func (s *state) editTable(name string) (*table, error) {
	t, ok := s.tables[name]
	if !ok {
		return nil, notFound(CodeTableNotFound, "Table", name)
	}
	c := *t
	s.tables[name] = &c
	return &c, nil
}

func (s *state) table(name string) (*table, error) {
	if t, ok := s.tables[name]; ok {
		return t, nil
	}
	return nil, notFound(CodeTableNotFound, "Table", name)
}

func (s *state) sortedTables() []*table {
	return slices.SortedFunc(maps.Values(s.tables), func(a, b *table) int { return compareNames(a.name, b.name) })
}

// taken says whether a name belongs to an entity that can be named in a query.
func (s *state) taken(name string) (kind string, taken bool) {
	switch {
	case s.tables[name] != nil:
		return "Table", true
	case s.functions[name] != nil:
		return "Function", true
	case s.views[name] != nil:
		return "MaterializedView", true
	}
	return "", false
}

func compareNames(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// schema is the columns by name and kind.
func (t *table) schema() []value.Column {
	columns := make([]value.Column, len(t.columns))
	for i, c := range t.columns {
		columns[i] = value.Column{Name: c.Name, Kind: c.Kind}
	}
	return columns
}

// addExtents is only for a table that editTable gave.
func (t *table) addExtents(extents []*extent.Extent) {
	t.extents = append(slices.Clip(t.extents), extents...)
}

func (t *table) hasIngestBy(keys []string) bool {
	for _, x := range t.extents {
		for _, k := range keys {
			if x.HasTag(ingestBy + k) {
				return true
			}
		}
	}
	return false
}

func (t *table) rowCount() int64 {
	var n int64
	for _, x := range t.extents {
		n += x.RowCount() - x.DeletedRowCount()
	}
	return n
}

func (a *attributes) setPolicy(name, json string) {
	a.policies = maps.Clone(a.policies)
	if a.policies == nil {
		a.policies = map[string]string{}
	}
	if json == "" {
		delete(a.policies, name)
		return
	}
	a.policies[name] = json
}

func (a *attributes) setMapping(k mappingKey, m mapping, there bool) {
	a.mappings = maps.Clone(a.mappings)
	if a.mappings == nil {
		a.mappings = map[mappingKey]mapping{}
	}
	if !there {
		delete(a.mappings, k)
		return
	}
	a.mappings[k] = m
}
