package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/store"
)

// control is the folder of what the exporter itself keeps:
//
//	lake.json                        the stored shape, the tenant
//	runs/<Table>/<ordinal>.json      what a run publishes, and its commit
//	landing/<Table>/<run>/           batches that wait, with a description each
//	leases/<Table>.json              who exports the table
//	invocations/<digest>.json        what an invocation holds, used, and said at its end
//	locks/<digest>                   a lock that ends with the process of the invocation
const control = "_tvmexport"

// dataFolder is the folder of a table's files, next to its log.
const dataFolder = "data"

// Shape is the number of the stored shape that this program writes, and the highest
// that it understands.
const Shape = 1

// mostControl limits the bytes of a file below control.
const mostControl = 256 << 20

// folder is what the parts of a Client share.
type folder struct {
	store     store.Store
	retention time.Duration
	version   string
	log       *slog.Logger

	mu        sync.Mutex
	snapshots map[string]*delta.Snapshot // the newest that is known, by table
}

func newFolder(o Options) *folder {
	return &folder{store: o.Store, retention: o.Retention, version: o.Version, log: o.Logger, snapshots: map[string]*delta.Snapshot{}}
}

// table is a Delta table of the folder.
func (f *folder) table(name string) *delta.Table {
	return delta.Open(f.store, name, delta.Options{Engine: "tvmexport/" + f.version})
}

// snapshot is the newest state of a Delta table.
func (f *folder) snapshot(ctx context.Context, name string) (*delta.Snapshot, error) {
	f.mu.Lock()
	known := f.snapshots[name]
	f.mu.Unlock()
	var s *delta.Snapshot
	var err error
	if known == nil {
		s, err = f.table(name).Snapshot(ctx)
	} else {
		s, err = f.table(name).Update(ctx, known)
	}
	if err != nil {
		return nil, err
	}
	f.keep(name, s)
	return s, nil
}

// keep remembers a snapshot.
func (f *folder) keep(name string, s *delta.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.snapshots[name] = s
}

// read reads a file below control; ok is false if it does not exist.
func (f *folder) read(ctx context.Context, name string, into any) (etag string, ok bool, err error) {
	text, info, err := store.ReadAll(ctx, f.store, name, mostControl)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return "", false, f.fail("read", name, "", fmt.Errorf("%d bytes are not the description that tvmexport writes: %w", len(text), err))
	}
	return info.ETag, true, nil
}

// write writes a file below control.
func (f *folder) write(ctx context.Context, name string, value any, c store.Condition) error {
	text, err := json.Marshal(value)
	if err != nil {
		return f.fail("write", name, "", err)
	}
	_, err = f.store.Put(ctx, name, text, c)
	return err
}

// raced says that another process wrote a file first.
func raced(err error) bool {
	return errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrChanged)
}

// fail is an error on a file that a repetition does not resolve.
func (f *folder) fail(op, name, table string, err error) error {
	return &tvmexport.Error{Op: op + " " + f.store.Location(name), Table: table, Action: tvmexport.Stop, Err: err}
}

// now is the time by the clock of the store, to the tick.
func (f *folder) now(ctx context.Context) (time.Time, error) {
	t, err := f.store.Now(ctx)
	return t.UTC().Truncate(tvmexport.Tick), err
}

// about is the content of lake.json.
type about struct {
	Shape   int    `json:"shape"`
	Version string `json:"version"` // that first wrote the shape
	Tenant  string `json:"tenant,omitempty"`
}

const aboutName = control + "/lake.json"

// understood reads lake.json. A higher shape than this program understands is an error.
func (f *folder) understood(ctx context.Context, op, table string) (about, error) {
	var a about
	if _, _, err := f.read(ctx, aboutName, &a); err != nil {
		return a, err
	}
	return a, tvmexport.StoredShape{Number: a.Shape, Version: a.Version}.Beyond(op, table, Shape)
}

// describe writes lake.json, if it lacks the shape or the tenant.
func (f *folder) describe(ctx context.Context, tenant string) error {
	for {
		var a about
		etag, ok, err := f.read(ctx, aboutName, &a)
		if err != nil || ok && a.Shape >= Shape && (a.Tenant != "" || tenant == "") {
			return err
		}
		condition := store.IfAbsent()
		if ok {
			condition = store.IfMatch(etag)
		}
		if a.Shape < Shape {
			a.Shape, a.Version = Shape, f.version
		}
		if a.Tenant == "" {
			a.Tenant = tenant
		}
		if err := f.write(ctx, aboutName, a, condition); !raced(err) {
			return err
		}
	}
}

func controlName(parts ...string) string { return path.Join(append([]string{control}, parts...)...) }

// checkName refuses a table whose name cannot be the name of a folder.
func checkName(op, table string) error {
	if err := tvmexport.CheckIdentifier("table", table); err != nil {
		return &tvmexport.Error{Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: err}
	}
	return nil
}
