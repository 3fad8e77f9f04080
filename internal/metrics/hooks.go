package metrics

import (
	"maps"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Hooks are what the metrics listen to.
func (m *Metrics) Hooks() tvmexport.Hooks {
	return tvmexport.Hooks{
		Started: func(r tvmexport.Run) {
			m.Table(r.Table.Name)
			m.running.WithLabelValues(r.Table.Name).Set(1)
			m.mu.Lock()
			defer m.mu.Unlock()
			m.under[r.ID] = &run{}
		},
		Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
			m.fetched.WithLabelValues(r.Table.Name).Add(float64(a.Rows))
			m.bytes.WithLabelValues(r.Table.Name).Add(float64(a.Bytes))
			for _, u := range a.Unread {
				m.unread.WithLabelValues(r.Table.Name, u.Column).Add(float64(u.Values))
			}
		},
		Splitting: func(r tvmexport.Run, _ tvmexport.Slice, why error) {
			m.splits.WithLabelValues(r.Table.Name, splitReason(why)).Inc()
		},
		Retrying: func(_ tvmexport.Run, op string, in time.Duration, _ error) { m.Retrying(op, in) },
		Landing: func(r tvmexport.Run, _ tvmexport.Batch) {
			m.batches.WithLabelValues(r.Table.Name, "queued").Inc()
			m.change(r.ID, func(u *run) { u.queued++ })
		},
		Confirmed: func(r tvmexport.Run, n, _ int) {
			m.change(r.ID, func(u *run) {
				if more := n - u.confirmed; more > 0 {
					m.batches.WithLabelValues(r.Table.Name, "confirmed").Add(float64(more))
					u.confirmed = n
				}
			})
		},
		Committed: func(r tvmexport.Run, rows int64) {
			m.Commit(r.Table.Name, r.ID, rows, time.Now())
			m.runs.WithLabelValues(r.Table.Name, "committed").Inc()
			if u := m.end(r.ID); u != nil {
				m.batches.WithLabelValues(r.Table.Name, "committed").Add(float64(u.confirmed))
				m.batches.WithLabelValues(r.Table.Name, "dropped").Add(float64(max(0, u.queued-u.confirmed)))
				m.running.WithLabelValues(r.Table.Name).Set(0)
			}
		},
		Fallback: func(r tvmexport.Run, _ string, _ error) { m.fallbacks.WithLabelValues(r.Table.Name).Inc() },
		Failed: func(table string, id tvmexport.RunID, _ error) {
			m.runs.WithLabelValues(table, "failed").Inc()
			if u := m.end(id); u != nil {
				m.batches.WithLabelValues(table, "dropped").Add(float64(u.queued))
				m.running.WithLabelValues(table).Set(0)
			}
		},
		Ended: func(e tvmexport.Ending) {
			if e.Run != "" {
				m.duration.WithLabelValues(e.Table).Observe(e.Effect.Took.Seconds())
			}
			if e.Err == nil {
				m.tableRows.WithLabelValues(e.Table).Set(float64(e.Effect.TableRows))
			}
		},
	}
}

// change changes what is known of a run that is under way.
func (m *Metrics) change(id tvmexport.RunID, f func(*run)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u := m.under[id]; u != nil {
		f(u)
	}
}

// end forgets a run; nil if it never began here.
func (m *Metrics) end(id tvmexport.RunID) *run {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.under[id]
	delete(m.under, id)
	return u
}

// mostCommits is how many counted commits of a table are remembered. The
// ledger is looked at after each run, so that a few would do.
const mostCommits = 64

// Commit counts a commit of this process, once: whether the engine announces
// it or the ledger shows it first.
func (m *Metrics) Commit(table string, id tvmexport.RunID, rows int64, at time.Time) {
	m.mu.Lock()
	counted := m.commits[table][id]
	if !counted {
		if m.commits[table] == nil {
			m.commits[table] = map[tvmexport.RunID]bool{}
		}
		m.commits[table][id] = true
		if set := m.commits[table]; len(set) > mostCommits {
			kept := oldest(set, mostCommits/2)
			maps.DeleteFunc(set, func(id tvmexport.RunID, _ bool) bool { return id < kept })
		}
	}
	m.mu.Unlock()
	if !counted {
		m.committed.WithLabelValues(table).Add(float64(rows))
	}
	m.Known(table, rows, at)
}

// Known records the newest commit of a table by any exporter.
func (m *Metrics) Known(table string, rows int64, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !at.After(m.newest[table]) {
		return
	}
	m.newest[table] = at
	m.rows.WithLabelValues(table).Set(float64(rows))
	m.commitAt.WithLabelValues(table).Set(seconds(at))
	latest := at
	for _, t := range m.newest {
		if t.After(latest) {
			latest = t
		}
	}
	m.success.Set(seconds(latest))
}

// Rows records how many rows readers see of a table, as the ledger says.
func (m *Metrics) Rows(table string, rows int64) {
	m.tableRows.WithLabelValues(table).Set(float64(rows))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
