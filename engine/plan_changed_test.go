package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// newFleet is a world with a fleet that was exported once.
func newFleet(t *testing.T, devices int) (world, []contract.Row) {
	t.Helper()
	w := newWorld(tvmexport.Snapshot, "")
	w.Limits = tvmexport.Limits{Rows: 1000, Bytes: 1 << 30}
	rows := fleet(devices, 10)
	w.source.Set(software, rows)
	if r := w.export(t); r.FullReason == "" || r.Run.Kind != tvmexport.FullRun {
		t.Fatalf("the first run is a %s one", r.Run.Kind)
	}
	return w, rows
}

func TestOnlyWhatChangedTravels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, rows := newFleet(t, 300)
		w.source.Calls = nil
		r := w.export(t)
		if r.Rows != 0 || r.Changed != 0 || len(w.source.Calls) != 0 || r.Run.Kind != tvmexport.DeltaRun {
			t.Errorf("nothing has changed, and %d rows travelled in %d fetches of a %s run", r.Rows, len(w.source.Calls), r.Run.Kind)
		}
		w.agrees(t, rows)

		// One device loses a row, one is gone, one is new.
		changed := append(rows[1:1500:1500], rows[1510:]...)
		changed = append(changed, device("feedbeef", 4, time.Time{})...)
		w.source.Set(software, changed)
		r = w.export(t)
		w.agrees(t, changed)
		if r.Rows >= int64(len(rows))/10 || r.Changed == 0 || r.Changed > 3 {
			t.Errorf("%d rows of %d parts travelled", r.Rows, r.Changed)
		}
		if n := len(w.source.Calls); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}

		// Equal rows count as often as they are there.
		doubled := append(changed[:len(changed):len(changed)], changed[7])
		w.source.Set(software, doubled)
		w.export(t)
		w.agrees(t, doubled)
	})
}

// Everything vanishes, and comes back.
func TestAllGoneAndBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, rows := newFleet(t, 40)
		w.source.Set(software, nil)
		w.export(t)
		w.agrees(t, nil)
		w.source.Set(software, rows)
		w.export(t)
		w.agrees(t, rows)
	})
}

func TestWhyAllIsFetched(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, w *world)
		full   bool
		why    string // a part of the reason; "" for a delta
	}{
		"nothing":            {change: func(*testing.T, *world) {}},
		"asked for":          {change: func(*testing.T, *world) {}, full: true, why: engine.FullRequested},
		"a week later":       {change: func(*testing.T, *world) { time.Sleep(7 * 24 * time.Hour) }, why: "every 7 days"},
		"a shorter interval": {change: func(t *testing.T, w *world) { w.FullEvery = time.Hour; time.Sleep(2 * time.Hour) }, why: "every 1h"},
		"aging out": {change: func(t *testing.T, w *world) {
			w.destination.Retention = 8 * 24 * time.Hour
			w.FullEvery = 8 * 24 * time.Hour
			time.Sleep(7 * 24 * time.Hour)
		}, why: "about to expire"},
		"no lineage":      {change: func(t *testing.T, w *world) { w.destination.RecordsOnly = true }, why: "do not contain their partition"},
		"no fingerprints": {change: func(t *testing.T, w *world) { w.source.Plain = true }, why: "computes no fingerprints"},
		"a new column": {change: func(t *testing.T, w *world) {
			w.source.Schema = []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Timestamp", Type: "datetime"}, {Name: "New", Type: "string"}}
		}, why: "columns or definition"},
		"a much larger table": {change: func(t *testing.T, w *world) {
			w.source.Set(software, fleet(150, 10)) // 1,500 rows need partitions of three digits, 500 of two
			if r, err := w.Run(t.Context(), engine.Request{}); err != nil || r.Outcomes[0].Err != nil {
				t.Error(err, r.Outcomes)
			}
		}, why: "partitions of another size"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, _ := newFleet(t, 50)
				c.change(t, &w)
				report, err := w.Run(t.Context(), engine.Request{Full: c.full})
				if err != nil {
					t.Fatal(err)
				}
				r := report.Outcomes[0]
				if r.Err != nil {
					t.Fatal(r.Err)
				}
				kind := tvmexport.FullRun
				if c.why == "" {
					kind = tvmexport.DeltaRun
				}
				if !strings.Contains(r.FullReason, c.why) || (r.FullReason == "") != (c.why == "") {
					t.Errorf("fetched completely because %q, want %q", r.FullReason, c.why)
				}
				if r.Run.Kind != kind {
					t.Errorf("a %s run, want a %s one", r.Run.Kind, kind)
				}
			})
		})
	}
}

// A destination that forgets rows before they come again loses what has not changed.
func TestRetentionShorterThanTheInterval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, rows := newFleet(t, 10)
		w.destination.Retention = 3 * 24 * time.Hour
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Outcomes[0].Err; tvmexport.CauseOf(err) != tvmexport.Usage || tvmexport.CodeOf(err) != tvmexport.RetentionTooShort {
			t.Errorf("got %v", err)
		}
		w.agrees(t, rows)
		w.FullEvery = 2 * 24 * time.Hour
		w.export(t)
	})
}

func TestASecondTenantIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Tenant = "11111111-1111-1111-1111-111111111111"
		w.source.Set(software, fleet(3, 3))
		w.export(t)
		w.Tenant = "22222222-2222-2222-2222-222222222222"
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		got := report.Outcomes[0].Err
		if tvmexport.CauseOf(got) != tvmexport.Usage || !strings.Contains(got.Error(), w.Tenant) {
			t.Errorf("got %v", got)
		}
		if n := len(w.destination.Commits(software)); n != 1 {
			t.Errorf("%d commits, want 1", n)
		}
	})
}

func TestDrift(t *testing.T) {
	base := []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Score", Type: "string"}, {Name: "Old", Type: "string"}}
	drifted := []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Score", Type: "real"}, {Name: "New", Type: "long"}}
	for drift, want := range map[tvmexport.Drift]struct{ columns, shown string }{
		tvmexport.Evolve:    {"DeviceId Score New", "DeviceId Score New"},
		tvmexport.KeepInRaw: {"DeviceId Score New", "DeviceId Score"},
		tvmexport.Freeze:    {"DeviceId Score", "DeviceId Score"},
	} {
		t.Run(string(drift), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				w.Describe = func(name string) (tvmexport.Table, bool) {
					return tvmexport.Table{Name: name, Key: tvmexport.Key{Column: "DeviceId"}, Drift: drift}, true
				}
				w.source.Schema = base
				w.source.Set(software, fleet(5, 5))
				w.export(t)
				w.source.Schema = drifted
				r := w.export(t)
				fitted := w.destination.Fitted
				if len(fitted) != 2 {
					t.Fatalf("Fit was asked for %d times, want 2", len(fitted))
				}
				if got := names(fitted[1].Columns); got != want.columns {
					t.Errorf("columns %s, want %s", got, want.columns)
				}
				if got := names(fitted[1].Visible()); got != want.shown {
					t.Errorf("shown %s, want %s", got, want.shown)
				}
				notes := strings.Join(r.Notes, "\n")
				for _, part := range []string{"Score at the source is now real", "New:long", "no longer has the columns Old"} {
					if !strings.Contains(notes, part) {
						t.Errorf("no note says %q:\n%s", part, notes)
					}
				}
				if r := w.export(t); len(w.destination.Fitted) != 2 || r.Run.Kind != tvmexport.DeltaRun {
					t.Errorf("a third run, without drift, is a %s one", r.Run.Kind)
				}
			})
		})
	}
}

func names(columns []tvmexport.Column) string {
	var out []string
	for _, c := range columns {
		out = append(out, c.Name)
	}
	return strings.Join(out, " ")
}
