package delta

import (
	"errors"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/store"
)

// Conditions that errors of a Table satisfy with errors.Is.
var (
	// ErrGone says that a version can no longer be read: its commits or files
	// were removed.
	ErrGone = errors.New("the version is not available any more")

	// ErrConflict says that a transaction does not fit the newest version.
	ErrConflict = errors.New("another writer changed the table")
)

// Table is a Delta table in a folder of a store. It is safe for concurrent use.
type Table struct {
	store  store.Store
	folder string
	opts   Options
}

// Options are how a table is written. The zero Options are the defaults.
type Options struct {
	// Engine names the program in each commit, such as "tvmexport/1.2.0".
	Engine string

	// CheckpointEvery is the number of commits between two checkpoints;
	// 0 is 10, less than 0 none.
	CheckpointEvery int64
}

// Open returns the table in a folder of a store; "" is the store itself. It reads nothing.
func Open(s store.Store, folder string, o Options) *Table {
	if o.CheckpointEvery == 0 {
		o.CheckpointEvery = 10
	}
	return &Table{store: s, folder: folder, opts: o}
}

// fail is an error on a file of the log that a repetition does not resolve.
func (t *Table) fail(op, name string, err error) error {
	return &tvmexport.Error{Op: op + " " + t.store.Location(name), Action: tvmexport.Stop, Err: err}
}
