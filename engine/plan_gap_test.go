package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// A gap is what is gone of what the run should read.
func TestGapOf(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	day := func(n float64) time.Time { return start.Add(time.Duration(n * float64(24*time.Hour))) }
	between := func(from, to float64) tvmexport.Window { return tvmexport.Window{From: day(from), To: day(to)} }
	gone := func(to float64) tvmexport.Window { return tvmexport.Window{From: day(-2), To: day(to)} }
	rows := func(at float64, n int64) tvmexport.Count { return tvmexport.Count{Start: day(at), Rows: n} }
	none := tvmexport.Window{}
	for name, c := range map[string]struct {
		reached time.Time
		window  tvmexport.Window
		gone    tvmexport.Window
		parts   []tvmexport.Count
		want    tvmexport.Window
	}{
		"NothingGone":               {day(1), between(1, 20), none, nil, none},
		"FirstRun":                  {time.Time{}, between(1, 20), gone(6), nil, none},
		"FirstRunOfAll":             {time.Time{}, tvmexport.Window{To: day(20)}, tvmexport.Window{To: day(6)}, nil, none},
		"BeforeTheWatermark":        {day(7), between(7, 20), gone(6), nil, none},
		"UpToTheWatermark":          {day(6), between(6, 20), gone(6), nil, none},
		"OneTickBehindTheWatermark": {day(6), between(6, 20), tvmexport.Window{To: day(6).Add(tvmexport.Tick)}, nil, tvmexport.Window{From: day(6), To: day(6).Add(tvmexport.Tick)}},
		"BehindTheWatermark":        {day(1), between(1, 20), gone(6), nil, between(1, 6)},
		"RowsAfterIt":               {day(1), between(1, 20), gone(6), []tvmexport.Count{rows(0, 3), rows(7, 2)}, between(1, 6)},
		"RowsWithinIt":              {day(1), between(1, 20), gone(6), []tvmexport.Count{rows(4, 2), rows(3, 1), rows(7, 2)}, tvmexport.Window{From: day(1), To: day(3).Add(-tvmexport.Tick)}},
		"AnHourWithoutRows":         {day(1), between(1, 20), gone(6), []tvmexport.Count{rows(3, 0)}, between(1, 6)},
		"RowsWithoutAWatermark":     {day(1), between(1, 20), gone(6), []tvmexport.Count{{Rows: 7}}, between(1, 6)},
		"OfAFullRun":                {day(1), tvmexport.Window{To: day(20)}, tvmexport.Window{To: day(6)}, nil, between(1, 6)},
		"ALaterStartWasOrdered":     {day(1), between(4, 20), gone(6), nil, between(4, 6)},
		"AStartBehindIt":            {day(1), between(7, 20), gone(6), nil, none},
		"EndsBeforeIt":              {day(1), between(1, 4), gone(6), nil, between(1, 4)},
		"TheClockWentBack":          {day(9), between(8, 8), gone(-6), nil, none},
		"WatermarkInTheFuture":      {day(30), between(20, 20), gone(6), nil, none},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, gapOf(c.reached, c.window, tvmexport.Counts{Gone: c.gone, Parts: c.parts})); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// What is compared begins where nothing is gone.
func TestKept(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	between := func(from, to int) tvmexport.Window { return tvmexport.Window{From: day(from), To: day(to)} }
	for name, c := range map[string]struct{ window, gone, want tvmexport.Window }{
		"NothingGone":    {between(1, 20), tvmexport.Window{}, between(1, 20)},
		"GoneBefore":     {between(5, 20), between(1, 3), between(5, 20)},
		"GoneWithin":     {between(1, 20), between(1, 6), between(6, 20)},
		"OpenBeginning":  {tvmexport.Window{To: day(20)}, tvmexport.Window{To: day(6)}, between(6, 20)},
		"All":            {between(1, 6), between(1, 6), tvmexport.Window{}},
		"AllAndMore":     {between(1, 6), between(1, 9), tvmexport.Window{}},
		"NothingToBegin": {tvmexport.Window{}, tvmexport.Window{}, tvmexport.Window{}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, kept(c.window, c.gone)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A run says that it gets less than it was asked for, also where that is no gap.
func TestBeginsLater(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	between := func(from, to int) tvmexport.Window { return tvmexport.Window{From: day(from), To: day(to)} }
	const said = "the source no longer has the events up to 2026-11-06T00:00:00Z: the run gets later ones"
	for name, c := range map[string]struct {
		window, again, gone tvmexport.Window
		want                string
	}{
		"FirstRun":         {tvmexport.Window{To: day(20)}, tvmexport.Window{}, tvmexport.Window{To: day(6)}, said},
		"SourceHasAll":     {tvmexport.Window{To: day(20)}, tvmexport.Window{}, tvmexport.Window{}, ""},
		"FromTheWatermark": {between(10, 20), tvmexport.Window{}, between(1, 6), ""},
		"Again":            {between(10, 20), between(2, 10), between(1, 6), said},
		"AgainLater":       {between(10, 20), between(7, 10), between(1, 6), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var again []tvmexport.Window
			if c.again != (tvmexport.Window{}) {
				again = append(again, c.again)
			}
			if got := beginsLater(c.window, again, c.gone); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
