package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tvmexport/tvmexport"
)

func TestJoined(t *testing.T) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	window := func(from, to int) tvmexport.Window {
		return tvmexport.Window{From: day.Add(time.Duration(from)*time.Hour - tvmexport.Tick), To: day.Add(time.Duration(to)*time.Hour - tvmexport.Tick)}
	}
	var source []tvmexport.Count
	for h, n := range []int64{5, 5, 9, 5, 0, 5, 30, 5, 5} {
		source = append(source, tvmexport.Count{Start: day.Add(time.Duration(h) * time.Hour), Rows: n})
	}
	hours := func(list ...int) []planUnit {
		var out []planUnit
		for _, h := range list {
			out = append(out, planUnit{Window: window(h, h+1), Rows: source[h].Rows})
		}
		return out
	}
	for _, c := range []struct {
		name string
		in   []planUnit
		but  []tvmexport.Window
		most int64
		want []planUnit
	}{
		{"nothing", nil, nil, 100, nil},
		{"neighbours, in any order", hours(1, 0), nil, 100, []planUnit{{Window: window(0, 2), Rows: 10}}},
		{"an hour between", hours(0, 1, 3), nil, 100, []planUnit{{Window: window(0, 4), Rows: 24}}},
		{"an hour of more rows between", hours(5, 7, 8), nil, 100, []planUnit{{Window: window(5, 6), Rows: 5}, {Window: window(7, 9), Rows: 10}}},
		{"an empty hour between", hours(3, 5), nil, 100, []planUnit{{Window: window(3, 6), Rows: 10}}},
		{"no more than one call carries", hours(0, 1, 2), nil, 12, []planUnit{{Window: window(0, 2), Rows: 10}, {Window: window(2, 3), Rows: 9}}},
		{"a window between that is asked for anyway", hours(0, 1, 3), []tvmexport.Window{window(2, 3)}, 100, []planUnit{{Window: window(0, 2), Rows: 10}, {Window: window(3, 4), Rows: 5}}},
	} {
		if diff := cmp.Diff(c.want, coalesceHours(c.in, source, c.but, c.most)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
