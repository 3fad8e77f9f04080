package engine

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// databases are those of an engine, with who may do what in them and how queries
// see them. All methods may be called from several goroutines at once.
type databases struct {
	o   Options
	now func() time.Time // in UTC

	mu       sync.Mutex
	byName   map[string]*database
	byFold   map[string]*database // by name in lower case
	columnID uint64               // of the newest column
}

// create makes an empty database. It keeps an existing one. In an Eventhouse the
// engine's name of a database is a GUID, and name is the one that people see.
func (all *databases) create(name string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	d := newDatabase(name, all.now())
	if all.o.Eventhouse {
		d = newItem(name, all.now())
	}
	if _, there := all.byName[d.name]; !there {
		all.byName[d.name] = d
		all.byFold[strings.ToLower(d.name)] = d
	}
}

// canonical is the engine's name of a database, or name if there is none.
func (all *databases) canonical(name string) string {
	if d, err := all.find(name); err == nil {
		return d.name
	}
	return name
}

// find finds a database by its name, whose case does not matter, and in an Eventhouse
// also by the name that people see.
func (all *databases) find(name string) (*database, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if d, ok := all.byName[name]; ok {
		return d, nil
	}
	if d, ok := all.byFold[strings.ToLower(name)]; ok {
		return d, nil
	}
	if all.o.Eventhouse { // these names can change
		for _, d := range all.byName {
			if equalFold(d.present.Load().prettyName, name) {
				return d, nil
			}
		}
	}
	err := notFound(CodeDatabaseNotFound, "Database", name)
	if name == "" {
		err.Message = invalid + "The request names no database."
	}
	return nil, err
}

// table finds a table, and the state of its database.
func (all *databases) table(db, name string) (*state, *table, error) {
	d, err := all.find(db)
	if err != nil {
		return nil, nil, err
	}
	s := d.present.Load()
	t, err := s.table(name)
	return s, t, err
}

func (all *databases) sorted() []*database {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.SortedFunc(maps.Values(all.byName), func(a, b *database) int { return cmp.Compare(a.name, b.name) })
}

// newColumns gives columns IDs that no column had before.
func (all *databases) newColumns(columns []value.Column) []extent.Column {
	all.mu.Lock()
	defer all.mu.Unlock()
	made := make([]extent.Column, len(columns))
	for i, c := range columns {
		all.columnID++
		made[i] = extent.Column{ID: all.columnID, Name: c.Name, Kind: c.Kind}
	}
	return made
}
