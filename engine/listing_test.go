package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// listed is a world whose source lists units.
type listed struct {
	world
	source *contract.ListingSource
}

func newListed() listed {
	w := listed{world: newWorld(tvmexport.Snapshot, ""), source: &contract.ListingSource{}}
	w.Source = w.source
	return w
}

// generate makes a version of the table with units of these sizes.
func (w listed) generate(name string, sizes ...int) (rows []contract.Row) {
	var units [][]contract.Row
	for i, n := range sizes {
		unit := device(fmt.Sprintf("%02x%s", i, strings.ReplaceAll(name, "-", "")), n, time.Time{})
		units, rows = append(units, unit), append(rows, unit...)
	}
	w.source.Generate(software, name, units...)
	return rows
}

// failure runs once and wants the table to fail.
func (w world) failure(t *testing.T, req engine.Request) error {
	t.Helper()
	report, err := w.Run(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if report.Outcomes[0].Err == nil {
		t.Fatalf("the run succeeded: %+v", report.Outcomes[0].Progress)
	}
	return report.Outcomes[0].Err
}

// ids are the units that were read, in their order of reading sorted.
func (w listed) read() []string {
	var out []string
	for _, u := range w.source.Reads {
		out = append(out, u.Version+"/"+u.ID)
	}
	slices.Sort(out)
	w.source.Reads = nil
	return out
}

// Each version replaces what readers see, by every unit once.
func TestListedTable(t *testing.T) {
	for name, prepare := range map[string]func(s *contract.ListingSource){
		"files":                 func(*contract.ListingSource) {},
		"files that are sized":  func(s *contract.ListingSource) { s.Announce = true },
		"pages":                 func(s *contract.ListingSource) { s.Walk = true },
		"pages that are sized":  func(s *contract.ListingSource) { s.Walk, s.Announce = true, true },
		"links that end":        func(s *contract.ListingSource) { s.Valid = time.Hour },
		"pages that end, sized": func(s *contract.ListingSource) { s.Walk, s.Announce, s.Valid = true, true, time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newListed()
				prepare(w.source)
				w.Limits = tvmexport.Limits{Rows: 10, Bytes: 1000} // of counting sources: units are not divided
				rows := w.generate("v1", 30, 1, 300)
				r := w.export(t)
				w.agrees(t, rows)
				if r.Rows != 331 || r.Run.Kind != tvmexport.FullRun || r.Calls != 4 || len(r.Notes) != 0 {
					t.Errorf("%d rows by a %s run of %d calls, notes %q; want 331 by a full run of 4", r.Rows, r.Run.Kind, r.Calls, r.Notes)
				}
				w.agrees(t, rows)
				rows = w.generate("v2", 20, 5)
				w.export(t)
				w.agrees(t, rows)
				if got, want := w.read(), []string{"v1/part-00000", "v1/part-00001", "v1/part-00002", "v2/part-00000", "v2/part-00001"}; !slices.Equal(got, want) {
					t.Errorf("read %q, want %q", got, want)
				}
				comparisons, err := w.Verify(t.Context(), nil, "")
				if err != nil || comparisons[0].Err != nil || len(comparisons[0].Differences) != 0 || comparisons[0].Rows != 25 {
					t.Errorf("verify: %+v, %v", comparisons, err)
				}
				w.destination.Damage(software, 3)
				if comparisons, err = w.Verify(t.Context(), nil, ""); err != nil || len(comparisons[0].Differences) != 1 {
					t.Errorf("verify after 3 rows were deleted: %+v, %v", comparisons, err)
				}
				plans, err := w.Plan(t.Context(), engine.Request{})
				if err != nil || plans[0].Err != nil || plans[0].Slices < 1 {
					t.Errorf("plan: %+v, %v", plans, err)
				}
			})
		})
	}
}

// What does not prove itself is not published; what can be read again is.
func TestListedUnitsProveThemselves(t *testing.T) {
	corrupt := func(times int, how func(*tvmexport.Answer)) func(w listed) {
		return func(w listed) {
			w.source.Corrupt = func(u tvmexport.Unit, a *tvmexport.Answer) {
				if u.ID == "part-00001" && times != 0 {
					times--
					how(a)
				}
			}
		}
	}
	cut := func(a *tvmexport.Answer) { a.Counted = tvmexport.Missing }
	for name, c := range map[string]struct {
		prepare  func(w listed)
		announce bool
		fails    string
	}{
		"cut once":        {corrupt(1, cut), false, ""},
		"cut always":      {corrupt(-1, cut), false, "does not prove"},
		"cut, large":      {func(w listed) { w.Limits.Rows = 10; corrupt(-1, cut)(w) }, false, "does not prove"},
		"short once":      {corrupt(1, func(a *tvmexport.Answer) { a.Rows--; a.Counted-- }), true, ""},
		"short always":    {corrupt(-1, func(a *tvmexport.Answer) { a.Rows--; a.Counted-- }), true, "its listing announces 20"},
		"names a foreign": {corrupt(-1, func(a *tvmexport.Answer) { a.Next = []tvmexport.Unit{{Version: "v9", ID: "x"}} }), false, "of the version \"v9\""},
		"too large": {func(w listed) {
			w.source.Before = func(tvmexport.Unit) error {
				return &tvmexport.Error{Op: "fetch", Action: tvmexport.Split, Err: errors.New("refused as too large")}
			}
		}, false, "refused as too large"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newListed()
				before := w.generate("v0", 5)
				w.export(t)
				w.source.Announce = c.announce
				rows := w.generate("v1", 10, 20, 30)
				c.prepare(w)
				if c.fails == "" {
					w.export(t)
					w.agrees(t, rows)
					return
				}
				if err := w.failure(t, engine.Request{}); !strings.Contains(err.Error(), c.fails) {
					t.Errorf("the error is %v, want %q", err, c.fails)
				}
				w.agrees(t, before)
			})
		})
	}
}

// Units without rows are read twice, and the run says how many there are.
func TestListedEmptyUnits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newListed()
		rows := w.generate("v1", 0, 4, 0)
		r := w.export(t)
		w.agrees(t, rows)
		if said := strings.Join(r.Notes, "\n"); !strings.Contains(said, "2 of the 3 units of the version v1 have no rows") || r.Calls != 6 {
			t.Errorf("%d calls, notes %q", r.Calls, said)
		}
		w.source.Announce = true // then one answer is enough
		rows = w.generate("v2", 0, 4)
		if r = w.export(t); r.Calls != 3 {
			t.Errorf("%d calls, want 3", r.Calls)
		}
		w.agrees(t, rows)
		// An empty answer that the listing contradicts.
		early := true
		w.source.Corrupt = func(_ tvmexport.Unit, a *tvmexport.Answer) {
			if early {
				a.Rows, a.Counted, early = 0, 0, false
			}
		}
		rows = w.generate("v3", 7)
		w.export(t)
		w.agrees(t, rows)
	})
}

// A listing without units does not empty what readers see, unless a full run is requested.
func TestListedWithoutUnits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newListed()
		rows := w.generate("v1", 5)
		w.export(t)
		w.generate("v2")
		if err := w.failure(t, engine.Request{}); tvmexport.CauseOf(err) != tvmexport.Integrity || !strings.Contains(err.Error(), "has no units") {
			t.Errorf("the error is %v", err)
		}
		w.agrees(t, rows)
		if n := w.source.Lists; n != 3 {
			t.Errorf("%d listings, want 3: an empty one is requested again", n)
		}
		if report, err := w.Run(t.Context(), engine.Request{Full: true}); err != nil || report.Outcomes[0].Err != nil {
			t.Fatalf("%+v, %v", report, err)
		}
		w.agrees(t, nil)
	})
}

// A version whose units are all empty does not empty what readers see, unless a full
// run is requested.
func TestListedWithEmptyUnitsOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newListed()
		rows := w.generate("v1", 5)
		w.export(t)
		w.generate("v2", 0, 0)
		if err := w.failure(t, engine.Request{}); tvmexport.CauseOf(err) != tvmexport.Integrity || !strings.Contains(err.Error(), "have no rows") {
			t.Errorf("the error is %v", err)
		}
		w.agrees(t, rows)
		if report, err := w.Run(t.Context(), engine.Request{Full: true}); err != nil || report.Outcomes[0].Err != nil {
			t.Fatalf("%+v, %v", report, err)
		}
		w.agrees(t, nil)
		w.generate("v3", 0, 0)
		w.export(t) // readers see nothing that could be lost
		w.agrees(t, nil)
	})
}

// A listing that cannot be one is refused before anything is read.
func TestListingsThatCannotBe(t *testing.T) {
	unit := func(version, id string) tvmexport.Unit {
		return tvmexport.Unit{Version: version, ID: id, Rows: tvmexport.Missing}
	}
	for name, l := range map[string]tvmexport.Listing{
		"no version":      {Units: []tvmexport.Unit{unit("", "a")}},
		"another version": {Version: "v1", Units: []tvmexport.Unit{unit("v1", "a"), unit("v2", "b")}},
		"a unit twice":    {Version: "v1", Units: []tvmexport.Unit{unit("v1", "a"), unit("v1", "a")}},
		"no identity":     {Version: "v1", Units: []tvmexport.Unit{unit("v1", "")}},
		"rows below zero": {Version: "v1", Units: []tvmexport.Unit{{Version: "v1", ID: "a", Rows: -2}}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newListed()
				w.generate("v1", 3)
				w.Source = fixedListing{w.source, l}
				if err := w.failure(t, engine.Request{}); tvmexport.CauseOf(err) != tvmexport.Integrity || !strings.Contains(err.Error(), "the listing is invalid") {
					t.Errorf("the error is %v", err)
				}
				if n := len(w.source.Reads); n != 0 {
					t.Errorf("%d units were read", n)
				}
			})
		})
	}
}
