package schedule

import (
	"iter"
	"time"
)

// A reading is what a clock in a time zone shows, held as a time in UTC with the
// same date and time of day. Readings can be computed with, since UTC has
// neither gaps nor folds.

// readingAt is what the clock shows at t.
func readingAt(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// farthestEast is more than any zone has ever been ahead of UTC.
const farthestEast = 16 * time.Hour

// reached is the first moment at which the clock shows r or more: for a reading
// that the clock skips, the moment after the gap; for one that it shows twice,
// the first of the two.
func reached(r time.Time, zone *time.Location) time.Time {
	for from := r.Add(-farthestEast); ; {
		local := from.In(zone)
		_, offset := local.Zone()
		_, end := local.ZoneBounds()
		at := r.Add(-time.Duration(offset) * time.Second)
		if at.Before(from) {
			return from
		}
		if end.IsZero() || at.Before(end) {
			return at
		}
		from = end.UTC()
	}
}

// next is the first fire after t; zero if there is none. Times of day fire once
// for each date: at the first moment after a gap, and at the first reading in a
// fold. Where every hour is named, each moment fires that shows a named minute,
// so that the time between fires stays the same over gaps and folds.
func (f *fields) next(t time.Time) time.Time {
	if f.hour == everyHour {
		return f.nextShown(t)
	}
	r := readingAt(t, f.zone).Truncate(time.Minute).Add(time.Minute)
	for r = f.reading(r); !r.IsZero(); r = f.reading(r.Add(time.Minute)) {
		if at := reached(r, f.zone); at.After(t) {
			return at
		}
	}
	return time.Time{}
}

// nextShown is the first moment after t at which the clock shows a named reading.
func (f *fields) nextShown(t time.Time) time.Time {
	last := t.AddDate(searchYears, 0, 0)
	for from := t.Add(1); !from.After(last); {
		local := from.In(f.zone)
		_, offset := local.Zone()
		_, end := local.ZoneBounds()
		r := f.reading(ceiling(readingAt(from, f.zone)))
		if r.IsZero() {
			return time.Time{}
		}
		at := r.Add(-time.Duration(offset) * time.Second)
		if end.IsZero() || at.Before(end) {
			return at
		}
		from = end.UTC()
	}
	return time.Time{}
}

// ceiling is the first whole minute at or after r.
func ceiling(r time.Time) time.Time {
	if whole := r.Truncate(time.Minute); whole.Before(r) {
		return whole.Add(time.Minute)
	}
	return r
}

// longestFold is more than any clock was ever set back by a zone's rules.
const longestFold = 25 * time.Hour

// elapsed are the fires after from, up to to. It looks at the clock of every
// minute, and shares no search with next: what one of the two leaves out, the
// other one finds.
func (f *fields) elapsed(from, to time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		t := from.UTC().Truncate(time.Minute).Add(-longestFold)
		high := readingAt(t, f.zone) // the latest reading that has been shown
		for !t.After(to) {
			r := readingAt(t, f.zone)
			step := time.Minute
			if f.idle(r) {
				step = 12 * time.Hour
			} else if t.After(from) && f.fires(r, high) && !yield(t) {
				return
			}
			if r.After(high) {
				high = r
			}
			t = t.Add(step)
		}
	}
}

// idle says that no date within half a day after a reading is named, also where
// the zone skips one.
func (f *fields) idle(r time.Time) bool {
	return !f.day(r) && !f.day(r.Add(12*time.Hour)) && !f.day(r.Add(36*time.Hour)) && !f.day(r.Add(-12*time.Hour))
}

// fires says whether a minute with the reading r is a fire, if high is the
// latest reading before it.
func (f *fields) fires(r, high time.Time) bool {
	if f.hour == everyHour {
		return f.day(r) && f.clock(r)
	}
	for passed := high.Add(time.Minute); !passed.After(r); passed = passed.Add(time.Minute) {
		if f.day(passed) && f.clock(passed) {
			return true
		}
	}
	return false
}
