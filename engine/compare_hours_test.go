package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Windows are compared where units and batches have their edges in common.
func TestStretches(t *testing.T) {
	hour := func(a, b int) tvmexport.Window {
		return tvmexport.Window{From: at(a).Add(-tvmexport.Tick), To: at(b).Add(-tvmexport.Tick)}
	}
	batch := func(w tvmexport.Window, rows int64) tvmexport.BatchInfo {
		return tvmexport.BatchInfo{Slice: tvmexport.Slice{Window: w, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}, Rows: rows}
	}
	half := tvmexport.Window{From: at(1).Add(-tvmexport.Tick), To: at(1).Add(30 * time.Minute)}
	rest := tvmexport.Window{From: half.To, To: at(2).Add(-tvmexport.Tick)}
	for name, tt := range map[string]struct {
		units   []planUnit
		batches []tvmexport.BatchInfo
		want    string // windows that differ, before and fetched
	}{
		"as counted":                   {[]planUnit{{Window: hour(0, 1), Rows: 5}, {Window: hour(1, 2), Rows: 7}}, []tvmexport.BatchInfo{batch(hour(0, 2), 12)}, ""},
		"hours in one batch":           {[]planUnit{{Window: hour(0, 1), Rows: 5}, {Window: hour(1, 2), Rows: 7}}, []tvmexport.BatchInfo{batch(hour(0, 2), 13)}, "0-2 12 13;"},
		"an hour in two batches":       {[]planUnit{{Window: hour(0, 1), Rows: 5}, {Window: hour(1, 2), Rows: 7}}, []tvmexport.BatchInfo{batch(rest, 3), batch(hour(0, 1), 5), batch(half, 3)}, "1-2 7 6;"},
		"an hour in batches by key":    {[]planUnit{{Window: hour(0, 1), Rows: 5}}, []tvmexport.BatchInfo{batch(hour(0, 1), 2), batch(hour(0, 1), 3)}, ""},
		"an hour that was not fetched": {[]planUnit{{Window: hour(0, 1), Rows: 5}, {Window: hour(1, 2), Rows: 0}}, []tvmexport.BatchInfo{batch(hour(1, 2), 0)}, "0-1 5 0;"},
		"counted of a wider window":    {[]planUnit{{Window: half, Rows: 5, Wider: true}}, []tvmexport.BatchInfo{batch(half, 3)}, ""},
		"more than a wider window":     {[]planUnit{{Window: half, Rows: 5, Wider: true}}, []tvmexport.BatchInfo{batch(half, 6)}, "1-1 0-5 6;"},
		"hours and a part of one":      {[]planUnit{{Window: hour(0, 1), Rows: 4}, {Window: half, Rows: 5, Wider: true}}, []tvmexport.BatchInfo{batch(tvmexport.Window{From: hour(0, 1).From, To: half.To}, 4)}, ""},
		"fewer than its whole hours":   {[]planUnit{{Window: hour(0, 1), Rows: 4}, {Window: half, Rows: 5, Wider: true}}, []tvmexport.BatchInfo{batch(tvmexport.Window{From: hour(0, 1).From, To: half.To}, 3)}, "0-1 4-9 3;"},
		"rows without a time":          {[]planUnit{{Window: tvmexport.Window{Null: true}, Rows: 5}, {Window: hour(0, 1), Rows: 1}}, []tvmexport.BatchInfo{batch(hour(0, 1), 1), batch(tvmexport.Window{Null: true}, 4)}, "null 5 4;"},
		"a table without a time":       {[]planUnit{{Rows: 5}}, []tvmexport.BatchInfo{batch(tvmexport.Window{}, 2), batch(tvmexport.Window{}, 2)}, "all 5 4;"},
		"two stretches":                {[]planUnit{{Window: hour(0, 1), Rows: 5}, {Window: hour(4, 5), Rows: 1}}, []tvmexport.BatchInfo{batch(hour(4, 5), 2), batch(hour(0, 1), 4)}, "0-1 5 4;4-5 1 2;"},
	} {
		got := ""
		for _, d := range differingWindows(tt.units, tt.batches) {
			w := fmt.Sprintf("%d-%d", d.window.From.Add(tvmexport.Tick).Hour(), d.window.To.Add(tvmexport.Tick).Hour())
			switch {
			case d.window.Null:
				w = "null"
			case d.window == tvmexport.Window{}:
				w = "all"
			}
			counted := fmt.Sprint(d.least)
			if d.most != d.least {
				counted += fmt.Sprint("-", d.most)
			}
			got += fmt.Sprintf("%s %s %d;", w, counted, d.fetched)
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// Windows that begin and end with an hour are counted by one call.
func TestTogether(t *testing.T) {
	hour := func(a, b int) difference {
		return difference{window: tvmexport.Window{From: at(a).Add(-tvmexport.Tick), To: at(b).Add(-tvmexport.Tick)}}
	}
	within := difference{window: tvmexport.Window{From: at(2).Add(-tvmexport.Tick), To: at(2).Add(time.Minute)}}
	behind := difference{window: tvmexport.Window{From: at(2).Add(time.Minute), To: at(3).Add(-tvmexport.Tick)}}
	null, all := difference{window: tvmexport.Window{Null: true}}, difference{}
	for name, tt := range map[string]struct {
		list []difference
		want int
	}{
		"one":                  {[]difference{hour(0, 1)}, 1},
		"hours":                {[]difference{hour(0, 1), hour(1, 2), hour(4, 6)}, 3},
		"an end within":        {[]difference{hour(0, 1), within, hour(3, 4)}, 2},
		"a beginning within":   {[]difference{hour(0, 1), behind}, 1},
		"first, within":        {[]difference{behind, hour(3, 4)}, 2},
		"rows without a time":  {[]difference{hour(0, 1), null}, 1},
		"a table without time": {[]difference{all}, 1},
	} {
		if got := together(tt.list); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	list := []difference{hour(0, 1), hour(4, 6)}
	list[1].least, list[1].most = 5, 5
	fill(list, []tvmexport.Count{{Start: at(5), Rows: 2}, {Start: at(0), Rows: 9}, {Start: at(4), Rows: 3}, {Start: at(2), Rows: 100}})
	if list[0].after != 9 || list[1].after != 5 || !list[0].moved || list[1].moved {
		t.Errorf("%+v", list)
	}
}

// TestExplained: a count that has changed explains the numbers between the counts, not
// those below or above both.
func TestExplained(t *testing.T) {
	for name, tt := range map[string]struct {
		d    difference
		want bool
	}{
		"as counted afterwards":       {difference{least: 5, most: 5, fetched: 7, after: 7, moved: true}, true},
		"between the counts":          {difference{least: 5, most: 5, fetched: 6, after: 7, moved: true}, true},
		"fewer than both":             {difference{least: 5, most: 5, fetched: 4, after: 7, moved: true}, false},
		"more than both":              {difference{least: 5, most: 5, fetched: 8, after: 7, moved: true}, false},
		"the same count twice":        {difference{least: 5, most: 5, fetched: 4, after: 5}, false},
		"between the bounds":          {difference{least: 5, most: 9, fetched: 8, after: 11, moved: true}, true},
		"fewer than the whole hours":  {difference{least: 5, most: 9, fetched: 4, after: 11, moved: true}, false},
		"the count of a part is less": {difference{least: 5, most: 9, fetched: 2, after: 2, moved: true}, true},
	} {
		if got := tt.d.explained(); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
