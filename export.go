package tvmexport

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// Exporter brings tables forward. Fields are set before the first Run.
type Exporter struct {
	Source      Source
	Destination Destination
	Describe    func(table string) (Table, bool) // the catalogue; nil knows no table
	Compress    Compressor
	Hooks       Hooks

	Owner    string        // of leases: host and process
	Limits   Limits        // of one answer; zero is DocumentedLimits
	Lag      time.Duration // how far watermarks stay behind the source's clock
	Patience Patience
	Tables   int // tables at once; 0 is 3
	Calls    int // calls at once, over all tables; 0 is 4
}

// Request is what one invocation is asked for.
type Request struct {
	Tables []string  // by source name; empty: all active ones
	Full   bool      // everything, also where a table is loaded incrementally
	From   time.Time // lower end of the watermark window, instead of the last watermark
	To     time.Time // upper end, instead of the source's clock
}

// Report is how an invocation ended.
type Report struct {
	Started  time.Time
	Took     time.Duration
	Outcomes []Result // in the order of the configuration
}

// Result is how one table's run ended.
type Result struct {
	Table Table
	Progress
	Took time.Duration
	Err  error // nil: committed
}

// Run brings the requested tables forward. The error is of what concerns no
// single table: nothing was done then. What failed for a table is in its
// Result, and does not stop the others.
func (e *Exporter) Run(ctx context.Context, req Request) (Report, error) {
	started := time.Now()
	orders, err := e.Destination.Orders(ctx)
	if err != nil {
		return Report{}, err
	}
	orders, err = choose(orders, req.Tables)
	if err != nil {
		return Report{}, err
	}
	results, err := e.runAll(ctx, orders, req)
	if err != nil {
		return Report{}, err
	}
	err = e.close(ctx, results)
	return Report{Started: started, Took: time.Since(started), Outcomes: results}, err
}

// choose picks the orders to carry out: the named ones, or the active ones.
func choose(orders []Order, names []string) ([]Order, error) {
	if len(names) == 0 {
		active := slices.DeleteFunc(slices.Clone(orders), func(o Order) bool { return !o.Active })
		if len(active) == 0 {
			return nil, &Error{
				Op: "run", Cause: Usage, Err: errors.New("the configuration table names no active table"),
				Hint: "tvmexport init writes the default ones",
			}
		}
		return active, nil
	}
	var out []Order
	for _, name := range names {
		i := slices.IndexFunc(orders, func(o Order) bool { return o.Table == name })
		if i < 0 {
			return nil, &Error{
				Op: "run", Table: name, Cause: Usage, Err: errors.New("the configuration table has no row for it"),
				Hint: "tvmexport init --table " + name + " adds one",
			}
		}
		out = append(out, orders[i])
	}
	return out, nil
}

// runAll prepares the tables together, with few calls to the destination, and
// runs them side by side.
func (e *Exporter) runAll(ctx context.Context, orders []Order, req Request) ([]Result, error) {
	results := make([]Result, len(orders))
	for i, o := range orders {
		results[i].Table, results[i].Err = e.table(ctx, o)
	}
	if err := e.mark(results, func(tables []Table) (map[string]error, error) {
		return e.Destination.Ready(ctx, tables)
	}); err != nil {
		return nil, err
	}
	owner := e.Owner + " " + newID()
	if err := e.mark(results, func(tables []Table) (map[string]error, error) {
		return e.acquire(ctx, owner, tables)
	}); err != nil {
		return nil, err
	}
	tables := sound(results)
	if len(tables) == 0 {
		return results, nil
	}
	ctx, stop := keepLease(ctx, e.Destination, owner, tables)
	defer func() {
		stop()
		ctx, cancel := ending(ctx)
		defer cancel()
		_ = e.Destination.Release(ctx, owner, tables) // it expires by itself
	}()
	history, err := e.Destination.History(ctx, tables)
	if err != nil {
		return nil, err
	}
	e.runTables(ctx, results, orders, history, req)
	return results, nil
}

// mark asks check about all tables that are sound so far and keeps its errors.
func (e *Exporter) mark(results []Result, check func([]Table) (map[string]error, error)) error {
	tables := sound(results)
	if len(tables) == 0 {
		return nil
	}
	failed, err := check(tables)
	if err != nil {
		return err
	}
	for i := range results {
		if why, ok := failed[results[i].Table.Name]; ok && results[i].Err == nil {
			results[i].Err = why
		}
	}
	return nil
}

func sound(results []Result) []Table {
	var out []Table
	for _, r := range results {
		if r.Err == nil {
			out = append(out, r.Table)
		}
	}
	return out
}

func (e *Exporter) acquire(ctx context.Context, owner string, tables []Table) (map[string]error, error) {
	held, err := e.Destination.Acquire(ctx, owner, tables, leaseTerm)
	if err != nil {
		return nil, err
	}
	failed := make(map[string]error, len(held))
	for table, by := range held {
		failed[table] = heldError(table, by)
	}
	return failed, nil
}

// table makes the table of an order from the catalogue, or from the source's
// own schema where the catalogue does not know it.
func (e *Exporter) table(ctx context.Context, o Order) (Table, error) {
	t := Table{Name: o.Table, Destination: o.Into, LoadType: o.Load, Watermark: o.Column}
	if o.Err != nil {
		return t, o.Err
	}
	var known Table
	ok := false
	if e.Describe != nil {
		known, ok = e.Describe(o.Table)
	}
	if ok {
		t.Columns, t.Key, t.RowBytes = known.Columns, known.Key, known.RowBytes
	} else {
		columns, err := e.Source.Columns(ctx, o.Table)
		if err != nil {
			return t, err
		}
		t.Columns = columns
		if slices.Contains(columns, Column{Name: "DeviceId", Type: "string"}) {
			t.Key.Column = "DeviceId"
		}
	}
	if t.LoadType != Snapshot && t.Watermark == "" {
		t.Watermark = IngestionTime
	}
	return t, nil
}

func (e *Exporter) runTables(ctx context.Context, results []Result, orders []Order, history map[string]History, req Request) {
	eng := &engine{
		source: e.Source, destination: e.Destination, compress: e.Compress, hooks: &e.Hooks,
		calls: make(chan struct{}, cmp.Or(e.Calls, 4)), patience: e.Patience, limits: e.limits(),
	}
	var g errgroup.Group
	g.SetLimit(cmp.Or(e.Tables, 3))
	for i := range results {
		r := &results[i]
		if r.Err != nil {
			e.failed(r)
			continue
		}
		g.Go(func() error {
			start := time.Now()
			r.Err = e.runTable(ctx, eng, r, orders[i], history[r.Table.Name], req)
			r.Took = time.Since(start)
			if r.Err != nil {
				e.failed(r)
			}
			return nil
		})
	}
	_ = g.Wait() // every error is in its result
}

func (e *Exporter) limits() Limits {
	if e.Limits == (Limits{}) {
		return DocumentedLimits
	}
	return e.Limits
}

func (e *Exporter) failed(r *Result) {
	if e.Hooks.Failed != nil {
		e.Hooks.Failed(r.Table.Name, r.Run.ID, r.Err)
	}
}

// runTable finishes what an earlier run began to publish, then makes a run.
func (e *Exporter) runTable(ctx context.Context, s Steps, r *Result, o Order, h History, req Request) error {
	last := h.Last
	if p := h.Publishing; p != nil {
		p.Run.Table = r.Table
		var done Progress
		if err := finish(ctx, s, *p, &done, &e.Hooks); err != nil {
			return err
		}
		last = &Committed{ID: p.Run.ID, Previous: p.Run.Previous, Kind: p.Run.Kind, Watermark: p.Run.Watermark, Rows: p.Rows, Bytes: p.Bytes}
	}
	run, err := newRun(r.Table, o, last, h.Now, req)
	r.Run = run
	if err != nil {
		return err
	}
	if e.Hooks.Started != nil {
		e.Hooks.Started(run)
	}
	plan := Plan{Run: run, Limits: e.limits(), Known: h.Partitions, Lag: e.Lag, Until: req.To}
	if last != nil && last.Rows > 0 && last.Bytes > 0 {
		plan.Last, plan.RowBytes = last.Rows, float64(last.Bytes)/float64(last.Rows)
	}
	r.Progress, err = flow(ctx, s, plan, &e.Hooks)
	return err
}

// newRun decides what a run is: everything, or what the watermark has passed.
func newRun(t Table, o Order, last *Committed, now time.Time, req Request) (Run, error) {
	run := Run{ID: newRunID(), Table: t, Kind: FullRun, StartedAt: now}
	if last != nil {
		run.Previous = last.ID
	}
	if t.LoadType == Snapshot {
		return run, nil
	}
	if t.LoadType == FullThenIncr && last == nil || req.Full {
		return run, nil
	}
	run.Kind = DeltaRun
	run.Window.From = o.From
	if last != nil {
		run.Window.From = last.Watermark
	}
	if req.From.IsZero() {
		return run, nil
	}
	if last != nil && req.From.Before(last.Watermark) {
		return run, &Error{
			Op: "run", Table: t.Name, Cause: Usage,
			Err:  fmt.Errorf("--from %s lies before the watermark %s, up to which rows are published already", req.From.Format(time.RFC3339), last.Watermark.Format(time.RFC3339)),
			Hint: "leave --from out, or take --full to replace everything",
		}
	}
	run.Window.From = req.From
	return run, nil
}

// close writes audit rows and watermarks, also when the run was interrupted.
func (e *Exporter) close(ctx context.Context, results []Result) error {
	ctx, cancel := ending(ctx)
	defer cancel()
	outcomes := make([]Outcome, 0, len(results))
	for _, r := range results {
		outcomes = append(outcomes, Outcome{
			Table: r.Table, Run: r.Run.ID, Err: r.Err, Rows: r.Rows, Watermark: r.Run.Watermark, At: time.Now(),
		})
	}
	return e.Destination.Finish(ctx, outcomes)
}

// ending is time for what must still be said when ctx has ended.
func ending(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
}

func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func newRunID() RunID {
	return RunID(time.Now().UTC().Format("20060102T150405Z") + "-" + newID())
}
