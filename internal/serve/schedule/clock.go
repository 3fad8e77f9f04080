package schedule

import "time"

// leastJump is the smallest change of the wall clock that is reported: time
// synchronisation changes clocks by less.
const leastJump = 2 * time.Second

// clock is the wall clock, watched by the monotonic clock.
type clock struct {
	wall func() time.Time

	read  time.Time // with its monotonic part
	shown time.Time // what the wall clock showed then
}

// now is the time on the wall, and by how much the wall clock was set since the
// last call. A suspended machine looks like a clock that was set forward.
func (c *clock) now() (now time.Time, jump time.Duration) {
	read := time.Now()
	now = read
	if c.wall != nil {
		now = c.wall()
	}
	now = now.Round(0)
	if !c.read.IsZero() {
		jump = now.Sub(c.shown) - read.Sub(c.read)
	}
	c.read, c.shown = read, now
	if jump.Abs() < leastJump {
		jump = 0
	}
	return now, jump
}

// tick reads the clock and corrects what is remembered if it was set back.
//
// Fires are served up to a time on the wall, which a clock that was set back
// does not reach for as long as it was ahead. What was served moves back with
// the clock, so that as much time has passed since as before. To serve no fire
// twice after a small step, the correction is reduced by the length of the step,
// by at most a quarter of the time between two fires.
func (m *memory) tick() time.Time {
	now, jump := m.clock.now()
	if jump == 0 {
		return now
	}
	if jump < 0 {
		timetable := m.loop.Timetable()
		for name, s := range m.tables {
			if s.first {
				continue
			}
			schedule, back := timetable.For(name), -jump
			s.served = s.served.Add(min(back, schedule.interval(now)/4) - back)
		}
	}
	if m.loop.Jumped != nil {
		m.loop.Jumped(jump)
	}
	return now
}

// interval is the time between the next two fires after t; 0 if there are none.
func (s Schedule) interval(t time.Time) time.Duration {
	next := s.Next(t)
	if next.IsZero() {
		return 0
	}
	return s.Next(next).Sub(next)
}
