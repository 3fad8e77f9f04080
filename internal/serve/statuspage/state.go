package statuspage

import (
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/figures"
)

// State is how a table is, in one word.
type State string

// The states of a table.
const (
	Running State = "running"
	Failed  State = "failed"
	Late    State = "late"
	Never   State = "never"
	Fresh   State = "fresh"
	Off     State = "off"
)

// Last is the newest committed run; nil before the first.
func (t Table) Last() *Run {
	for i := range t.Runs {
		if t.Runs[i].Committed {
			return &t.Runs[i]
		}
	}
	return nil
}

// Holding is what readers find in a table.
type Holding struct{ What, Since string }

// Holds is what readers find in the table; nil before the first commit. A Snapshot
// is a full state, made of its last full snapshot and the runs since then. Other
// tables have the events up to a watermark.
func (t Table) Holds(now time.Time) *Holding {
	last := t.Last()
	switch {
	case last == nil:
		return nil
	case t.Load != string(tvmexport.Snapshot):
		h := &Holding{What: "Events"}
		if !last.Watermark.IsZero() {
			h.Since = "watermark " + last.Watermark.UTC().Format("2 Jan 15:04:05")
		}
		return h
	case t.FullAt.IsZero():
		return &Holding{What: "Full state"}
	}
	return &Holding{"Full state", figures.FullSnapshot(now.Sub(t.FullAt), t.Deltas)}
}

// Snapshot says whether the run is of a table of that load type.
func (r Run) Snapshot() bool { return r.Load == string(tvmexport.Snapshot) }

// Rows are those that readers see in all tables.
func (p Page) Rows() (rows int64) {
	for _, t := range p.Tables {
		rows += t.Rows
	}
	return rows
}

// runTime is how long a run may take before its table is late.
const runTime = 10 * time.Minute

// State is how the table is at a moment. It is late if two scheduled times
// have passed since its newest commit, and a run would have had its time.
func (t Table) State(now time.Time) State {
	last := t.Last()
	switch {
	case t.Live != nil && t.Live.Step != "committed", t.Live == nil && t.HeldBy != "":
		return Running
	case t.Failure != nil:
		return Failed
	case !t.Active:
		return Off
	case last == nil:
		return Never
	case t.Interval > 0 && now.Sub(last.At) > 2*t.Interval+runTime:
		return Late
	}
	return Fresh
}

// Summary is the whole, in one sentence.
func (p Page) Summary() string {
	switch n := len(p.Exporting); {
	case p.Stopping:
		return "Stopping; confirmed batches are kept"
	case n == 1:
		return "Exporting " + p.Exporting[0]
	case n > 1:
		return fmt.Sprintf("Exporting %d tables", n)
	case p.Unreadable != nil:
		return "The configuration cannot be read"
	case p.Ledger.Err != nil:
		return "The ledger cannot be read"
	case p.Ledger.Read.IsZero():
		return "Starting"
	}
	failed, late := p.count(Failed), p.count(Late)
	switch {
	case failed > 0:
		return fmt.Sprintf("%s failed in the last run", tables(failed))
	case late > 0:
		return fmt.Sprintf("%s late", tables(late))
	case len(p.Tables) == 0:
		return "No table is configured; tvmexport init configures the default tables"
	}
	return "No problems"
}

// Tone is the kind of the summary: good, bad or busy.
func (p Page) Tone() string {
	switch {
	case len(p.Exporting) > 0:
		return "busy"
	case p.Unreadable != nil || p.Ledger.Err != nil || p.count(Failed) > 0 || p.count(Late) > 0 || p.Reload.Err != "":
		return "bad"
	case p.Ledger.Read.IsZero() || p.Stopping:
		return "busy"
	}
	return "good"
}

func tables(n int) string {
	if n == 1 {
		return "1 table"
	}
	return fmt.Sprintf("%d tables", n)
}

func (p Page) count(s State) int {
	n := 0
	for _, t := range p.Tables {
		if t.State(p.Now) == s {
			n++
		}
	}
	return n
}

// Day is what was committed in the last 24 hours.
func (p Page) Day() (d struct {
	Rows, Bytes, Calls int64
	Runs, Failures     int
},
) {
	for _, t := range p.Tables {
		for _, r := range t.Runs {
			if p.Now.Sub(r.At) > 24*time.Hour {
				continue
			}
			if !r.Committed {
				d.Failures++
				continue
			}
			d.Runs++
			d.Rows, d.Bytes, d.Calls = d.Rows+r.Changed, d.Bytes+r.Bytes, d.Calls+r.Calls
		}
	}
	return d
}

// Oldest is the active table whose newest commit is the oldest; nil if there is none.
func (p Page) Oldest() *Table {
	var oldest *Table
	for i := range p.Tables {
		t := &p.Tables[i]
		if last := t.Last(); t.Active && last != nil && (oldest == nil || last.At.Before(oldest.Last().At)) {
			oldest = t
		}
	}
	return oldest
}

// Running are the tables that are under way.
func (p Page) Running() []Table {
	var out []Table
	for _, t := range p.Tables {
		if t.Live != nil {
			out = append(out, t)
		}
	}
	return out
}

// Failing are the tables whose newest run failed.
func (p Page) Failing() []Table {
	var out []Table
	for _, t := range p.Tables {
		if t.Failure != nil {
			out = append(out, t)
		}
	}
	return out
}

// Line says in words what a run that is under way does.
func (l Live) Line() string {
	switch l.Step {
	case "counting":
		return "counting rows"
	case "fetching":
		s := figures.Count(l.Rows) + " of " + figures.Count(l.Of) + " rows"
		if l.Rate > 0 {
			s += ", " + figures.Count(int64(l.Rate)) + " a second"
		}
		if left := l.Left(); left > 0 {
			s += ", about " + figures.Span(left.Round(time.Second)) + " left"
		}
		return s
	case "landing":
		return fmt.Sprintf("%d of %d batches have landed", l.Confirmed, l.Batches)
	case "publishing":
		return figures.Count(l.Rows) + " rows into the published table"
	}
	return l.Result
}

// shownMissed is how many records of missed schedules the overview shows.
const shownMissed = 8

// Misses are the newest records of missed schedules, those of several tables
// at the same times as one.
func (p Page) Misses() (list []Misses) {
	for _, m := range p.Missed {
		if n := len(list); n > 0 && list[n-1].same(m) {
			list[n-1].Tables = append(list[n-1].Tables, m.Table)
			continue
		}
		if len(list) == shownMissed {
			break
		}
		list = append(list, Misses{Missed: m, Tables: []string{m.Table}})
	}
	return list
}

// Misses are missed schedules of several tables.
type Misses struct {
	Missed
	Tables []string
}

func (m Misses) same(o Missed) bool {
	return m.Count == o.Count && m.First.Equal(o.First) && m.Last.Equal(o.Last) && m.Reason == o.Reason && m.MadeUp == o.MadeUp
}

// Names are the tables, as briefly as can be.
func (m Misses) Names() string {
	if len(m.Tables) == 1 {
		return m.Tables[0]
	}
	return tables(len(m.Tables))
}
