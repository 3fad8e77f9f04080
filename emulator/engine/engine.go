package engine

import (
	"context"
	"time"

	"github.com/tvmexport/tvmexport/emulator/kql"
	"github.com/tvmexport/tvmexport/emulator/kql/value"
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
	// NoMerge keeps small extents apart whatever the tables' policies say.
	NoMerge bool
	// TagRace lets two concurrent loads with the same ingestIfNotExists tag
	// both pass, as the service may: the tag is looked for when a load begins
	// and not again when it commits.
	TagRace bool
}

// Engine holds databases and answers queries and commands. All its methods
// may be called from several goroutines at once.
type Engine struct {
	o Options
}

// New is an engine without databases.
func New(o Options) *Engine { return &Engine{o: o} }

// Close waits for the commands that run in the background and removes the
// engine's files.
func (e *Engine) Close() error { return nil }

// CreateDatabase makes an empty database. One that is there already is kept.
func (e *Engine) CreateDatabase(name string) {}

// Query answers a query. The error is a *Error unless ctx ended.
func (e *Engine) Query(ctx context.Context, c Call) (*Result, error) { return nil, nil }

// Command does a management command, a text that begins with a dot. The error
// is a *Error unless ctx ended.
func (e *Engine) Command(ctx context.Context, c Call) (*Result, error) { return nil, nil }

// TableColumns are the columns of a table, in order.
func (e *Engine) TableColumns(db, table string) ([]value.Column, error) { return nil, nil }

// BatchingPolicy is the policy in force for a table: its own, else the
// database's, else the service's defaults.
func (e *Engine) BatchingPolicy(db, table string) BatchingPolicy { return BatchingPolicy{} }

// StreamingEnabled says whether the table, or else its database, has a
// streaming ingestion policy that is enabled.
func (e *Engine) StreamingEnabled(db, table string) bool { return false }

// Authorize says whether p holds role on the table, or on the database where
// table is "". The error is a *Error with CodeForbidden, or one that says
// that the database or table is missing.
func (e *Engine) Authorize(p Principal, db, table string, role Role) error { return nil }

// Catalog is what p can name in a query: a snapshot of the databases.
func (e *Engine) Catalog(db string, p Principal) kql.Catalog { return nil }

// Stats counts what the engine was asked.
func (e *Engine) Stats() Stats { return Stats{} }

// BatchingPolicy says when a batch of blobs is sealed. See
// https://learn.microsoft.com/kusto/management/batching-policy.
type BatchingPolicy struct {
	MaximumBatchingTimeSpan time.Duration // default 5 min
	MaximumNumberOfItems    int           // default 500
	MaximumRawDataSizeMB    int           // default 1024
}

// Stats is what an Engine was asked since it was made.
type Stats struct {
	Queries      int64            // calls of Query
	Commands     map[string]int64 // calls of Command by keyword: ".create-merge table"
	RowsIngested int64            // rows that extents were made of, update policies included
}
