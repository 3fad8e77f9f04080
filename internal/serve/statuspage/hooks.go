package statuspage

import (
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/figures"
)

// Hooks are what the board listens to while an export is under way.
func (b *Board) Hooks() tvmexport.Hooks {
	return tvmexport.Hooks{
		Started: func(r tvmexport.Run) {
			b.change(func(*Page) {
				delete(b.failed, r.Table.Name)
				b.live[r.Table.Name] = &Live{Run: string(r.ID), Step: "counting", Began: time.Now()}
			})
		},
		Planned: func(r tvmexport.Run, rows int64, _ int) {
			b.with(r, func(l *Live) { l.Step, l.Of, l.Note = "fetching", rows, "" })
		},
		Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
			b.with(r, func(l *Live) {
				l.Rows, l.Bytes, l.Calls, l.Note = l.Rows+a.Rows, l.Bytes+a.Bytes, l.Calls+1, ""
				l.Of = max(l.Of, l.Rows)
				if took := time.Since(l.Began).Seconds(); took > 0 {
					l.Rate = float64(l.Rows) / took
				}
			})
		},
		Splitting: func(r tvmexport.Run, _ tvmexport.Slice, why error) {
			b.with(r, func(l *Live) { l.Note = "requesting less at a time: " + why.Error() })
		},
		Retrying: func(r tvmexport.Run, op string, in time.Duration, why error) {
			b.with(r, func(l *Live) { l.Note = "trying " + op + " again in " + figures.Span(in) + ": " + why.Error() })
		},
		Landing: func(r tvmexport.Run, _ tvmexport.Batch) { b.with(r, func(l *Live) { l.Batches++ }) },
		Confirmed: func(r tvmexport.Run, n, of int) {
			b.with(r, func(l *Live) {
				l.Step, l.Confirmed, l.Batches = "landing", n, of
				if n == of {
					l.Step = "publishing"
				}
			})
		},
		Committed: func(r tvmexport.Run, rows int64) {
			b.with(r, func(l *Live) { l.Step, l.Rows, l.Of = "committed", rows, rows })
		},
		Ended: func(e tvmexport.Ending) {
			b.change(func(*Page) {
				if l := b.live[e.Table]; l != nil {
					l.Result = figures.Rows(e.Effect.TableRows) + ", " + figures.Changed(e.Rows, e.Effect.Growth)
				}
			})
		},
		Fallback: func(r tvmexport.Run, what string, why error) {
			b.with(r, func(l *Live) { l.Note = "falling back to " + what + ": " + why.Error() })
		},
		Failed: func(table string, _ tvmexport.RunID, err error) {
			b.change(func(*Page) {
				delete(b.live, table)
				b.failed[table] = ProblemOf(err, time.Now())
			})
		},
	}
}

func (b *Board) with(r tvmexport.Run, f func(*Live)) {
	b.change(func(*Page) {
		if l := b.live[r.Table.Name]; l != nil {
			f(l)
		}
	})
}
