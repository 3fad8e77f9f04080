package schedule

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Fires over the changes of clocks, as the zone's clock and offset show them.
func TestFiresOverGapsAndFolds(t *testing.T) {
	const layout = "2006-01-02T15:04-07:00"
	tests := []struct {
		name, text string
		from, to   string // in UTC
		want       []string
	}{
		{
			"Berlin, a gap", "CRON_TZ=Europe/Berlin 30 2 * * *", "2027-03-27T00:00", "2027-03-30T00:00",
			[]string{"2027-03-27T02:30+01:00", "2027-03-28T03:00+02:00", "2027-03-29T02:30+02:00"},
		},
		{
			"Berlin, a fold", "CRON_TZ=Europe/Berlin 30 2 * * *", "2027-10-30T00:00", "2027-11-02T00:00",
			[]string{"2027-10-30T02:30+02:00", "2027-10-31T02:30+02:00", "2027-11-01T02:30+01:00"},
		},
		{
			"several times in a gap are one", "TZ=Europe/Berlin */20 1-3 * * *", "2027-03-28T00:00", "2027-03-28T12:00",
			[]string{"2027-03-28T01:20+01:00", "2027-03-28T01:40+01:00", "2027-03-28T03:00+02:00", "2027-03-28T03:20+02:00", "2027-03-28T03:40+02:00"},
		},
		{
			"every hour goes on over a gap", "TZ=Europe/Berlin 30 * * * *", "2027-03-28T00:00", "2027-03-28T03:00",
			[]string{"2027-03-28T01:30+01:00", "2027-03-28T03:30+02:00", "2027-03-28T04:30+02:00"},
		},
		{
			"every hour goes on over a fold", "TZ=Europe/Berlin 30 * * * *", "2027-10-30T23:45", "2027-10-31T03:00",
			[]string{"2027-10-31T02:30+02:00", "2027-10-31T02:30+01:00", "2027-10-31T03:30+01:00"},
		},
		{
			"New York, a gap", "CRON_TZ=America/New_York 15 2 * * *", "2027-03-14T00:00", "2027-03-15T12:00",
			[]string{"2027-03-14T03:00-04:00", "2027-03-15T02:15-04:00"},
		},
		{
			"New York, a fold", "CRON_TZ=America/New_York 0 1 * * *", "2027-11-07T00:00", "2027-11-08T12:00",
			[]string{"2027-11-07T01:00-04:00", "2027-11-08T01:00-05:00"},
		},
		{
			"Lord Howe, a gap of half an hour", "CRON_TZ=Australia/Lord_Howe 10 2 * * *", "2026-10-03T12:00", "2026-10-04T20:00",
			[]string{"2026-10-04T02:30+11:00", "2026-10-05T02:10+11:00"},
		},
		{
			"Lord Howe, a fold of half an hour", "CRON_TZ=Australia/Lord_Howe 45 1 * * *", "2027-04-03T12:00", "2027-04-04T20:00",
			[]string{"2027-04-04T01:45+11:00", "2027-04-05T01:45+10:30"},
		},
		{
			"Sao Paulo, a day without midnight", "CRON_TZ=America/Sao_Paulo 0 0 * * *", "2018-11-03T12:00", "2018-11-05T12:00",
			[]string{"2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"},
		},
		{
			"Sao Paulo, the hour before midnight twice", "CRON_TZ=America/Sao_Paulo 30 23 * * *", "2018-02-17T12:00", "2018-02-19T12:00",
			[]string{"2018-02-17T23:30-02:00", "2018-02-18T23:30-03:00"},
		},
		{
			"Apia, a day that was skipped", "CRON_TZ=Pacific/Apia 30 2 * * *", "2011-12-29T00:00", "2012-01-01T00:00",
			[]string{"2011-12-29T02:30-10:00", "2011-12-31T00:00+14:00", "2011-12-31T02:30+14:00", "2012-01-01T02:30+14:00"},
		},
		{
			"Apia, the first of a month after a gap", "CRON_TZ=Pacific/Apia 0 0 1 * *", "2011-11-15T00:00", "2012-01-15T00:00",
			[]string{"2011-12-01T00:00-10:00", "2012-01-01T00:00+14:00"},
		},
		{
			"UTC has neither", "30 2 * * *", "2027-03-27T12:00", "2027-03-29T12:00",
			[]string{"2027-03-28T02:30+00:00", "2027-03-29T02:30+00:00"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			from, to := utc(t, tt.from), utc(t, tt.to)
			for way, fires := range ways(s, from) {
				var got []string
				for fire := range fires(to) {
					got = append(got, fire.In(s.times.(*fields).zone).Format(layout))
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("%s: %s", way, d)
				}
			}
		})
	}
}

func utc(t *testing.T, text string) time.Time {
	at, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// ways are the two ways to find the fires from a moment to another one.
func ways(s Schedule, from time.Time) map[string]func(to time.Time) iter.Seq[time.Time] {
	return map[string]func(to time.Time) iter.Seq[time.Time]{
		"from fire to fire": func(to time.Time) iter.Seq[time.Time] {
			return func(yield func(time.Time) bool) {
				for fire := range s.chain(from) {
					if fire.After(to) || !yield(fire) {
						return
					}
				}
			}
		},
		"each minute": func(to time.Time) iter.Seq[time.Time] { return s.times.elapsed(from, to) },
	}
}

// named are the values of one field, and how they are written.
type named struct {
	text string
	set  map[int]bool
}

func random(r *rand.Rand, least, most, many int) named {
	if r.IntN(4) == 0 {
		n := named{text: "*", set: map[int]bool{}}
		for v := least; v <= most; v++ {
			n.set[v] = true
		}
		return n
	}
	n := named{set: map[int]bool{}}
	var list []string
	for range 1 + r.IntN(many) {
		v := least + r.IntN(most-least+1)
		n.set[v] = true
		list = append(list, fmt.Sprint(v))
	}
	n.text = strings.Join(list, ",")
	return n
}

// Random expressions in many zones, around every change of their clocks,
// against a list of what a clock on the wall shows minute by minute.
func TestFiresAgainstAClockOnTheWall(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "Asia/Tehran", "America/St_Johns", "Antarctica/Troll", "Asia/Kathmandu", "UTC"}
	r := rand.New(rand.NewPCG(11, 7))
	compared, expressions := 0, 16
	if testing.Short() {
		expressions = 5
	}
	for _, zone := range zones {
		where, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		changes := []time.Time{time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
		for at := time.Date(2008, 1, 1, 0, 0, 0, 0, time.UTC); ; {
			_, end := at.In(where).ZoneBounds()
			if end.IsZero() || end.Year() > 2030 {
				break
			}
			changes, at = append(changes, end.UTC()), end
		}
		for range expressions {
			minute, hour, dom, month, dow := random(r, 0, 59, 3), random(r, 0, 23, 5), random(r, 1, 31, 9), random(r, 1, 12, 9), random(r, 0, 6, 4)
			s, err := Parse(strings.Join([]string{"CRON_TZ=" + zone, minute.text, hour.text, dom.text, month.text, dow.text}, " "))
			if err != nil {
				continue // no such date
			}
			names := func(shown time.Time) bool {
				day := dom.set[shown.Day()] && dow.set[int(shown.Weekday())]
				if dom.text != "*" && dow.text != "*" {
					day = dom.set[shown.Day()] || dow.set[int(shown.Weekday())]
				}
				return day && month.set[int(shown.Month())] && hour.set[shown.Hour()] && minute.set[shown.Minute()]
			}
			change := changes[r.IntN(len(changes))]
			from, to := change.Add(-40*time.Hour), change.Add(40*time.Hour)
			want := onTheWall(where, from, to, len(hour.set) == 24, names)
			for way, fires := range ways(s, from) {
				if got := slices.Collect(fires(to)); !slices.Equal(got, want) {
					t.Fatalf("%s: %s from %s to %s:\n%s\nwant\n%s", way, s, from, to, got, want)
				}
			}
			compared += len(want)
		}
	}
	if compared < 60*expressions {
		t.Errorf("only %d fires were compared", compared)
	}
}

// onTheWall lists the minutes at which a named reading is shown (always), or
// else at which one is shown or passed over for the first time.
func onTheWall(where *time.Location, from, to time.Time, always bool, names func(time.Time) bool) (fires []time.Time) {
	seen := map[int64]bool{}
	var highest time.Time
	for t := from.Add(-30 * time.Hour).Truncate(time.Minute); !t.After(to); t = t.Add(time.Minute) {
		shown, err := time.Parse(time.DateTime, t.In(where).Format(time.DateTime))
		if err != nil {
			panic(err)
		}
		fire := always && names(shown)
		if highest.IsZero() {
			highest = shown
		}
		for skipped := highest; !skipped.After(shown) && !always; skipped = skipped.Add(time.Minute) {
			if key := skipped.Unix(); names(skipped) && !seen[key] {
				seen[key], fire = true, true
			}
		}
		if shown.After(highest) {
			highest = shown
		}
		if fire && t.After(from) {
			fires = append(fires, t)
		}
	}
	return fires
}

// forgetful loses one fire of those that it names, as a schedule library did.
type forgetful struct {
	*fields
	lost time.Time
}

func (f forgetful) next(t time.Time) time.Time {
	if next := f.fields.next(t); !next.Equal(f.lost) {
		return next
	}
	return f.fields.next(f.lost)
}

// A fire that one of the two searches loses is served, or counted as missed.
func TestAFireThatTheSearchLosesIsNotLost(t *testing.T) {
	s, err := Parse("0 */6 * * *")
	if err != nil {
		t.Fatal(err)
	}
	lost := utc(t, "2026-11-23T12:00")
	s.times = forgetful{s.times.(*fields), lost}
	timetable := Timetable{Default: s}
	table := []Table{{Name: "T", Served: utc(t, "2026-11-23T06:00"), Why: Busy}}
	d := timetable.Decide(utc(t, "2026-11-23T12:01"), table)
	if !d.Fires["T"].Equal(lost) || len(d.Missed) > 0 {
		t.Errorf("due are %v, missed %v", d.Fires, d.Missed)
	}
	d = timetable.Decide(utc(t, "2026-11-23T18:01"), table)
	if len(d.Missed) != 1 || d.Missed[0].Count != 1 || !d.Missed[0].First.Equal(lost) {
		t.Errorf("missed are %v", d.Missed)
	}
}

// What is missed is also counted where a schedule fires a million times.
func TestCountsOfLongDowntimes(t *testing.T) {
	now := utc(t, "2026-11-23T12:00")
	for text, want := range map[string]int{"@every 1m": 366 * 1440, "* * * * *": 366 * 1440, "@yearly": 1, "0 0 29 2 *": 0, "CRON_TZ=Europe/Berlin 30 2 * * *": 366} {
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := Timetable{Default: s, Jitter: time.Minute}.fired(s, time.Unix(0, 0), now)
		if got := p.Count; got < want-61 || got > want { // the newest may be delayed
			t.Errorf("%s: %d, want about %d", text, got, want)
		}
	}
}
