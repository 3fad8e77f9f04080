package schedule

import (
	"fmt"
	"hash/fnv"
	"time"
)

// Timetable is the schedule of each table.
type Timetable struct {
	Default Schedule
	Own     map[string]Schedule // of tables that have one
	Jitter  time.Duration       // maximum delay of fires, at most half the time to the next one
	Seed    string              // installations with different seeds have different delays
}

// For is the schedule of a table.
func (t Timetable) For(table string) Schedule {
	if own, ok := t.Own[table]; ok {
		return own
	}
	return t.Default
}

// delay of a fire is always the same, and the same for all tables that fire together.
func (t Timetable) delay(s Schedule, fire time.Time) time.Duration {
	most := t.Jitter
	if most <= 0 {
		return 0
	}
	if next := s.Next(fire); !next.IsZero() {
		most = min(most, next.Sub(fire)/2)
	}
	h := fnv.New64a()
	fmt.Fprint(h, t.Seed, fire.Unix())
	return time.Duration(h.Sum64() % uint64(most+1))
}

// Reason is why a fire was missed.
type Reason string

// The reasons.
const (
	Down   Reason = "down"   // nothing served at its time
	Busy   Reason = "busy"   // another run was under way until the next fire
	Asleep Reason = "asleep" // the process was not running, though it was there: a suspended machine
	Held   Reason = "held"   // another exporter held the table
	Reload Reason = "reload" // the schedule was changed before the fire was served
)

// Missed are fires of a table at which no run began.
type Missed struct {
	Table string
	Span
	Reason Reason
	MadeUp bool // by one run that begins now
}

// Table is what is known of a table when it is decided about.
type Table struct {
	Name   string
	Served time.Time // fires up to here are served; zero: it was never exported
	Why    Reason    // of fires that were missed since; "" where they do not count as missed
}

// Decision is the action at a moment.
type Decision struct {
	Due    []string             // to be exported now, together
	Fires  map[string]time.Time // which fire each of them serves; zero: the first export
	Missed []Missed
	Next   map[string]time.Time // when each table is due next, its delay included; absent: never
}

// Decide returns the action for now.
func (t Timetable) Decide(now time.Time, tables []Table) Decision {
	d := Decision{Fires: map[string]time.Time{}, Next: map[string]time.Time{}}
	for _, table := range tables {
		s := t.For(table.Name)
		from := table.Served
		if from.IsZero() {
			from = now
		}
		fires, next := t.fired(s, from, now)
		if !next.IsZero() {
			d.Next[table.Name] = next
		}
		switch {
		case s.times == nil:
			continue
		case table.Served.IsZero():
		case fires.Count == 0:
			continue
		}
		d.Due = append(d.Due, table.Name)
		d.Fires[table.Name] = fires.Last
		if missed, ok := missedOf(table, fires); ok {
			d.Missed = append(d.Missed, missed)
		}
	}
	return d
}

// missedOf are the fires that no run serves in its time: all of them if nothing
// was there, all but the last if something was in the way.
func missedOf(table Table, fires passed) (Missed, bool) {
	m := Missed{Table: table.Name, Span: fires.Span, Reason: table.Why, MadeUp: true}
	if table.Why != Down && m.Count > 0 {
		m.Count, m.Last = m.Count-1, fires.before
	}
	return m, m.Count > 0 && table.Why != ""
}
