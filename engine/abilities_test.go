package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// A run into a destination that lacks an ability exports every row, or says why
// it does not begin. An operation that is the ability says that it is not there.
func TestDestinationLacksAbilities(t *testing.T) {
	verify := func(w world, t *testing.T) error { _, err := w.Verify(t.Context(), nil, ""); return err }
	backfill := func(w world, t *testing.T) error { _, err := w.Backfill(t.Context(), nil); return err }
	core := func(_ *testing.T, d tvmexport.CompleteDestination) tvmexport.Destination { return contract.Core(d) }
	without := func(name string) func(*testing.T, tvmexport.CompleteDestination) tvmexport.Destination {
		return func(t *testing.T, d tvmexport.CompleteDestination) tvmexport.Destination {
			return contract.Without(t, d, name)
		}
	}
	for name, c := range map[string]struct {
		limit        func(*testing.T, tvmexport.CompleteDestination) tvmexport.Destination
		note         string // of the second run of events
		verify, fill bool   // the operation is there
	}{
		"TableChecker":   {without("TableChecker"), "", true, true},
		"SchemaSyncer":   {without("SchemaSyncer"), "", true, true},
		"LateRowCounter": {without("LateRowCounter"), "rows that reached the source late are not exported", true, true},
		"StateCounter":   {without("StateCounter"), "", false, true},
		"Backfiller":     {without("Backfiller"), "", true, false},
		"all":            {core, "rows that reached the source late are not exported", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				w.Destination = c.limit(t, w.destination)
				rows := fleet(20, 3)
				w.source.Set(software, rows)
				w.export(t)
				rows = rows[2:]
				w.source.Set(software, rows)
				w.export(t)
				w.agrees(t, rows)
				for operation, supported := range map[string]bool{"verify": c.verify, "backfill": c.fill} {
					err := map[string]func(world, *testing.T) error{"verify": verify, "backfill": backfill}[operation](w, t)
					if supported && err != nil {
						t.Errorf("%s: %v", operation, err)
					}
					if !supported && (!errors.Is(err, errors.ErrUnsupported) || tvmexport.CauseOf(err) != tvmexport.Usage) {
						t.Errorf("%s: %v, want errors.ErrUnsupported, as a usage error", operation, err)
					}
				}
			})
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Incremental, "Timestamp")
				w.Destination = c.limit(t, w.destination)
				w.Recount = 24 * time.Hour
				day := time.Now().UTC().Truncate(time.Hour)
				rows := device("aa", 5, day.Add(-3*time.Hour))
				w.source.Set(software, rows)
				w.source.SetNow(day)
				w.export(t)
				late := device("bb", 2, day.Add(-2*time.Hour))
				next := device("cc", 4, day.Add(time.Hour))
				w.source.Set(software, append(append(rows, late...), next...))
				w.source.SetNow(day.Add(2 * time.Hour))
				r := w.export(t)
				said := strings.Join(r.Notes, "\n")
				if c.note == "" {
					w.agrees(t, append(append(rows, late...), next...))
				} else if w.agrees(t, append(rows, next...)); !strings.Contains(said, c.note) {
					t.Errorf("the run says %q, want %q", said, c.note)
				}
			})
		})
	}
}

// A run that has to export published windows again does not begin where their
// rows could be published twice.
func TestNoLateRowsNoRepair(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		w.Destination = contract.Without(t, w.destination, "LateRowCounter")
		day := time.Now().UTC().Truncate(time.Hour)
		rows := device("aa", 5, day.Add(-3*time.Hour))
		w.source.Set(software, rows)
		w.source.SetNow(day)
		w.export(t)
		calls := len(w.source.Calls)
		window := tvmexport.Window{From: day.Add(-4 * time.Hour), To: day.Add(-2 * time.Hour)}
		for name, prepare := range map[string]func() engine.Request{
			"repair": func() engine.Request {
				return engine.Request{Repair: map[string]engine.Repair{software: {Windows: []tvmexport.Window{window}}}}
			},
			"from": func() engine.Request { return engine.Request{From: day.Add(-4 * time.Hour)} },
			"losses": func() engine.Request {
				w.destination.Losses = map[string]tvmexport.Losses{software: {Holes: 1}}
				return engine.Request{}
			},
		} {
			req := prepare()
			report, err := w.Run(t.Context(), req)
			w.destination.Losses = nil
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Outcomes[0].Err; !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s: %v, want errors.ErrUnsupported", name, err)
			}
		}
		if n := len(w.source.Calls) - calls; n != 0 {
			t.Errorf("%d slices were fetched", n)
		}
		w.agrees(t, rows)
	})
}
