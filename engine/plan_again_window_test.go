package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tvmexport/tvmexport"
)

func TestAskedForAgainIsDisjoint(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	w := func(from, to int) tvmexport.Window {
		return tvmexport.Window{From: start.Add(time.Duration(from) * time.Hour), To: start.Add(time.Duration(to) * time.Hour)}
	}
	own := tvmexport.Window{From: start.Add(10 * time.Hour)}
	for name, c := range map[string]struct {
		list []tvmexport.Window
		own  tvmexport.Window
		want []tvmexport.Window
	}{
		"Nothing":                {nil, own, nil},
		"Apart":                  {[]tvmexport.Window{w(5, 6), w(1, 2)}, own, []tvmexport.Window{w(1, 2), w(5, 6)}},
		"Overlapping":            {[]tvmexport.Window{w(1, 4), w(3, 6)}, own, []tvmexport.Window{w(1, 6)}},
		"OneWithinTheOther":      {[]tvmexport.Window{w(1, 8), w(3, 6)}, own, []tvmexport.Window{w(1, 8)}},
		"Touching":               {[]tvmexport.Window{w(1, 2), w(2, 3)}, own, []tvmexport.Window{w(1, 3)}},
		"Twice":                  {[]tvmexport.Window{w(1, 2), w(1, 2)}, own, []tvmexport.Window{w(1, 2)}},
		"IntoTheRunsOwn":         {[]tvmexport.Window{w(8, 12), w(11, 12)}, own, []tvmexport.Window{w(8, 10)}},
		"OpenAtTheEnd":           {[]tvmexport.Window{{From: start}}, own, []tvmexport.Window{w(0, 10)}},
		"OfARunFromTheBeginning": {[]tvmexport.Window{w(1, 2)}, tvmexport.Window{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, asAgain(c.list, c.own)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
