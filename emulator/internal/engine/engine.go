package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Options configures an Engine. The zero value works.
type Options struct {
	// Now is the clock of now(), ingestion times and logs; nil is time.Now.
	Now func() time.Time
	// Disk is where the data of extents may lie once they outgrow MemoryLimit;
	// without Dir everything is kept in memory. The engine writes below it and removes
	// what it wrote when it is closed.
	Disk disk.Folder
	// MemoryLimit is how many compressed bytes of extents stay in memory
	// before newer ones go to Disk; 0 is 64 MiB.
	MemoryLimit int64
	// Admins may do everything in every database.
	Admins []Principal
	// ClusterURI is what .show cluster and the like name.
	ClusterURI string
	// Address finds a further address of the cluster by its host with its port: the URI, and
	// whether it does not answer now. nil: there is none.
	Address func(host string) (uri string, down, ok bool)
	// Eventhouse makes it an Eventhouse of Fabric: commands that are documented for
	// Azure Data Explorer only are refused, tables take streams by default, and the
	// engine's names of databases are GUIDs.
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
	o         Options
	databases *databases
	loader    *loader
	store     *extent.Store
	commands  commands
	log       *journal
	stats     *counts

	ctx     context.Context // of commands in the background
	stop    context.CancelFunc
	running sync.WaitGroup // commands in the background
	mu      sync.Mutex
	closed  bool
}

// New is an engine without databases.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	e := &Engine{
		o: o, ctx: ctx, stop: stop, store: extent.NewStore(o.Disk, o.MemoryLimit),
		commands: newCommands(), log: &journal{}, stats: newCounts(),
	}
	e.databases = &databases{o: o, now: e.now, byName: map[string]*database{}, byFold: map[string]*database{}}
	e.loader = &loader{o: o, now: e.now, databases: e.databases, store: e.store, log: e.log, stats: e.stats}
	return e
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

// CreateDatabase creates an empty database. It keeps an existing one. In an Eventhouse
// the name is the one that people see, and [Engine.DatabaseName] the engine's.
func (e *Engine) CreateDatabase(name string) { e.databases.create(name) }

// DatabaseName is the engine's name of a database: a GUID in an Eventhouse.
func (e *Engine) DatabaseName(name string) string { return e.databases.canonical(name) }

func (e *Engine) now() time.Time { return e.o.Now().UTC() }

// TableColumns are the columns of a table, in order.
func (e *Engine) TableColumns(db, table string) ([]value.Column, error) {
	_, t, err := e.databases.table(db, table)
	if err != nil {
		return nil, err
	}
	return t.schema(), nil
}

// isContext says whether err only means that the caller went away.
func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
