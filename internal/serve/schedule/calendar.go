package schedule

import (
	"math/bits"
	"time"
)

// Spec is a schedule in the form that other schedulers take: an interval, or
// calendars in a time zone. A schedule that never fires has neither.
type Spec struct {
	Every     time.Duration
	Calendars []Calendar // each names fires
	Zone      string     // of the calendars: "UTC", or as Area/City
}

// Calendar names the minutes at which the clock shows a value of each set.
type Calendar struct {
	Minute, Hour, DayOfMonth, Month, DayOfWeek []Range // Sunday is 0
}

// Range is the values from First to Last.
type Range struct{ First, Last int }

// Spec is the schedule in calendars. Other schedulers may treat times of day that a
// zone skips or shows twice in another way than Next does.
func (s Schedule) Spec() Spec {
	switch t := s.times.(type) {
	case interval:
		return Spec{Every: time.Duration(t)}
	case *fields:
		return Spec{Calendars: t.calendars(), Zone: t.zone.String()}
	}
	return Spec{}
}

// calendars are one calendar, or two where one of two days suffices.
func (f *fields) calendars() []Calendar {
	dow := f.dow &^ (1 << 7)
	c := Calendar{Minute: ranges(f.minute), Hour: ranges(f.hour), DayOfMonth: ranges(f.dom), Month: ranges(f.month), DayOfWeek: ranges(dow)}
	if f.anyDom || f.anyDow {
		return []Calendar{c}
	}
	byDate, byDay := c, c
	byDate.DayOfWeek = []Range{{bounds[4].min, 6}}
	byDay.DayOfMonth = []Range{{bounds[2].min, bounds[2].max}}
	return []Calendar{byDate, byDay}
}

// ranges are the values of a set, in order.
func ranges(set uint64) []Range {
	var out []Range
	for set != 0 {
		first := bits.TrailingZeros64(set)
		length := bits.TrailingZeros64(^(set >> first))
		out = append(out, Range{first, first + length - 1})
		set &^= (1<<length - 1) << first
	}
	return out
}
