package engine

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/tvmexport/tvmexport"
	"golang.org/x/sync/errgroup"
)

// invocation is one call of Run.
type invocation struct {
	exporter *Exporter
	owner    string
	request  Request
	orders   []tvmexport.Order
	results  []Result    // one for each order
	ended    []time.Time // when the run of each order ended; zero where none began

	usage   []tvmexport.QuotaUsage // that others have used of the source's quota
	unknown error                  // why that is not known

	leased  []tvmexport.Table
	schemas map[string][]tvmexport.Column // of the leased tables, if the source returns them
	earlier []tvmexport.InvocationEnd     // invocations whose audit rows are missing
	grace   gracePeriod
}

// carryOut prepares the tables together, with few calls to the destination,
// and runs them side by side. Every error ends up in a result.
func (v *invocation) carryOut(ctx context.Context) {
	spent := v.spent() // before the first call to the source
	if tvmexport.CodeOf(spent) == tvmexport.NewerShape {
		v.fail(nil, spent)
		return
	}
	for i, o := range v.orders {
		if spent != nil {
			v.results[i].Table, v.results[i].Err = tvmexport.Table{Name: o.Table, Destination: o.Into, LoadType: o.Load, Watermark: o.Column}, spent
			continue
		}
		v.results[i].Table, v.results[i].Err = v.exporter.table(ctx, o)
	}
	v.fail(checkObjects(ctx, v.exporter.Destination, v.healthy()))
	v.fail(v.acquire(ctx))
	v.leased = v.healthy()
	if len(v.leased) == 0 {
		v.announce()
		return
	}
	ctx, stop := keepLease(ctx, v.exporter.Destination, v.lease, v.term())
	defer stop()
	history, left, err := v.history(ctx)
	var failed map[string]error
	if err == nil {
		v.schemas, failed, err = v.exporter.schemasOf(ctx, v.leased)
	}
	v.fail(failed, err)
	v.announce()
	v.runTables(ctx, history, left)
}

// spent lets the sources begin with what the destination remembers of the quota.
func (v *invocation) spent() error {
	if v.unknown == nil {
		v.exporter.beginQuota(v.usage)
	}
	return v.unknown
}

// begin reads the orders and, at the same time, what others have used of the quota.
// If that cannot be read, it is the tables that fail.
func (v *invocation) begin(ctx context.Context) (orders []tvmexport.Order, err error) {
	var g errgroup.Group
	if v.exporter.metered() {
		g.Go(func() error {
			v.usage, v.unknown = v.exporter.Destination.QuotaUsage(ctx, v.owner)
			return nil
		})
	}
	orders, err = v.exporter.orders(ctx)
	_ = g.Wait()
	return orders, err
}

// history is what the destination remembers of earlier invocations and of the tables.
func (v *invocation) history(ctx context.Context) (map[string]tvmexport.History, map[string][]tvmexport.OrphanedBatch, error) {
	var history map[string]tvmexport.History
	g, both := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		v.earlier, err = v.exporter.Destination.PendingAudits(both, v.owner)
		return err
	})
	g.Go(func() (err error) {
		history, err = v.exporter.Destination.History(both, v.leased)
		return err
	})
	err := g.Wait()
	if err != nil || v.exporter.Resume <= 0 {
		return history, nil, err
	}
	left, err := v.exporter.Destination.OrphanedBatches(ctx, v.leased, history, time.Now().Add(-v.exporter.Resume))
	return history, left, err
}

// fail notes the tables that a check has failed; an error fails all others.
func (v *invocation) fail(failed map[string]error, err error) {
	for i := range v.results {
		r := &v.results[i]
		if r.Err == nil {
			r.Err = cmp.Or(err, failed[r.Table.Name])
		}
	}
}

// newer is the error of a table which says that a newer program has written to the
// destination. Nothing more is written then: the leases expire, and the next
// invocation of the newer program writes the audit.
func (v *invocation) newer() error {
	for _, r := range v.results {
		if tvmexport.CodeOf(r.Err) == tvmexport.NewerShape {
			return r.Err
		}
	}
	return nil
}

// healthy are the tables that nothing has failed so far.
func (v *invocation) healthy() []tvmexport.Table {
	var out []tvmexport.Table
	for _, r := range v.results {
		if r.Err == nil {
			out = append(out, r.Table)
		}
	}
	return out
}

func (v *invocation) term() time.Duration { return cmp.Or(v.exporter.Term, defaultTerm) }

// lease is the invocation's claim as it is now.
func (v *invocation) lease() tvmexport.Lease {
	return tvmexport.Lease{Owner: v.owner, Tables: v.leased, Term: v.term(), QuotaUsage: v.exporter.quotaUsage()}
}

func (v *invocation) acquire(ctx context.Context) (map[string]error, error) {
	l := v.lease()
	if l.Tables = v.healthy(); len(l.Tables) == 0 {
		return nil, nil
	}
	held, err := v.exporter.Destination.Acquire(ctx, l)
	if err != nil {
		return nil, err
	}
	failed := make(map[string]error, len(held))
	for table, by := range held {
		failed[table] = heldError(table, by)
	}
	return failed, nil
}

// announce tells of the tables that failed before their run began.
func (v *invocation) announce() {
	for i := range v.results {
		if v.results[i].Err != nil {
			v.failed(&v.results[i])
		}
	}
}

func (v *invocation) failed(r *Result) {
	if v.exporter.Advise != nil {
		r.Err = v.exporter.Advise(r.Err)
	}
	if v.exporter.Hooks.Failed != nil {
		v.exporter.Hooks.Failed(r.Table.Name, r.Run.ID, r.Err)
	}
}

// endedRun announces that the run of a table has ended.
func (v *invocation) endedRun(r *Result) {
	if v.exporter.Hooks.Ended != nil {
		v.exporter.Hooks.Ended(tvmexport.Ending{
			Table: r.Table.Name, Run: r.Run.ID, Rows: r.Rows, Err: r.Err,
			Effect: tvmexport.Effect{TableRows: r.TableRows, Growth: r.Growth, Took: r.Took},
		})
	}
}

// What an Exporter does at once.
const (
	defaultTables = 16 // the calls to the source have a limit of their own, and so have publishing commands
	defaultCalls  = 4
)

func (v *invocation) runTables(ctx context.Context, history map[string]tvmexport.History, left map[string][]tvmexport.OrphanedBatch) {
	eng := &engine{
		source: v.exporter.source, destination: v.exporter.Destination, compress: v.exporter.Compress, hooks: &v.exporter.Hooks,
		calls: make(chan struct{}, cmp.Or(v.exporter.Calls, defaultCalls)), patience: v.exporter.Patience, limits: v.exporter.limits(), owner: v.owner, grace: &v.grace,
	}
	eng.counts = v.exporter.newCountQueue(ctx, eng.call)
	for _, t := range v.healthy() {
		if h := history[t.Name]; h.Publishing == nil && !slowlyCounted(h, v.exporter.lists(t.Name)) {
			eng.counts.expect(t.Name)
		}
	}
	places := make(chan struct{}, cmp.Or(v.exporter.Tables, defaultTables))
	var g errgroup.Group // without a limit: tables are planned side by side, and places limits what follows
	for i := range v.results {
		r := &v.results[i]
		if r.Err != nil {
			continue
		}
		g.Go(func() error {
			p := &place{free: places}
			watch := &stopwatch{place: p, now: time.Now}
			watch.start()
			defer p.leave()
			defer eng.counts.arrive(r.Table.Name)
			defer v.exporter.release(r.Table.Name)
			t := &tableRun{
				Opening:      v.opening(i, history[r.Table.Name], left[r.Table.Name]),
				Surroundings: Surroundings{Now: time.Now, NewRun: newRunID, Hooks: &v.exporter.Hooks},
				steps:        timed{eng, watch}, place: p, watch: watch,
			}
			r.Err = t.run(ctx, r)
			v.ended[i] = time.Now()
			r.Took = watch.elapsed()
			if r.Err != nil {
				v.failed(r)
			}
			v.endedRun(r)
			return nil
		})
	}
	_ = g.Wait() // every error is in its result
}

// opening is what the run of a table begins with.
func (v *invocation) opening(i int, h tvmexport.History, left []tvmexport.OrphanedBatch) Opening {
	t := v.results[i].Table
	columns, told := v.schemas[t.Name]
	return Opening{Table: t, Order: v.orders[i], Settings: v.exporter.settings(v.request, t.Name), History: h, Orphans: left, Columns: columns, Told: told}
}

func (e *Exporter) limits() tvmexport.Limits { return cmp.Or(e.Limits, tvmexport.DocumentedLimits) }

// close ends the invocation at the destination, and earlier ones whose audit
// is missing. It takes place also when the run was interrupted.
func (v *invocation) close(ctx context.Context) error {
	if err := v.newer(); err != nil {
		return err
	}
	ctx, cancel := v.grace.context(ctx)
	defer cancel()
	c := tvmexport.InvocationEnd{Owner: v.owner, Tables: v.leased, QuotaUsage: v.lease().QuotaUsage}
	for i, r := range v.results {
		o := tvmexport.Outcome{Table: r.Table.Name, Into: v.orders[i].Into, Run: r.Run.ID, Err: v.exporter.audited(r.Err), Rows: r.Rows + r.Finished, At: v.ended[i], Took: r.Took}
		if o.At.IsZero() {
			o.At = time.Now()
		}
		if r.Err == nil {
			o.Watermark, o.Began = r.Run.Watermark, r.Run.StartedAt
		}
		c.Outcomes = append(c.Outcomes, o)
	}
	var err error
	for _, earlier := range v.earlier { // first: what they have told, this one does not tell again
		err = errors.Join(err, v.exporter.Destination.EndInvocation(ctx, earlier))
	}
	return errors.Join(v.exporter.Destination.EndInvocation(ctx, c), err)
}
