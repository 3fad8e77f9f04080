// Package progress turns what the engine announces into lines on a terminal:
// a bar per table where there is one, a line per step elsewhere.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Printer draws the progress of a run. Close ends it and leaves the last state
// standing; after Close nothing is written any more.
type Printer interface {
	Hooks() tvmexport.Hooks
	// Wait announces that calls to the source are held back, and until when.
	Wait(cause string, until time.Time)
	Close()
}

// New is a Printer that fits the writer: bars if w is a terminal of some
// width, lines otherwise.
func New(w io.Writer, terminal bool, width int) Printer {
	if terminal && width >= 60 {
		return newBars(w, width)
	}
	return &lines{w: w, state: newState()}
}

// Silent prints nothing.
func Silent() Printer { return silent{} }

type silent struct{}

func (silent) Hooks() tvmexport.Hooks { return tvmexport.Hooks{} }
func (silent) Wait(string, time.Time) {}
func (silent) Close()                 {}

// lines prints a line per step, each beginning with the table's name, and a line for
// the whole run whenever a table ends. Names are complete, so that they can be found.
// What matters comes first, because a narrow terminal cuts or wraps the rest.
type lines struct {
	*state
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

func (l *lines) say(table, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if table != allTables {
		table = Pad(table, nameColumn)
	}
	fmt.Fprintf(l.w, "%s %s\n", table, fmt.Sprintf(format, args...))
}

// nameColumn is the least width of a name. Longer names move their own line only.
const nameColumn = 25

const allTables = "(all tables)"

// total says how far the whole run is. The line of a run of one table would repeat it.
func (l *lines) total() {
	if r := l.run(); r.Tables > 1 {
		l.say(allTables, "%s", r.line(0))
	}
}

func (l *lines) Wait(cause string, until time.Time) {
	l.say(allTables, "waiting: %s, resumes %s", cause, until.Local().Format(time.TimeOnly))
}

func (l *lines) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

func (l *lines) Hooks() tvmexport.Hooks {
	return tvmexport.JoinHooks(l.hooks(), tvmexport.Hooks{
		Planned: func(r tvmexport.Run, rows int64, slices int) {
			l.say(r.Table.Name, "planned: %s rows in about %s", Count(rows), plural(slices, "call"))
		},
		Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
			l.say(r.Table.Name, "fetched: %s rows, %s in %s", Count(a.Rows), Size(a.Bytes), a.Took.Round(time.Millisecond))
		},
		Splitting: func(r tvmexport.Run, _ tvmexport.Slice, why error) {
			l.say(r.Table.Name, "splitting a call: %v", why)
		},
		Retrying: func(r tvmexport.Run, op string, in time.Duration, why error) {
			l.say(r.Table.Name, "retrying %s in %s: %v", op, in.Round(time.Second), why)
		},
		Confirmed: func(r tvmexport.Run, n, of int) {
			if n == of {
				l.say(r.Table.Name, "landed: %s", plural(of, "batch"))
			}
		},
		Awaiting: func(r tvmexport.Run, a tvmexport.Awaited) {
			l.say(r.Table.Name, "%s", awaiting(a))
		},
		Published: func(r tvmexport.Run, rows int64) {
			l.say(r.Table.Name, "published: %s rows", Count(rows))
		},
		Committed: func(r tvmexport.Run, rows int64) {
			l.say(r.Table.Name, "committed: run %s", r.ID)
			l.total()
		},
		Fallback: func(r tvmexport.Run, what string, why error) {
			l.say(r.Table.Name, "falling back to %s: %v", what, why)
		},
		Failed: func(table string, _ tvmexport.RunID, err error) {
			l.say(table, "failed: %v", err)
			l.total()
		},
	})
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if noun == "batch" {
		return fmt.Sprintf("%d batches", n)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
