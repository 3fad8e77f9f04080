package schedule_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/internal/serve/schedule"
)

// The wall clock is set while the loop runs. What is written are the hours of
// real time since the beginning; a table is exported in an hour and on.
func TestTheWallClockIsSet(t *testing.T) {
	const year = 365 * 24 * time.Hour
	tests := []struct {
		name    string
		at      time.Duration // real time since the beginning
		by      time.Duration
		again   time.Duration // it is set back to what it was; 0: never
		takes   time.Duration // an export
		text    string
		exports []string
		missed  []string
	}{
		{
			name: "back by hours", at: 13 * time.Hour, by: -9 * time.Hour, text: "0 */6 * * *",
			exports: []string{"6h0m0s: A", "12h0m0s: A", "15h0m0s: A", "21h0m0s: A", "27h0m0s: A"},
		},
		{
			name: "back by a year", at: 13 * time.Hour, by: -year, text: "0 */6 * * *",
			exports: []string{"6h0m0s: A", "12h0m0s: A", "18h0m0s: A", "24h0m0s: A", "30h0m0s: A"},
		},
		{
			name: "back by a minute over a fire that was served", at: 12*time.Hour + 30*time.Second, by: -time.Minute, text: "0 */6 * * *",
			exports: []string{"6h0m0s: A", "12h0m0s: A", "18h1m0s: A", "24h1m0s: A", "30h1m0s: A"},
		},
		{
			name: "back by a day while an export runs", at: 7 * time.Hour, by: -24 * time.Hour, takes: 2 * time.Hour, text: "0 */6 * * *",
			exports: []string{"6h0m0s: A", "12h0m0s: A", "18h0m0s: A", "24h0m0s: A", "30h0m0s: A"},
		},
		{
			name: "forward by a year and back", at: 13 * time.Hour, by: year, again: 6 * time.Hour, text: "0 */6 * * *",
			exports: []string{"6h0m0s: A", "12h0m0s: A", "13h0m0s: A", "18h0m0s: A", "24h0m0s: A", "30h0m0s: A"},
			missed:  []string{"18h0m0s to 8766h0m0s A asleep"},
		},
		{
			name: "an interval, back by days", at: 5 * time.Hour, by: -72 * time.Hour, text: "@every 4h",
			exports: []string{"4h0m10s: A", "9h0m10s: A", "13h0m10s: A", "17h0m10s: A", "21h0m10s: A", "25h0m10s: A", "29h0m10s: A"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && tt.by.Abs() == year {
				t.Skip("-short: it goes through the fires of a year; make test runs it")
			}
			synctest.Test(t, func(t *testing.T) {
				p := playing(t, &schedule.Timetable{Default: parse(t, tt.text)}, schedule.Known{Name: "A", Last: time.Now()})
				p.takes = tt.takes
				p.Clock = func() time.Time {
					now := time.Now()
					if real := now.Sub(p.began); real >= tt.at && (tt.again == 0 || real < tt.at+tt.again) {
						return now.Add(tt.by)
					}
					return now
				}
				var jumps []time.Duration
				p.Jumped = func(by time.Duration) { jumps = append(jumps, by) }
				p.lasts(31 * time.Hour)
				p.want(tt.exports, tt.missed)
				want := []time.Duration{tt.by}
				if tt.again > 0 {
					want = append(want, -tt.by)
				}
				if d := cmp.Diff(want, jumps); d != "" {
					t.Error("jumps:", d)
				}
			})
		})
	}
}

// A table whose last run began in the future, as a wrong clock said, is
// exported at once and then on its schedule.
func TestALastRunInTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		p := playing(t, &schedule.Timetable{Default: parse(t, "0 */6 * * *")},
			schedule.Known{Name: "A", Last: now.Add(1000 * time.Hour)}, schedule.Known{Name: "B", Last: now.Add(20 * time.Second)})
		var ahead []string
		p.Ahead = func(table string, _ time.Time) { ahead = append(ahead, table) }
		p.lasts(7 * time.Hour)
		p.want([]string{"0s: A", "6h0m0s: A B"}, nil)
		if d := cmp.Diff([]string{"A"}, ahead); d != "" {
			t.Error(d)
		}
	})
}
