package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"golang.org/x/sync/errgroup"
)

// PlannedTable is what a run of a table would do, if it began now.
type PlannedTable struct {
	Table      tvmexport.Table
	Run        tvmexport.Run   // its kind and window; the id is not that of the run to come
	FullReason string          // why a Snapshot is fetched completely; "" where it is not
	Finishes   tvmexport.RunID // a publication that an earlier run began and that is finished first; "" if none

	TableRows int64 // that readers see now

	Held    int64 // rows at the source that were counted
	Rows    int64 // to be fetched
	Resumed int64 // landed by an earlier run, to be taken over
	Parts   int   // of a Snapshot, compared
	Changed int   // parts to be fetched

	Slices int
	Calls  int   // to the source: schema, counts, slices
	Chain  int   // calls that wait for one another; a call for several tables is in the chain of each
	Ahead  int   // of the chain, those before the table has to wait for others
	Bytes  int64 // of source JSON
	Steps  int   // commands that publish

	RowBytes float64 // by which bytes are reckoned
	Learned  bool    // RowBytes is what earlier runs fetched, not a sample
	Spent    int     // calls that the plan itself has made
	Notes    []string
	Err      error // why nothing can be planned
}

// Plan says what Run would do with the same request, by the same counts and
// the same cut. It writes nothing and takes no lease. Where nothing is known of
// the size of rows it asks for a sample of them, by one call for all tables if the
// source is a RowSizer, and else by one call for each.
func (e *Exporter) Plan(ctx context.Context, req Request) ([]PlannedTable, error) {
	orders, err := e.orders(ctx)
	if err != nil {
		return nil, err
	}
	if orders, err = req.choose(orders); err != nil {
		return nil, err
	}
	v := &invocation{
		exporter: e, owner: e.Owner + " " + newID(), request: req, orders: orders,
		results: make([]Result, len(orders)),
	}
	for i, o := range orders {
		v.results[i].Table, v.results[i].Err = v.exporter.table(ctx, o)
	}
	v.fail(checkTables(ctx, v.exporter.Destination, v.healthy()))
	v.leased = v.healthy() // which it does not lease: past is asked about them
	var history map[string]tvmexport.History
	var left map[string][]tvmexport.OrphanedBatch
	if len(v.leased) > 0 {
		if history, left, err = v.history(ctx); err != nil {
			return nil, err
		}
		var failed map[string]error
		if v.schemas, failed, err = v.exporter.schemasOf(ctx, v.leased); err != nil {
			return nil, err
		}
		v.fail(failed, nil)
	}
	defer func() {
		for _, t := range v.leased {
			e.release(t.Name)
		}
	}()
	out := make([]PlannedTable, len(orders))
	counts := e.newCountQueue(ctx, func(_ context.Context, call func()) error { call(); return nil })
	for _, t := range v.healthy() {
		if !slowlyCounted(history[t.Name], e.lists(t.Name)) {
			counts.expect(t.Name)
		}
	}
	var g errgroup.Group // without a limit: the source bounds its calls, and tables that are counted together come together
	planned := make([]*plannedRun, len(orders))
	for i := range out {
		r, name := &v.results[i], v.results[i].Table.Name
		g.Go(func() error {
			defer counts.arrive(name)
			if r.Err == nil {
				s := &dryRun{source: v.exporter.source, counts: counts, destination: v.exporter.Destination}
				planned[i], r.Err = v.planAhead(ctx, r, s, v.opening(i, history[name], left[name]))
			}
			return nil
		})
	}
	_ = g.Wait() // every error is in its table
	v.exporter.sampleAll(ctx, planned)
	for i, p := range planned {
		r := &v.results[i]
		if p != nil {
			g.Go(func() error {
				out[i], r.Err = v.estimate(ctx, r, p)
				return nil
			})
		}
	}
	_ = g.Wait()
	for i, r := range v.results {
		out[i].Table, out[i].Err = r.Table, r.Err
		out[i].Notes = append(orderNotes(orders[i]), out[i].Notes...)
	}
	e.addSchemaCall(out, v.leased)
	return out, nil
}

// addSchemaCall adds the call that asks Source for the schemas of its tables. It counts
// for the first of them, and all wait for it.
func (e *Exporter) addSchemaCall(out []PlannedTable, leased []tvmexport.Table) {
	common := func(t tvmexport.Table) bool {
		_, own := e.Sources[t.Name]
		return !own
	}
	first := slices.IndexFunc(leased, common)
	if first < 0 {
		return
	}
	for i := range out {
		p := &out[i]
		if p.Table.Name == leased[first].Name {
			p.Calls, p.Spent = p.Calls+1, p.Spent+1
		}
		if common(p.Table) {
			p.Chain, p.Ahead = p.Chain+1, p.Ahead+1
		}
	}
}

// EstimateDuration is about how long a run would take whose calls take so long each, and
// all together, by the source's quota, so long; and whose rows are there and
// published so long after the last answer of their table. Tables are planned side
// by side. A table keeps its place among the few that are fetched at once until it
// is committed.
func (e *Exporter) EstimateDuration(tables []PlannedTable, each, quota, landing time.Duration) time.Duration {
	places := make([]time.Duration, cmp.Or(e.Tables, defaultTables))
	calls := time.Duration(cmp.Or(e.Calls, defaultCalls))
	end, ahead := quota, time.Duration(0)
	for _, p := range tables {
		if p.Err != nil {
			continue
		}
		ahead = max(ahead, time.Duration(p.Ahead)*each)
		took := time.Duration(p.Chain-p.Ahead)*each + time.Duration(max(p.Calls-p.Chain, 0))*each/calls
		if p.Rows > 0 {
			took += landing
			end = quota + landing
		}
		i := slices.Index(places, slices.Min(places))
		places[i] += took
	}
	return max(end, ahead+slices.Max(places))
}

// plannedRun is a table whose rows are counted and whose slices are not cut yet.
type plannedRun struct {
	steps    *dryRun
	plan     Plan
	stage    stage
	run      planned
	history  tvmexport.History
	finishes tvmexport.RunID
	notes    []string
	learned  bool
	sample   tvmexport.Slice // some rows, to measure them; none if their size is known
}

// planAhead does what a run would do until the slices are cut.
func (v *invocation) planAhead(ctx context.Context, r *Result, s *dryRun, o Opening) (*plannedRun, error) {
	out := &plannedRun{steps: s}
	h := o.History
	if err := o.Settings.sameTenant(r.Table, h); err != nil {
		return nil, err
	}
	if p := h.Publishing; p != nil {
		p.Run.Table = tableOfPublication(*p, r.Table)
		out.finishes = p.Run.ID
		h = historyAfter(h, *p)
	}
	out.history, o.History = h, h
	known, seen := r.Table, o.seen()
	for shifts, calls := 0, 0; ; shifts++ {
		r.Table = known
		err := out.planOnce(ctx, r, &o, seen)
		if found, ok := countedColumns(err); ok && shifts < schemaRestarts {
			seen, calls = found, calls+out.stage.progress.Calls
			continue
		}
		if err != nil {
			return nil, err
		}
		out.stage.progress.Calls += calls
		break
	}
	plan, planned := out.plan, out.run
	if slices.ContainsFunc(planned.units, func(p planUnit) bool { return !p.Unit.IsZero() && p.Unit.Rows == tvmexport.Missing }) {
		out.notes = append(out.notes, "the source does not say how many rows its units have: rows and bytes are not known before the run")
	}
	s.envelope = envelopeBytes(r.Table)
	s.size, out.learned = plan.RowBytes, plan.RowBytes > 0
	if full := min(planned.budget(plan.RowBytes), plan.Last); out.learned && full > 0 {
		// What was learned holds its share of the envelopes.
		s.size = max(s.size-float64(s.envelope)/float64(full), 1)
	}
	if !out.learned {
		s.size = planned.sizeOrDefault(0)
		if !plan.Lists && planned.total > 0 {
			out.sample, _ = sampleOf(r.Table, planned.units)
		}
	}
	return out, nil
}

// planOnce plans a table by a schema of the source.
func (w *plannedRun) planOnce(ctx context.Context, r *Result, o *Opening, seen sighting) (err error) {
	seen, w.notes, err = reconcile(r, o.History, seen)
	if err != nil {
		return err
	}
	if w.plan, err = o.Settings.plan(newRunID(), r.Table, o.Order, o.History); err != nil {
		return err
	}
	see(&w.plan, seen)
	w.plan.reuseOrphans(o.Orphans, o.Settings.Resume)
	w.stage = newStage(w.steps, &tvmexport.Hooks{}, w.plan, time.Now)
	w.run, err = planRun(ctx, w.stage, w.plan)
	return err
}

// estimate is what a run would do.
func (v *invocation) estimate(ctx context.Context, r *Result, w *plannedRun) (PlannedTable, error) {
	out := PlannedTable{Finishes: w.finishes, Learned: w.learned}
	s, plan, st, planned, notes := w.steps, w.plan, w.stage, w.run, w.notes
	if w.sample.Rows > 0 {
		var err error
		if s.size, err = s.sample(ctx, r.Table, w.sample); err != nil {
			return out, err
		}
	}
	have, err := newFetcher(st, planned).fetch(ctx, landed{reused: planned.reused}, planned.open(), nil)
	if err != nil {
		return out, err
	}
	p := *st.progress
	if !slowlyCounted(w.history, v.exporter.lists(r.Table.Name)) {
		out.Ahead = s.asked
	}
	out.Chain = s.asked + min(p.Slices, 1)
	out.Run, out.FullReason, out.Parts, out.Changed = planned.Run, p.FullReason, p.Parts, p.Changed
	out.TableRows = w.history.TableRows
	out.Held, out.Rows, out.Resumed = planned.held, planned.total, p.Resumed
	out.Slices, out.Calls, out.Bytes = p.Slices, p.Calls, p.Bytes
	if _, known := v.exporter.describe(r.Table.Name); !known {
		out.Calls++ // its columns were asked for before anything else
		out.Chain++
		s.calls++
	}
	if plan.Consistent && r.Table.LoadType == tvmexport.Snapshot {
		out.Calls++ // the count that shows that the table stood still
		out.Chain++
		notes = append(notes, "consistency is table: partitions that change while the table is read cost further calls")
	}
	if !out.Learned && p.Slices > 1 {
		out.Chain++ // the size of rows is learned from the first answer
	}
	steps, _ := publicationSteps(have.all(), allOf(have.all()), r.Table, plan.StepBytes)
	out.Steps, out.RowBytes, out.Spent = len(steps), s.size, s.calls
	out.Notes = append(append(notes, p.Notes...), legacyNotes(w.history.Legacy, r.Table)...)
	return out, nil
}

// allOf takes every late row for one that readers lack: the most that may come.
func allOf(batches []tvmexport.BatchInfo) map[tvmexport.BatchID]int64 {
	out := make(map[tvmexport.BatchID]int64, len(batches))
	for _, b := range batches {
		out[b.ID] = b.Rows
	}
	return out
}

// envelopeBytes estimates the size of an answer without its rows: its schema and
// the row that carries the count.
func envelopeBytes(t tvmexport.Table) int64 {
	n := int64(300)
	for _, c := range t.Columns {
		n += int64(len(c.Name)) + 36
	}
	return n
}
