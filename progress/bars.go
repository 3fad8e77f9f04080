package progress

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/tvmexport/tvmexport"
)

// bars shows one bar per table: rows fetched of rows planned, then the step
// that the table is in. The drawing goroutine reads atomics only, so that no
// lock is ever held while a bar is spoken to.
type bars struct {
	container *mpb.Progress
	width     int      // of a bar alone
	tables    sync.Map // name -> *bar
	wait      atomic.Pointer[string]
}

type bar struct {
	*mpb.Bar
	rows  atomic.Int64
	state atomic.Pointer[string]
}

func (b *bar) enter(state string) { b.state.Store(&state) }

func newBars(w io.Writer, width int) *bars {
	return &bars{container: mpb.New(
		mpb.WithOutput(w), mpb.WithWidth(width), mpb.WithAutoRefresh(),
	), width: max(10, min(width-80, 40))}
}

func (b *bars) start(r tvmexport.Run) {
	one := &bar{}
	one.enter("counting")
	one.Bar = b.container.AddBar(0, mpb.BarWidth(b.width),
		mpb.PrependDecorators(decor.Name(r.Table.Name, decor.WC{W: 42, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + b.status(one) })),
	)
	b.tables.Store(r.Table.Name, one)
}

func (b *bars) status(one *bar) string {
	state := *one.state.Load()
	if wait := b.wait.Load(); wait != nil && state == "fetching" {
		return *wait
	}
	return Count(one.rows.Load()) + " rows, " + state
}

func (b *bars) with(table string, change func(*bar)) {
	if one, ok := b.tables.Load(table); ok {
		change(one.(*bar))
	}
}

func (b *bars) Hooks() tvmexport.Hooks {
	return tvmexport.Hooks{
		Started: b.start,
		Planned: func(r tvmexport.Run, rows int64, _ int) {
			b.with(r.Table.Name, func(one *bar) { one.enter("fetching"); one.SetTotal(rows+1, false) })
		},
		Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
			b.wait.Store(nil)
			b.with(r.Table.Name, func(one *bar) { one.SetCurrent(one.rows.Add(a.Rows)) })
		},
		Confirmed: func(r tvmexport.Run, n, of int) {
			b.with(r.Table.Name, func(one *bar) {
				if n == of {
					one.enter("publishing")
				} else {
					one.enter("landing")
				}
			})
		},
		Committed: func(r tvmexport.Run, rows int64) {
			b.with(r.Table.Name, func(one *bar) {
				one.rows.Store(rows)
				one.enter("committed")
				one.SetTotal(-1, true)
			})
		},
		Failed: func(table string, _ tvmexport.RunID, _ error) {
			b.with(table, func(one *bar) { one.enter("failed"); one.Abort(false) })
		},
	}
}

func (b *bars) Wait(cause string, until time.Time) {
	text := cause + ", resumes " + until.Local().Format(time.TimeOnly)
	b.wait.Store(&text)
}

func (b *bars) Close() {
	b.tables.Range(func(_, one any) bool {
		one.(*bar).Abort(false) // without effect on a bar that is complete
		return true
	})
	b.container.Wait()
}
