package schedule_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport/internal/serve/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// play is a loop in a bubble of time that begins at 2000-01-01T00:00Z.
type play struct {
	*schedule.Loop
	t       *testing.T
	began   time.Time
	running bool
	exports []string // "hours since the beginning: tables"
	missed  []string
	takes   time.Duration
}

func (p *play) since(t time.Time) string { return t.Sub(p.began).String() }

func playing(t *testing.T, timetable *schedule.Timetable, tables ...schedule.Known) *play {
	p := &play{t: t, began: time.Now()}
	p.Loop = &schedule.Loop{
		Timetable: func() schedule.Timetable { return *timetable },
		Tables:    func(context.Context) ([]schedule.Known, error) { return tables, nil },
		Export: func(ctx context.Context, tables []string) []string {
			if p.running {
				t.Error("two exports at once")
			}
			p.running = true
			defer func() { p.running = false }()
			line := p.since(time.Now()) + ":"
			for _, name := range tables {
				line += " " + name
			}
			p.exports = append(p.exports, line)
			select {
			case <-time.After(p.takes):
			case <-ctx.Done():
			}
			return nil
		},
		Missed: func(m schedule.Missed) {
			p.missed = append(p.missed, p.since(m.First)+" to "+p.since(m.Last)+" "+m.Table+" "+string(m.Reason))
		},
		Decided: func(schedule.Decision) {},
	}
	return p
}

// for runs the loop for a time.
func (p *play) lasts(d time.Duration) {
	ctx, cancel := context.WithTimeout(p.t.Context(), d)
	defer cancel()
	p.Run(ctx)
}

func (p *play) want(exports, missed []string) {
	p.t.Helper()
	if d := cmp.Diff(exports, p.exports); d != "" {
		p.t.Error("exports:", d)
	}
	if d := cmp.Diff(missed, p.missed); d != "" {
		p.t.Error("missed:", d)
	}
}

func TestEachTableOnItsOwnSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		p := playing(t, &schedule.Timetable{Default: parse(t, "0 */6 * * *"), Own: map[string]schedule.Schedule{"B": parse(t, "0 */4 * * *"), "C": parse(t, "off")}},
			schedule.Known{Name: "A", Last: now}, schedule.Known{Name: "B", Last: now}, schedule.Known{Name: "C"})
		p.takes = 10 * time.Minute
		p.lasts(13 * time.Hour)
		p.want([]string{"4h0m0s: B", "6h0m0s: A", "8h0m0s: B", "12h0m0s: A B"}, nil)
	})
}

func TestCatchUpAndFirstExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		p := playing(t, &schedule.Timetable{Default: parse(t, "0 */6 * * *")},
			schedule.Known{Name: "A", Last: now.Add(-13 * time.Hour)}, schedule.Known{Name: "B"}, schedule.Known{Name: "C", Last: now.Add(-3 * time.Second)})
		p.lasts(time.Hour)
		p.want([]string{"0s: A B"}, []string{"-12h0m0s to 0s A down"})
	})
}

func TestLongRunsAreNotOverlapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, &schedule.Timetable{Default: parse(t, "0 * * * *")}, schedule.Known{Name: "A", Last: time.Now()})
		p.takes = 150 * time.Minute
		p.lasts(7 * time.Hour)
		p.want([]string{"1h0m0s: A", "3h30m0s: A", "6h0m0s: A"}, []string{"2h0m0s to 2h0m0s A busy", "4h0m0s to 5h0m0s A busy"})
	})
}

func TestWhatOthersHoldIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, &schedule.Timetable{Default: parse(t, "0 * * * *")}, schedule.Known{Name: "A", Last: time.Now()})
		p.Export = func(context.Context, []string) []string { return []string{"A"} }
		p.lasts(2*time.Hour + time.Minute)
		p.want(nil, []string{"1h0m0s to 1h0m0s A held", "2h0m0s to 2h0m0s A held"})
	})
}

// A new schedule begins when it is set; unserved fires of the old one are
// reported.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var timetable atomic.Pointer[schedule.Timetable]
		timetable.Store(&schedule.Timetable{Default: parse(t, "0 * * * *")})
		changed, later := make(chan struct{}), parse(t, "*/20 * * * *")
		p := playing(t, nil, schedule.Known{Name: "A", Last: time.Now()})
		p.Timetable = func() schedule.Timetable { return *timetable.Load() }
		p.Changed, p.takes = changed, 90*time.Minute
		go func() {
			time.Sleep(2*time.Hour + 15*time.Minute) // in the middle of the run
			timetable.Store(&schedule.Timetable{Default: later})
			select {
			case changed <- struct{}{}:
			case <-t.Context().Done():
			}
		}()
		p.lasts(3 * time.Hour)
		p.want([]string{"1h0m0s: A", "2h40m0s: A"}, []string{"2h0m0s to 2h0m0s A reload"})
	})
}

// Tables that cannot be read are asked for again; those known go on.
func TestTheLedgerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		p := playing(t, &schedule.Timetable{Default: parse(t, "0 * * * *")})
		last := time.Now()
		p.Tables = func(context.Context) ([]schedule.Known, error) {
			if asked++; asked <= 3 || asked > 4 {
				return nil, errors.New("away")
			}
			return []schedule.Known{{Name: "A", Last: last}}, nil
		}
		p.lasts(2*time.Hour + time.Minute)
		p.want([]string{"1h0m0s: A", "2h0m0s: A"}, nil)
	})
}

// Every fire of a year of random troubles is served or told.
func TestNoFireIsLost(t *testing.T) {
	hours := 2000
	if testing.Short() {
		hours = 400
	}
	synctest.Test(t, func(t *testing.T) {
		hourly := parse(t, "0 * * * *")
		served := map[time.Time]int{}
		began := time.Now()
		last := began
		random := uint64(1)
		next := func(n uint64) uint64 {
			random = random*6364136223846793005 + 1442695040888963407
			return (random >> 33) % n
		}
		for time.Since(began) < time.Duration(hours)*time.Hour {
			p := playing(t, &schedule.Timetable{Default: hourly}, schedule.Known{Name: "A", Last: last})
			p.Missed = func(m schedule.Missed) {
				for fire := m.First; !fire.After(m.Last); fire = hourly.Next(fire) {
					served[fire]++
				}
				if m.MadeUp && m.Reason == schedule.Down { // its last fire is the one that the run serves
					served[m.Last]--
				}
			}
			p.Decided = func(d schedule.Decision) {
				for _, fire := range d.Fires {
					served[fire]++
				}
			}
			p.Export = func(context.Context, []string) []string {
				last = time.Now()
				time.Sleep(time.Duration(next(200)) * time.Minute)
				return nil
			}
			p.lasts(time.Duration(1+next(40)) * time.Hour)
			time.Sleep(time.Duration(next(600)) * time.Minute)
		}
		var wrong []string
		for fire := hourly.Next(began); fire.Before(last); fire = hourly.Next(fire) {
			if served[fire] != 1 {
				wrong = append(wrong, fire.Sub(began).String())
			}
		}
		slices.Sort(wrong)
		if len(wrong) > 0 {
			t.Errorf("%d of %d fires are not accounted for exactly once: %v", len(wrong), len(served), wrong[:min(len(wrong), 10)])
		}
		if len(served) < hours/2 {
			t.Errorf("only %d fires", len(served))
		}
	})
}
