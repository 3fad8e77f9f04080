package metrics

import (
	"time"

	"github.com/tvmexport/tvmexport"
)

// The places of what words in batchStates and outcomes name.
const (
	queued = iota
	confirmed
	committed
	dropped
)

const (
	runCommitted = iota
	runFailed
)

// Hooks are what the metrics listen to.
func (m *Metrics) Hooks() tvmexport.Hooks {
	return tvmexport.Hooks{
		Started: func(r tvmexport.Run) {
			m.of(r.Table.Name, func(t *tableCounts) {
				t.running = 1
				m.under[r.ID] = &run{}
			})
		},
		Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
			m.of(r.Table.Name, func(t *tableCounts) {
				t.fetched += float64(a.Rows)
				t.bytes += float64(a.Bytes)
				for _, u := range a.Unread {
					t.unread.add(u.Column, float64(u.Values))
				}
			})
		},
		Splitting: func(r tvmexport.Run, _ tvmexport.Slice, why error) {
			reason := splitReason(why)
			m.of(r.Table.Name, func(t *tableCounts) { t.splits[reason]++ })
		},
		Retrying: func(_ tvmexport.Run, op string, in time.Duration, _ error) { m.Retrying(op, in) },
		Landing: func(r tvmexport.Run, _ tvmexport.Batch) {
			m.of(r.Table.Name, func(t *tableCounts) {
				t.batches[queued]++
				if u := m.under[r.ID]; u != nil {
					u.queued++
				}
			})
		},
		Confirmed: func(r tvmexport.Run, n, _ int) {
			m.of(r.Table.Name, func(t *tableCounts) {
				if u := m.under[r.ID]; u != nil && n > u.confirmed {
					t.batches[confirmed] += float64(n - u.confirmed)
					u.confirmed = n
				}
			})
		},
		Committed: func(r tvmexport.Run, rows int64) {
			m.Commit(r.Table.Name, r.ID, rows, time.Now())
			m.of(r.Table.Name, func(t *tableCounts) {
				t.runs[runCommitted]++
				if u := m.end(r.ID); u != nil {
					t.batches[committed] += float64(u.confirmed)
					t.batches[dropped] += float64(max(0, u.queued-u.confirmed))
					t.running = 0
				}
			})
		},
		Fallback: func(r tvmexport.Run, _ string, _ error) {
			m.of(r.Table.Name, func(t *tableCounts) { t.fallbacks++ })
		},
		Failed: func(table string, id tvmexport.RunID, _ error) {
			m.of(table, func(t *tableCounts) {
				t.runs[runFailed]++
				if u := m.end(id); u != nil {
					t.batches[dropped] += float64(u.queued)
					t.running = 0
				}
			})
		},
		Ended: func(e tvmexport.Ending) {
			m.of(e.Table, func(t *tableCounts) {
				if e.Run != "" {
					t.duration.observe(e.Effect.Took.Seconds())
				}
				if e.Err == nil {
					t.tableRows, t.hasRows = float64(e.Effect.TableRows), true
				}
			})
		},
	}
}

// end forgets a run; nil if it never began here. The caller holds the lock.
func (m *Metrics) end(id tvmexport.RunID) *run {
	u := m.under[id]
	delete(m.under, id)
	return u
}

// Commit counts a commit of this process, once: whether the engine announces
// it or the ledger shows it first.
func (m *Metrics) Commit(table string, id tvmexport.RunID, rows int64, at time.Time) {
	m.of(table, func(t *tableCounts) {
		if t.count(id) {
			t.committed += float64(rows)
		}
	})
	m.Known(table, rows, at)
}

// Known records the newest commit of a table by any exporter.
func (m *Metrics) Known(table string, rows int64, at time.Time) {
	m.of(table, func(t *tableCounts) {
		if !at.After(t.newest) {
			return
		}
		t.newest, t.rows = at, float64(rows)
		if at.After(m.success) {
			m.success = at
		}
	})
}

// Rows records how many rows readers see of a table, as the ledger says.
func (m *Metrics) Rows(table string, rows int64) {
	m.of(table, func(t *tableCounts) { t.tableRows, t.hasRows = float64(rows), true })
}
