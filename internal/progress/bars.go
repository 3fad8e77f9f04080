package progress

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/figures"
)

// bars shows one bar per table: rows fetched of rows planned, then the step
// that the table is in. The drawing goroutine reads atomics only, so that no
// lock is ever held while a bar is spoken to.
type bars struct {
	container *mpb.Progress
	width     int      // of a bar alone
	tables    sync.Map // name -> *bar
	wait      atomic.Pointer[wait]
	budget    atomic.Pointer[func() int]
}

// wait is why calls are held back, and until when.
type wait struct {
	cause string
	until time.Time
}

type bar struct {
	*mpb.Bar
	rows  atomic.Int64
	of    atomic.Int64
	since atomic.Int64 // when fetching began, in nanoseconds
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
	if state != "fetching" {
		return Count(one.rows.Load()) + " rows, " + state
	}
	if w := b.wait.Load(); w != nil && time.Now().Before(w.until) {
		return w.cause + ", resumes " + w.until.Local().Format(time.TimeOnly)
	}
	left := -1
	if ask := b.budget.Load(); ask != nil {
		left = (*ask)()
	}
	return fetching(one.rows.Load(), one.of.Load(), time.Duration(time.Now().UnixNano()-one.since.Load()), left)
}

// fetching is how fetching goes: rows and how many a second, how long it may
// still take, and how many calls the minute still allows (-1: not known).
func fetching(rows, of int64, took time.Duration, calls int) string {
	s := Count(rows) + " rows"
	if rate := float64(rows) / max(took.Seconds(), 0.001); rows > 0 && took > 0 {
		s += ", " + Count(int64(rate)) + "/s"
		if of > rows {
			s += ", " + figures.Span(time.Duration(float64(of-rows)/rate*float64(time.Second)).Truncate(time.Second)) + " left"
		}
	}
	if calls >= 0 {
		s += fmt.Sprintf(", calls: %d left this minute", calls)
	}
	return s
}

// Budget sets whom to ask how many calls the minute still allows.
func (b *bars) Budget(left func() int) { b.budget.Store(&left) }

func (b *bars) with(table string, change func(*bar)) {
	if one, ok := b.tables.Load(table); ok {
		change(one.(*bar))
	}
}

func (b *bars) Hooks() tvmexport.Hooks {
	return tvmexport.Hooks{
		Started: b.start,
		Planned: func(r tvmexport.Run, rows int64, _ int) {
			b.with(r.Table.Name, func(one *bar) {
				one.of.Store(rows)
				one.since.Store(time.Now().UnixNano())
				one.enter("fetching")
				one.SetTotal(rows+1, false)
			})
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
	if strings.Contains(cause, "throttle") {
		cause = "throttled"
	}
	b.wait.Store(&wait{cause, until})
}

func (b *bars) Close() {
	b.tables.Range(func(_, one any) bool {
		one.(*bar).Abort(false) // without effect on a bar that is complete
		return true
	})
	b.container.Wait()
}
