package schedule_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/internal/serve/schedule"
)

// The calendars of a schedule name the minutes at which it fires, and no others.
func TestCalendarsNameTheFires(t *testing.T) {
	from := time.Date(2027, 12, 20, 10, 17, 0, 0, time.UTC)
	for _, text := range []string{
		"0 */6 * * *", "5/20 * * * *", "10-40/15,59 8-17 * * mon-fri", "0 0 13 * FRI", "30 4 1,15 * 5", "0 0 29 2 *",
		"0 12 * JAN,MAR *", "0 0 * * 5-7", "0 0 * * 7", "0 0 */1 * 1", "@monthly", "@weekly", "@hourly", "CRON_TZ=Asia/Tokyo 0 9 * * *",
	} {
		s := parse(t, text)
		spec := s.Spec()
		zone, err := time.LoadLocation(spec.Zone)
		if err != nil || spec.Every != 0 {
			t.Fatalf("%q: zone %q, interval %s: %v", text, spec.Zone, spec.Every, err)
		}
		var want, got []time.Time
		end := from.AddDate(0, 3, 0)
		for at := s.Next(from); at.Before(end) && !at.IsZero(); at = s.Next(at) {
			want = append(want, at)
		}
		for at := from.Add(time.Minute); at.Before(end); at = at.Add(time.Minute) {
			if slices.ContainsFunc(spec.Calendars, func(c schedule.Calendar) bool { return shows(c, at.In(zone)) }) {
				got = append(got, at)
			}
		}
		if len(want) == 0 || !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("%q: the calendars name %d times, want %d: %+v", text, len(got), len(want), spec)
		}
	}
}

func shows(c schedule.Calendar, at time.Time) bool {
	in := func(list []schedule.Range, v int) bool {
		return slices.ContainsFunc(list, func(r schedule.Range) bool { return r.First <= v && v <= r.Last })
	}
	return in(c.Minute, at.Minute()) && in(c.Hour, at.Hour()) && in(c.DayOfMonth, at.Day()) && in(c.Month, int(at.Month())) && in(c.DayOfWeek, int(at.Weekday()))
}

func TestSpecsWithoutCalendars(t *testing.T) {
	if got := parse(t, "@every 90m").Spec(); got.Every != 90*time.Minute || got.Calendars != nil {
		t.Errorf("@every 90m: %+v", got)
	}
	if got := parse(t, "off").Spec(); got.Every != 0 || got.Calendars != nil {
		t.Errorf("off: %+v", got)
	}
}
