package assessment

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

func at(day, hour, minute int) time.Time {
	return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC)
}

// All that may be asked for is tried, the most first: 14 days from the newest state, and
// from the service's clock.
func TestOldest(t *testing.T) {
	for name, c := range map[string]struct {
		state, clock time.Time
		want         []time.Time
	}{
		"OnTime":       {at(20, 6, 1), at(20, 6, 2), []time.Time{at(6, 6, 0), at(6, 7, 0), at(6, 12, 0)}},
		"Late":         {at(20, 6, 1), at(20, 13, 30), []time.Time{at(6, 6, 0), at(6, 14, 0), at(6, 18, 0)}},
		"DaysLate":     {at(17, 6, 1), at(20, 17, 59), []time.Time{at(3, 6, 0), at(6, 18, 0)}},
		"OnTheHour":    {at(20, 6, 1), at(20, 7, 0), []time.Time{at(6, 6, 0), at(6, 8, 0), at(6, 12, 0)}},
		"UnknownState": {time.Time{}, at(20, 7, 30), []time.Time{at(6, 8, 0), at(6, 12, 0)}},
		"ClockBehind":  {at(20, 6, 1), at(1, 6, 2), []time.Time{at(6, 6, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, oldest(c.state, c.clock)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// The step into which sinceTime falls is there, the one before it is not.
func TestGoneAfter(t *testing.T) {
	between := func(from, to time.Time) tvmexport.Window { return tvmexport.Window{From: from, To: to} }
	none := tvmexport.Window{}
	for name, c := range map[string]struct {
		from, since time.Time
		want        tvmexport.Window
	}{
		"FromTheBeginning":  {time.Time{}, at(6, 12, 0), tvmexport.Window{To: at(6, 6, 0)}},
		"DaysBefore":        {at(2, 3, 4), at(6, 12, 0), between(at(2, 3, 4), at(6, 6, 0))},
		"WithinAStep":       {at(2, 3, 4), at(6, 14, 0), between(at(2, 3, 4), at(6, 12, 0))},
		"AtTheStepBefore":   {at(6, 6, 0), at(6, 12, 0), none},
		"JustBeforeIt":      {at(6, 5, 59), at(6, 12, 0), between(at(6, 5, 59), at(6, 6, 0))},
		"WithinTheSameStep": {at(6, 7, 0), at(6, 12, 0), none},
		"Later":             {at(8, 7, 0), at(6, 12, 0), none},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, goneAfter(c.from, c.since)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// What is asked for first is never gone.
func TestOldestIsThere(t *testing.T) {
	for minutes := 0; minutes < 24*60; minutes += 7 {
		now := at(20, 0, 0).Add(time.Duration(minutes) * time.Minute)
		times := oldest(now, now)
		if !slices.IsSortedFunc(times, time.Time.Compare) || now.Sub(times[len(times)-1]) >= changesKept || now.Sub(times[0]) < changesKept {
			t.Errorf("at %s: %v", now, times)
		}
	}
}
