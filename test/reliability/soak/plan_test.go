package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/test/reliability/figures"
)

// made runs a plan, with n portions before its time has passed.
func made(p *plan, n int) {
	for i := 0; ; i++ {
		k, part := p.next(i >= n)
		if part == 0 {
			return
		}
		var f figures.Figures
		switch k {
		case kills:
			f.Kills = part
		case races:
			f.Races = part
		case faults:
			f.Faults = map[string]int{"any": part}
		case histories:
			f.Histories = part
		case worlds:
			f.Worlds, f.Faults = part, map[string]int{"any": 7}
		}
		p.done.add(f)
	}
}

func TestPlanMakesWhatIsRequiredWhenTimeIsShort(t *testing.T) {
	required := amounts{kills: 301, races: 2, faults: 10_000, histories: 3, worlds: 41}
	for _, before := range []int{0, 1, 7} {
		p := plan{required: required, portions: portions(required)}
		made(&p, before)
		if p.done.kills < 301 || p.done.races < 2 || p.done.faults < 10_000 || p.done.histories < 3 || p.done.worlds < 41 {
			t.Errorf("with %d portions in time: %+v, required %+v", before, p.done, required)
		}
	}
}

func TestPlanGoesOnWhileThereIsTime(t *testing.T) {
	required := amounts{kills: 5, faults: 5}
	p := plan{required: required, portions: portions(required)}
	made(&p, 40)
	if p.done.kills < 20 || p.done.faults < 20 {
		t.Errorf("40 portions made %+v", p.done)
	}
	if p.done.races > 0 || p.done.histories > 0 {
		t.Errorf("what nobody asked for was made: %+v", p.done)
	}
}

func TestLine(t *testing.T) {
	got := line(61*time.Minute, 7, figures.Figures{
		Kills: 312, Races: 204, Runs: 1700, Histories: 12, Worlds: 30, Faults: map[string]int{"a": 11_000, "b": 240}, Failures: []string{"3 rows lost of 4"},
	})
	want := "soak: 61m, seed 7: 312 kills, 204 races, 11,240 faults (2 kinds), 1,700 runs, 12 histories, 30 worlds of the export APIs; 1 lost, 0 duplicated, 0 other"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVerdict(t *testing.T) {
	stopped, stop := context.WithCancel(context.Background())
	stop()
	enough := amounts{kills: 1}
	for name, c := range map[string]struct {
		ctx   context.Context
		done  amounts
		f     figures.Figures
		wants string
	}{
		"good":        {context.Background(), enough, figures.Figures{Kills: 1}, ""},
		"a failure":   {context.Background(), enough, figures.Figures{Kills: 1, Failures: []string{"seed 9: lost"}}, "seed 9: lost"},
		"too few":     {context.Background(), amounts{}, figures.Figures{}, "0 kills, 1 are required"},
		"interrupted": {stopped, enough, figures.Figures{Kills: 1}, "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			err := verdict(c.ctx, plan{required: enough, done: c.done}, c.f)
			switch {
			case c.wants == "" && err != nil:
				t.Error(err)
			case c.wants != "" && (err == nil || !strings.Contains(err.Error(), c.wants)):
				t.Errorf("got %v, want %q", err, c.wants)
			}
		})
	}
}
