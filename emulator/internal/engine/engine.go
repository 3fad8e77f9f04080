package engine

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Options configures an Engine. The zero value works.
type Options struct {
	// Now is the clock of now(), ingestion times and logs; nil is time.Now.
	Now func() time.Time
	// Dir is where the data of extents may lie once they outgrow MemoryLimit;
	// "" keeps everything in memory. The engine writes below it and removes
	// what it wrote when it is closed.
	Dir string
	// MemoryLimit is how many compressed bytes of extents stay in memory
	// before newer ones go to Dir; 0 is 64 MiB.
	MemoryLimit int64
	// Admins may do everything in every database.
	Admins []Principal
	// ClusterURI is what .show cluster and the like name.
	ClusterURI string
	// Eventhouse makes it an Eventhouse of Fabric: commands that are documented for
	// Azure Data Explorer only are refused, and tables take streams by default.
	Eventhouse bool
	// NoMerge keeps small extents separate, regardless of the tables' policies.
	NoMerge bool
	// TagRace lets two concurrent loads with the same ingestIfNotExists tag
	// both pass, as the service may: the tag is looked for when a load begins
	// and not again when it commits.
	TagRace bool
}

// Engine holds databases and answers queries and commands. All its methods
// may be called from several goroutines at once.
type Engine struct {
	o        Options
	store    *extent.Store
	ctx      context.Context // of commands in the background
	stop     context.CancelFunc
	running  sync.WaitGroup // commands in the background
	log      journal
	commands commands

	mu        sync.Mutex
	closed    bool
	databases map[string]*database
	columnID  uint64
	stats     Stats
}

// New is an engine without databases.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Engine{
		o: o, ctx: ctx, stop: stop, databases: map[string]*database{},
		store: extent.NewStore(o.Dir, o.MemoryLimit), commands: newCommands(),
		stats: Stats{Commands: map[string]int64{}},
	}
}

// Close waits for the commands that run in the background, ending them, and
// removes the engine's files.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stop()
	e.running.Wait()
	return e.store.Close()
}

// background runs f on a goroutine that Close ends and waits for. It is false
// when the engine is closed.
func (e *Engine) background(f func(context.Context)) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.running.Go(func() { f(e.ctx) })
	return true
}

// CreateDatabase creates an empty database. It keeps an existing one.
func (e *Engine) CreateDatabase(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, there := e.databases[name]; !there {
		e.databases[name] = newDatabase(name, e.now())
	}
}

func (e *Engine) now() time.Time { return e.o.Now().UTC() }

// database finds a database by its name, whose case does not matter.
func (e *Engine) database(name string) (*database, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d, ok := e.databases[name]; ok {
		return d, nil
	}
	for n, d := range e.databases {
		if equalFold(n, name) {
			return d, nil
		}
	}
	err := notFound(CodeDatabaseNotFound, "Database", name)
	if name == "" {
		err.Message = invalid + "The request names no database."
	}
	return nil, err
}

func (e *Engine) sortedDatabases() []*database {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.SortedFunc(maps.Values(e.databases), func(a, b *database) int { return cmp.Compare(a.name, b.name) })
}

// newColumns gives columns IDs that no column had before.
func (e *Engine) newColumns(columns []value.Column) []extent.Column {
	e.mu.Lock()
	defer e.mu.Unlock()
	made := make([]extent.Column, len(columns))
	for i, c := range columns {
		e.columnID++
		made[i] = extent.Column{ID: e.columnID, Name: c.Name, Kind: c.Kind}
	}
	return made
}

// TableColumns are the columns of a table, in order.
func (e *Engine) TableColumns(db, table string) ([]value.Column, error) {
	d, err := e.database(db)
	if err != nil {
		return nil, err
	}
	t, err := d.present.Load().table(table)
	if err != nil {
		return nil, err
	}
	return t.schema(), nil
}

// Stats is what an Engine was asked since it was made.
type Stats struct {
	Queries      int64            // calls of Query
	Commands     map[string]int64 // calls of Command by keyword: ".create-merge table"
	RowsIngested int64            // rows that extents were made of, update policies included
	RowsScanned  int64            // rows that tables yielded for queries
}

// Stats counts what the engine was asked.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.Commands = maps.Clone(s.Commands)
	return s
}

func (e *Engine) count(change func(s *Stats)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change(&e.stats)
}

// isContext says whether err only means that the caller went away.
func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
