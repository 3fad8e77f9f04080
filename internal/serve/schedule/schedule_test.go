package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/internal/serve/schedule"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, "2026-11-"+s+":00Z")
	if err != nil {
		panic(err)
	}
	return t
}

func parse(t *testing.T, text string) schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	for text, want := range map[string]time.Time{
		"0 */6 * * *":                         at("23T12:00"),
		"@daily":                              at("24T00:00"),
		"@every 90m":                          at("23T11:47"),
		"CRON_TZ=Europe/Berlin 30 11 * * MON": at("23T10:30"),
		"off":                                 {},
	} {
		if got := parse(t, text).Next(at("23T10:17")); !got.Equal(want) {
			t.Errorf("%s: next is %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "* * * *", "61 * * * *", "TZ=", "CRON_TZ=UTC", "CRON_TZ= ", "CRON_TZ=Nowhere/City 0 0 * * *", "0 0 30 2 *", "@every", "@every x", "@sometimes", "0 0 * * * *"} {
		if _, err := schedule.Parse(text); err == nil || !strings.Contains(err.Error(), "not a schedule") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0 */6 * * *", "TZ=UTC 1-5/2,7 ? L * 7", "@every 1h", "CRON_TZ=", "@every -9223372036854775808ns", "off"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := schedule.Parse(text)
		if err != nil {
			return
		}
		now := at("23T10:17")
		if next := s.Next(now); !next.IsZero() && !next.After(now) {
			t.Errorf("%q fires at %s, which is not behind %s", text, next, now)
		}
	})
}

func TestDecide(t *testing.T) {
	const six = "0 */6 * * *"
	span := func(n int, first, last string) schedule.Span {
		return schedule.Span{Count: n, First: at(first), Last: at(last)}
	}
	tests := []struct {
		name   string
		table  schedule.Table
		text   string
		now    string
		due    string // the fire that is served; "" if nothing is due, "first" for the first export
		missed *schedule.Missed
		next   string
	}{
		{"not yet", schedule.Table{Served: at("23T06:00"), Why: schedule.Asleep}, six, "23T11:59", "", nil, "23T12:00"},
		{"in time", schedule.Table{Served: at("23T06:00"), Why: schedule.Asleep}, six, "23T12:00", "23T12:00", nil, "23T18:00"},
		{"late, nothing missed", schedule.Table{Served: at("23T06:00"), Why: schedule.Busy}, six, "23T13:00", "23T12:00", nil, "23T18:00"},
		{"busy over two fires", schedule.Table{Served: at("23T00:00"), Why: schedule.Busy}, six, "23T18:30", "23T18:00", &schedule.Missed{Span: span(2, "23T06:00", "23T12:00"), Reason: schedule.Busy, MadeUp: true}, "24T00:00"},
		{"down over one", schedule.Table{Served: at("23T07:00"), Why: schedule.Down}, six, "23T13:00", "23T12:00", &schedule.Missed{Span: span(1, "23T12:00", "23T12:00"), Reason: schedule.Down, MadeUp: true}, "23T18:00"},
		{"down over three", schedule.Table{Served: at("22T20:00"), Why: schedule.Down}, six, "23T13:00", "23T12:00", &schedule.Missed{Span: span(3, "23T00:00", "23T12:00"), Reason: schedule.Down, MadeUp: true}, "23T18:00"},
		{"started again in between", schedule.Table{Served: at("23T12:05"), Why: schedule.Down}, six, "23T13:00", "", nil, "23T18:00"},
		{"never exported", schedule.Table{Why: schedule.Down}, six, "23T13:00", "first", nil, "23T18:00"},
		{"switched on again", schedule.Table{Served: at("20T13:00")}, six, "23T13:00", "23T12:00", nil, "23T18:00"},
		{"off", schedule.Table{Why: schedule.Down}, "off", "23T13:00", "", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.table.Name = "T"
			timetable := schedule.Timetable{Default: parse(t, "@daily"), Own: map[string]schedule.Schedule{"T": parse(t, tt.text)}}
			got := timetable.Decide(at(tt.now), []schedule.Table{tt.table})
			want := schedule.Decision{Fires: map[string]time.Time{}, Next: map[string]time.Time{}}
			switch tt.due {
			case "":
			case "first":
				want.Due, want.Fires["T"] = []string{"T"}, time.Time{}
			default:
				want.Due, want.Fires["T"] = []string{"T"}, at(tt.due)
			}
			if tt.missed != nil {
				tt.missed.Table = "T"
				want.Missed = []schedule.Missed{*tt.missed}
			}
			if tt.next != "" {
				want.Next["T"] = at(tt.next)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Delays are below the jitter and half the interval, the same each time, and
// differ between installations.
func TestJitter(t *testing.T) {
	seen := map[time.Duration]bool{}
	for _, tt := range []struct {
		text         string
		jitter, most time.Duration
	}{{"0 */6 * * *", 10 * time.Minute, 10 * time.Minute}, {"* * * * *", 10 * time.Minute, 30 * time.Second}} {
		for seed := range 50 {
			timetable := schedule.Timetable{Default: parse(t, tt.text), Jitter: tt.jitter, Seed: strings.Repeat("x", seed)}
			next := func() time.Duration {
				d := timetable.Decide(at("23T11:59"), []schedule.Table{{Name: "T", Served: at("23T11:59")}})
				return d.Next["T"].Sub(at("23T12:00"))
			}
			delay := next()
			if delay < 0 || delay > tt.most || delay != next() {
				t.Fatalf("%s: delayed by %s, then by %s; at most %s", tt.text, delay, next(), tt.most)
			}
			seen[delay] = true
		}
	}
	if len(seen) < 90 {
		t.Errorf("100 installations have %d different delays", len(seen))
	}
}
