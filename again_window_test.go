package tvmexport

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAskedForAgainIsDisjoint(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	w := func(from, to int) Window {
		return Window{From: start.Add(time.Duration(from) * time.Hour), To: start.Add(time.Duration(to) * time.Hour)}
	}
	own := Window{From: start.Add(10 * time.Hour)}
	for name, c := range map[string]struct {
		list []Window
		own  Window
		want []Window
	}{
		"Nothing":                {nil, own, nil},
		"Apart":                  {[]Window{w(5, 6), w(1, 2)}, own, []Window{w(1, 2), w(5, 6)}},
		"Overlapping":            {[]Window{w(1, 4), w(3, 6)}, own, []Window{w(1, 6)}},
		"OneWithinTheOther":      {[]Window{w(1, 8), w(3, 6)}, own, []Window{w(1, 8)}},
		"Touching":               {[]Window{w(1, 2), w(2, 3)}, own, []Window{w(1, 3)}},
		"Twice":                  {[]Window{w(1, 2), w(1, 2)}, own, []Window{w(1, 2)}},
		"IntoTheRunsOwn":         {[]Window{w(8, 12), w(11, 12)}, own, []Window{w(8, 10)}},
		"OpenAtTheEnd":           {[]Window{{From: start}}, own, []Window{w(0, 10)}},
		"OfARunFromTheBeginning": {[]Window{w(1, 2)}, Window{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, asAgain(c.list, c.own)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
