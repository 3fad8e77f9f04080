package schedule

import (
	"context"
	"time"

	"github.com/tvmexport/tvmexport/internal/wait"
)

// Known is an active table as the ledger has it.
type Known struct {
	Name string
	Last time.Time // when its last committed run began, by this process's clock; zero: never
}

// Loop carries out a timetable. Fields are set before Run.
type Loop struct {
	// Timetable is asked before each decision, so that it may change.
	Timetable func() Timetable
	// Tables reads which tables are active. If it fails, the ones known go on.
	Tables func(ctx context.Context) ([]Known, error)
	// Export exports tables and returns when the export has ended. It names the
	// tables whose lease others hold.
	Export func(ctx context.Context, tables []string) (held []string)
	// Missed receives each span of missed fires once.
	Missed func(Missed)
	// Decided receives each decision before it is carried out.
	Decided func(Decision)
	// Clock is the wall clock; nil is time.Now. It may be set while the loop runs.
	Clock func() time.Time
	// Jumped receives the change of the wall clock, negative if it was set back.
	// Forward may also mean that the machine was suspended. It may be nil.
	Jumped func(by time.Duration)
	// Ahead receives a table whose last run began in the future. The table is
	// exported immediately. It may be nil.
	Ahead func(table string, last time.Time)
	// Changed wakes the loop: the timetable may be another one.
	Changed <-chan struct{}
	// Refresh is how old the knowledge of tables may become; 0 is 30 minutes.
	Refresh time.Duration
}

// A run that began so shortly before a fire serves it, when only the ledger
// knows of the run: clocks differ a little.
const tolerance = 10 * time.Second

// farAhead is how far in the future the last run of a table may have begun: a
// later one was made while a clock was wrong, and tells nothing.
const farAhead = time.Minute

// glance is how often the clock is looked at: the machine may have been asleep.
const glance = 30 * time.Second

// retryTables is how soon Tables is asked again when it failed.
const retryTables = time.Minute

// state is what the loop remembers of a table.
type state struct {
	served   time.Time
	schedule string
	why      Reason
	first    bool // its first export is still to come
}

// memory is what the loop remembers.
type memory struct {
	loop    *Loop
	clock   clock
	order   []string
	tables  map[string]*state
	started bool
	asked   time.Time // when the tables were read
	again   time.Duration
}

// Run serves until ctx ends, and returns after the export that is then under way.
func (l *Loop) Run(ctx context.Context) {
	m := &memory{loop: l, clock: clock{wall: l.Clock}, tables: map[string]*state{}}
	for ctx.Err() == nil {
		m.learn(ctx, m.tick())
		now, timetable := m.tick(), l.Timetable()
		m.adopt(timetable, now)
		d := timetable.Decide(now, m.known())
		m.settle(d, now)
		l.Decided(d)
		if len(d.Due) == 0 {
			l.wait(ctx, d, m.tick())
			continue
		}
		held := l.Export(ctx, d.Due)
		if ctx.Err() != nil {
			return
		}
		for _, table := range held {
			if fire := d.Fires[table]; !fire.IsZero() {
				l.Missed(Missed{Table: table, Span: Span{1, fire, fire}, Reason: Held})
			}
		}
		for _, s := range m.tables {
			s.why = Busy
		}
		m.asked = time.Time{} // the ledger has changed
	}
}

// learn reads the tables if what is known is old. What it knows of a table
// only the first reading decides: later ones see our own runs.
func (m *memory) learn(ctx context.Context, now time.Time) {
	if !m.asked.IsZero() && time.Since(m.asked) < m.again {
		return
	}
	list, err := m.loop.Tables(ctx)
	m.asked, m.again = time.Now(), m.loop.Refresh
	if m.again == 0 {
		m.again = 30 * time.Minute
	}
	if err != nil {
		m.again = min(m.again, retryTables)
		return
	}
	fresh := map[string]*state{}
	m.order = nil
	for _, k := range list {
		s, ok := m.tables[k.Name]
		if !ok {
			s = &state{served: k.Last, first: k.Last.IsZero()}
			if k.Last.After(now.Add(farAhead)) {
				s.first = true
				if m.loop.Ahead != nil {
					m.loop.Ahead(k.Name, k.Last)
				}
			}
			if !s.first {
				s.served = k.Last.Add(m.tolerance(k))
			}
			if !m.started {
				s.why = Down
			}
		}
		fresh[k.Name] = s
		m.order = append(m.order, k.Name)
	}
	m.tables, m.started = fresh, true
}

// tolerance is how shortly before a fire a run may have begun to serve it.
func (m *memory) tolerance(k Known) time.Duration {
	schedule := m.loop.Timetable().For(k.Name)
	return min(tolerance, schedule.interval(k.Last)/2)
}

// adopt tells the fires that a change of schedule has swallowed, and starts
// the new schedule at the moment.
func (m *memory) adopt(t Timetable, now time.Time) {
	for _, name := range m.order {
		s := m.tables[name]
		text := t.For(name).String()
		if s.schedule == text {
			continue
		}
		if old, err := Parse(s.schedule); err == nil && !s.first {
			before := Timetable{Jitter: t.Jitter, Seed: t.Seed}
			if p, _ := before.fired(old, s.served, now); p.Count > 0 {
				m.loop.Missed(Missed{Table: name, Span: p.Span, Reason: Reload})
			}
			s.served = now
		}
		s.schedule = text
	}
}

func (m *memory) known() []Table {
	out := make([]Table, len(m.order))
	for i, name := range m.order {
		s := m.tables[name]
		out[i] = Table{Name: name, Served: s.served, Why: s.why}
		if s.first {
			out[i].Served = time.Time{}
		}
	}
	return out
}

// settle takes a decision as carried out.
func (m *memory) settle(d Decision, now time.Time) {
	for _, missed := range d.Missed {
		m.loop.Missed(missed)
	}
	for _, s := range m.tables {
		s.why = Asleep
	}
	for _, name := range d.Due {
		s := m.tables[name]
		if s.served = d.Fires[name]; s.first {
			s.served, s.first = now, false
		}
	}
}

// wait lasts until something may be due, the tables must be read again, or the
// timetable has changed.
func (l *Loop) wait(ctx context.Context, d Decision, now time.Time) {
	pause := glance
	for _, at := range d.Next {
		pause = min(pause, at.Sub(now))
	}
	_ = wait.ForOr(ctx, max(pause, 0), l.Changed) // the loop sees itself that ctx has ended
}
