package schedule

import (
	"iter"
	"time"
)

// longestBack bounds how far back fires are counted.
const longestBack = 366 * 24 * time.Hour

// Span is a number of fires in a row.
type Span struct {
	Count       int
	First, Last time.Time
}

// passed are fires whose time has come.
type passed struct {
	Span
	before time.Time // the last fire but one
}

func (p *passed) add(fire time.Time) {
	if p.Count == 0 {
		p.First = fire
	}
	p.Count, p.before, p.Last = p.Count+1, p.Last, fire
}

// fired are the fires after from whose time, with their delay, has come, and
// when the next one comes. They are found twice, by going from fire to fire and
// by looking at each minute; what one of the ways leaves out, the other one has.
func (t Timetable) fired(s Schedule, from, now time.Time) (p passed, next time.Time) {
	if s.times == nil {
		return p, next
	}
	now = now.Round(0)
	if oldest := now.Add(-longestBack); from.Before(oldest) {
		from = oldest
	}
	from = from.UTC().Round(0)
	p, next = t.came(s, s.chain(from), now)
	if q, _ := t.came(s, s.times.elapsed(from, now), now); q.Count > p.Count {
		p = q
	}
	return p, next
}

// chain are the fires after a time, each found from the one before.
func (s Schedule) chain(from time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for fire := s.Next(from); !fire.IsZero() && yield(fire); {
			fire = s.Next(fire)
		}
	}
}

// came are those of the fires whose time has come, and when the next one comes.
func (t Timetable) came(s Schedule, fires iter.Seq[time.Time], now time.Time) (p passed, next time.Time) {
	for fire := range fires {
		if !fire.Add(max(t.Jitter, 0)).Before(now) { // else no delay is so long
			if at := fire.Add(t.delay(s, fire)); at.After(now) {
				return p, at
			}
		}
		p.add(fire)
	}
	return p, next
}
