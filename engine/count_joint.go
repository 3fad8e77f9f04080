package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

const (
	// jointLinger is how long a count waits for those of tables that have not asked
	// for theirs yet. They come within moments, or after something slow.
	jointLinger = 200 * time.Millisecond
	// jointRows bounds the rows that tables counted with one call are thought to have
	// together, and aloneRows those of a table that is counted by itself.
	jointRows = 1_000_000
	aloneRows = jointRows / 2
)

// countQueue joins the counts of tables into few calls, where the source can count
// several tables with one call. What is ready is sent together; a table that comes
// later than the others goes with the next call.
type countQueue struct {
	ctx   context.Context
	joint func(table string) (tvmexport.JointCounter, bool)
	send  func(ctx context.Context, call func()) error // makes a call when one is allowed

	mu      sync.Mutex
	coming  map[string]bool // tables that are about to ask for their first count
	waiting []*queuedCount
	linger  *time.Timer
}

type queuedCount struct {
	query  tvmexport.CountQuery
	source tvmexport.JointCounter
	result chan tvmexport.TableCounts // of one element
}

// expect notes that a table will ask for a count soon.
func (q *countQueue) expect(table string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.coming == nil {
		q.coming = map[string]bool{}
	}
	q.coming[table] = true
}

// arrive notes that nobody has to wait for the table any more.
func (q *countQueue) arrive(table string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.coming, table)
	if len(q.coming) == 0 {
		q.flush()
	}
}

// count asks for a count together with others. ok is false where the table is
// counted by itself.
func (q *countQueue) count(ctx context.Context, query tvmexport.CountQuery) (_ tvmexport.TableCounts, ok bool) {
	source, joint := q.joint(query.Table.Name)
	if !joint || query.Rows > aloneRows {
		q.arrive(query.Table.Name)
		return tvmexport.TableCounts{}, false
	}
	w := &queuedCount{query: query, source: source, result: make(chan tvmexport.TableCounts, 1)}
	q.mu.Lock()
	delete(q.coming, query.Table.Name)
	q.waiting = append(q.waiting, w)
	switch {
	case len(q.coming) == 0:
		q.flush()
	case q.linger == nil:
		q.linger = time.AfterFunc(jointLinger, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.flush()
		})
	}
	q.mu.Unlock()
	select {
	case r := <-w.result:
		return r, true
	case <-ctx.Done():
		return tvmexport.TableCounts{Err: context.Cause(ctx)}, true
	}
}

// flush sends what waits. The caller holds the lock.
func (q *countQueue) flush() {
	if q.linger != nil {
		q.linger.Stop()
		q.linger = nil
	}
	for _, group := range groupsOf(q.waiting) {
		go q.ask(group)
	}
	q.waiting = nil
}

// groupsOf divides counts into those that one call asks for.
func groupsOf(list []*queuedCount) [][]*queuedCount {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *queuedCount) int { return cmp.Compare(a.query.Rows, b.query.Rows) })
	var out [][]*queuedCount
	var rows int64
	for _, w := range list {
		last := len(out) - 1
		if last < 0 || rows+w.query.Rows > jointRows {
			out, rows = append(out, nil), 0
			last++
		}
		out[last] = append(out[last], w)
		rows += w.query.Rows
	}
	return out
}

// ask counts a group with one call.
func (q *countQueue) ask(group []*queuedCount) {
	list := make([]tvmexport.CountQuery, len(group))
	for i, w := range group {
		list[i] = w.query
	}
	var results []tvmexport.TableCounts
	err := q.send(q.ctx, func() { results = group[0].source.CountTables(q.ctx, list) })
	for i, w := range group {
		r := tvmexport.TableCounts{Err: err}
		if err == nil {
			r = checkedResult(results, i, w.query)
		}
		w.result <- r
	}
}

// checkedResult is one of the results of a joint count, if it is possible.
func checkedResult(results []tvmexport.TableCounts, i int, q tvmexport.CountQuery) tvmexport.TableCounts {
	if i >= len(results) {
		return tvmexport.TableCounts{Err: invalidCount(q, "the source returned no result for the table")}
	}
	r := results[i]
	if r.Err == nil {
		if why := impossible(r.Counts, q); why != "" {
			r.Err = invalidCount(q, why)
		}
	}
	return r
}

// countAll counts tables with as few calls as their source allows. Err of each
// result is about its table alone.
func (e *Exporter) countAll(ctx context.Context, list []tvmexport.CountQuery) []tvmexport.TableCounts {
	q := e.newCountQueue(ctx, func(_ context.Context, call func()) error { call(); return nil })
	for _, query := range list {
		q.expect(query.Table.Name)
	}
	out := make([]tvmexport.TableCounts, len(list))
	var all sync.WaitGroup
	for i, query := range list {
		all.Go(func() {
			r, ok := q.count(ctx, query)
			if !ok {
				r.Counts, r.Err = checkedCount(ctx, e.source(query.Table.Name), query)
			}
			out[i] = r
		})
	}
	all.Wait()
	return out
}

// newCountQueue makes a queue for the tables of the exporter's common source.
func (e *Exporter) newCountQueue(ctx context.Context, send func(context.Context, func()) error) *countQueue {
	joint, ok := tvmexport.Ability[tvmexport.JointCounter](e.Source)
	return &countQueue{ctx: ctx, send: send, joint: func(table string) (tvmexport.JointCounter, bool) {
		_, own := e.Sources[table]
		return joint, ok && !own
	}}
}
