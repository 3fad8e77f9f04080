package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// fortnight is how long the source of these tests keeps events. They come at noon.
const fortnight = 14 * 24 * time.Hour

// gapWorld is a world whose source says what it no longer keeps.
type gapWorld struct {
	world
	start time.Time
}

func newGapWorld() gapWorld {
	w := gapWorld{newWorld(tvmexport.Incremental, "Timestamp"), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	w.Recount = 48 * time.Hour
	w.source.CorruptCount = func(q tvmexport.CountQuery, c *tvmexport.Counts) {
		if oldest := c.Now.Add(-fortnight); q.Window.From.Before(oldest) {
			c.Gone = tvmexport.Window{From: q.Window.From, To: oldest}
		}
	}
	return w
}

func (w gapWorld) day(n int) time.Time { return w.start.AddDate(0, 0, n) }

// events are those that happened up to a day, from another day on.
func (w gapWorld) events(from, to int) (rows []contract.Row) {
	for n := from; n < to; n++ {
		rows = append(rows, device("0a1b", 2, w.day(n).Add(12*time.Hour))...)
	}
	return rows
}

// on sets the source's clock: it keeps the events of a fortnight.
func (w gapWorld) on(n int) {
	w.source.SetNow(w.day(n))
	w.source.Set(software, w.events(max(n-14, 0), n))
}

// run makes a run that must commit, and returns its result and the gap of its commit.
func (w gapWorld) run(t *testing.T, r engine.Request) (engine.Result, tvmexport.Window) {
	t.Helper()
	report, err := w.Run(t.Context(), r)
	if err != nil || report.Outcomes[0].Err != nil {
		t.Fatal(err, report.Outcomes[0].Err)
	}
	commits := w.destination.Commits(software)
	return report.Outcomes[0], commits[len(commits)-1].Gap
}

func (w gapWorld) between(from, to int) tvmexport.Window {
	return tvmexport.Window{From: w.day(from), To: w.day(to)}
}

func gapNotes(r engine.Result) int {
	return len(slices.DeleteFunc(slices.Clone(r.Notes), func(n string) bool { return !strings.HasPrefix(n, "a gap: ") }))
}

// A run that comes after the source has dropped events commits what it can have, and the
// gap. The runs before it and after it have none.
func TestGapIsCommittedOnce(t *testing.T) {
	none := tvmexport.Window{}
	for name, c := range map[string]struct {
		days    int // until the second run
		request engine.Request
		gap     bool
	}{
		"ADayLater":         {1, engine.Request{}, false},
		"JustInTime":        {14, engine.Request{}, false},
		"TooLate":           {20, engine.Request{}, true},
		"TooLateAndFull":    {20, engine.Request{Full: true}, true},
		"InTimeAndFull":     {14, engine.Request{Full: true}, false},
		"BehindWhatIsGone":  {20, engine.Request{From: time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)}, false},
		"FromBeforeTheLast": {3, engine.Request{From: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newGapWorld()
				w.on(2)
				if r, gap := w.run(t, engine.Request{}); gap != none || r.Gaps != nil || gapNotes(r) > 0 {
					t.Fatalf("the first run has the gap %v, %v; notes %q", gap, r.Gaps, r.Notes)
				}
				w.on(2 + c.days)
				var want tvmexport.Window
				var wants []tvmexport.Window
				if c.gap {
					want = w.between(2, 2+c.days-14)
					wants = []tvmexport.Window{want}
				}
				r, gap := w.run(t, c.request)
				if d := cmp.Diff(want, gap); d != "" {
					t.Errorf("the committed gap (-want +got):\n%s", d)
				}
				if d := cmp.Diff(wants, r.Gaps); d != "" || gapNotes(r) != len(wants) {
					t.Errorf("the gaps of the result, with the notes %q (-want +got):\n%s", r.Notes, d)
				}
				w.on(3 + c.days)
				if r, gap := w.run(t, engine.Request{}); gap != none || r.Gaps != nil || gapNotes(r) > 0 || r.Rows != 2 {
					t.Errorf("the third run publishes %d rows and has the gap %v, %v; notes %q", r.Rows, gap, r.Gaps, r.Notes)
				}
			})
		})
	}
}

// A run whose end is ordered notes the gap up to there, and the next one the rest.
func TestGapInTwoParts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newGapWorld()
		w.on(2)
		w.run(t, engine.Request{})
		w.on(22)
		_, first := w.run(t, engine.Request{To: w.day(5)})
		_, second := w.run(t, engine.Request{})
		if d := cmp.Diff([]tvmexport.Window{w.between(2, 5), w.between(5, 8)}, []tvmexport.Window{first, second}); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// A process that ends while it publishes has noted the gap with its publication: the next
// run commits it, with the id of the run that found it, and reports it.
func TestGapOfAnInterruptedPublication(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newGapWorld()
		w.on(2)
		w.run(t, engine.Request{})
		w.on(22)
		w.destination.OnPublish = func(tvmexport.Publication, int) error {
			return &tvmexport.Error{Op: "publish", Err: errors.New("killed")}
		}
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil || report.Outcomes[0].Err == nil || report.Outcomes[0].Gaps != nil {
			t.Fatalf("an interrupted run: %v, %v, gaps %v", err, report.Outcomes[0].Err, report.Outcomes[0].Gaps)
		}
		found := report.Outcomes[0].Run.ID
		w.destination.OnPublish = nil
		w.on(23)
		r, last := w.run(t, engine.Request{})
		commits := w.destination.Commits(software)
		middle := commits[len(commits)-2]
		if last != (tvmexport.Window{}) || middle.Run.ID != found {
			t.Errorf("the gap of the last run is %v; run %s was finished, want %s", last, middle.Run.ID, found)
		}
		want := []tvmexport.Window{w.between(2, 8)}
		if d := cmp.Diff(want, []tvmexport.Window{middle.Gap}); d != "" {
			t.Errorf("the committed gap (-want +got):\n%s", d)
		}
		if d := cmp.Diff(want, r.Gaps); d != "" || gapNotes(r) != 1 {
			t.Errorf("the gaps of the result, with the notes %q (-want +got):\n%s", r.Notes, d)
		}
	})
}

// A plan says that its run would have a gap, and commits nothing.
func TestGapOfAPlan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newGapWorld()
		w.on(2)
		w.run(t, engine.Request{})
		w.on(22)
		plans, err := w.Plan(t.Context(), engine.Request{})
		if err != nil || plans[0].Err != nil {
			t.Fatal(err, plans[0].Err)
		}
		if !slices.ContainsFunc(plans[0].Notes, func(n string) bool { return strings.HasPrefix(n, "a gap: ") }) || len(w.destination.Commits(software)) != 1 {
			t.Errorf("the notes of the plan are %q", plans[0].Notes)
		}
	})
}

// Readers have events that the source no longer keeps: verify compares the others, and
// says of which time they are.
func TestVerifyComparesWhatIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newGapWorld()
		for _, n := range []int{2, 10, 20} {
			w.on(n)
			w.run(t, engine.Request{})
		}
		w.on(22)
		verify := func() engine.Comparison {
			t.Helper()
			list, err := w.Verify(t.Context(), nil, "")
			if err != nil || list[0].Err != nil {
				t.Fatal(err, list[0].Err)
			}
			return list[0]
		}
		noted := func(c engine.Comparison, text string) bool {
			return slices.ContainsFunc(c.Notes, func(n string) bool { return strings.Contains(n, text) })
		}
		c := verify()
		if d := cmp.Diff(w.between(8, 20), c.Window); d != "" || len(c.Differences) > 0 || c.Rows != 24 || c.Parts != 12 || !noted(c, "those after 2026-11-09T00:00:00Z and up to 2026-11-21T00:00:00Z were compared") {
			t.Errorf("%d rows in %d parts, %d differences, notes %q; the window (-want +got):\n%s", c.Rows, c.Parts, len(c.Differences), c.Notes, d)
		}
		w.source.Set(software, w.events(8, 19)) // of what is compared, one day is gone
		if c := verify(); len(c.Differences) != 1 || c.Differences[0].Readers != 2 || c.Differences[0].Source != 0 {
			t.Errorf("differences: %+v", c.Differences)
		}
		w.on(40)
		if c := verify(); c.Parts != 0 || len(c.Differences) > 0 || !noted(c, "nothing was compared") {
			t.Errorf("%d parts, notes %q", c.Parts, c.Notes)
		}
	})
}

// A table that another exporter filled has a gap after that exporter's watermark.
func TestGapAfterATakeover(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newGapWorld()
		taken := tvmexport.Run{ID: "20261103T000000Z-taken", Kind: tvmexport.LegacyRun, Watermark: w.day(2), StartedAt: w.day(2)}
		taken.Table = tvmexport.Table{Name: software, Destination: software + "Raw", LoadType: tvmexport.Incremental, Watermark: "Timestamp"}
		if err := w.destination.Commit(t.Context(), tvmexport.Commit{Run: taken}); err != nil {
			t.Fatal(err)
		}
		w.on(22)
		r, gap := w.run(t, engine.Request{})
		if d := cmp.Diff(w.between(2, 8), gap); d != "" || gapNotes(r) != 1 || r.Rows != 28 {
			t.Errorf("%d rows, notes %q; the gap (-want +got):\n%s", r.Rows, r.Notes, d)
		}
		w.on(23)
		if r, gap := w.run(t, engine.Request{}); gap != (tvmexport.Window{}) || r.Gaps != nil {
			t.Errorf("the next run has the gap %v, %v", gap, r.Gaps)
		}
	})
}
