package engine_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// upgraded makes the destination one that a newer program upgrades when told to.
func upgraded(w world) *atomic.Bool {
	var raised atomic.Bool
	w.destination.OnShape = func() tvmexport.StoredShape {
		if raised.Load() {
			return tvmexport.StoredShape{Number: 2, Version: "v2.0.0"}
		}
		return tvmexport.StoredShape{Number: 1}
	}
	return &raised
}

func isNewer(t *testing.T, err error) {
	t.Helper()
	if tvmexport.CodeOf(err) != tvmexport.NewerShape || tvmexport.CauseOf(err) != tvmexport.Usage || !strings.Contains(err.Error(), "v2.0.0") {
		t.Fatalf("%v, want an error that names the version to use", err)
	}
}

// A newer program has written before the run begins: nothing is asked of the source,
// and nothing is written.
func TestNewerShapeAtTheStart(t *testing.T) {
	for name, call := range map[string]func(t *testing.T, w world) error{
		"run": func(t *testing.T, w world) error {
			report, err := w.Run(t.Context(), engine.Request{})
			if len(report.Outcomes) != 0 {
				t.Errorf("%d outcomes, want one error for all tables", len(report.Outcomes))
			}
			return err
		},
		"refill": func(t *testing.T, w world) error { _, err := w.Backfill(t.Context(), nil); return err },
		"verify": func(t *testing.T, w world) error { _, err := w.Verify(t.Context(), nil, ""); return err },
		"plan":   func(t *testing.T, w world) error { _, err := w.Plan(t.Context(), engine.Request{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				w.source.Set(software, fleet(6, 3))
				w.export(t)
				lands, audits := w.destination.Lands, len(w.destination.Audit)
				upgraded(w).Store(true)
				isNewer(t, call(t, w))
				if w.destination.Lands != lands || len(w.destination.Audit) != audits || len(w.destination.Commits(software)) != 1 {
					t.Errorf("%d batches were landed and %d rows of the audit written", w.destination.Lands-lands, len(w.destination.Audit)-audits)
				}
				w.destination.OnShape = nil
				held, err := w.destination.Acquire(t.Context(), tvmexport.Lease{Owner: "newer", Tables: []tvmexport.Table{{Name: software}}, Term: time.Minute})
				if err != nil || len(held) != 0 {
					t.Errorf("a lease was taken: %+v, %v", held, err)
				}
			})
		})
	}
}

// A newer program upgrades the destination while rows are fetched: the run ends when
// it renews its lease, and publishes nothing.
func TestNewerShapeDuringTheRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(6, 3))
		raised := upgraded(w)
		w.Hooks.Fetched = func(tvmexport.Run, tvmexport.Slice, tvmexport.Answer) {
			raised.Store(true)
			time.Sleep(2 * time.Minute)
		}
		began := time.Now()
		report, err := w.Run(t.Context(), engine.Request{})
		isNewer(t, err)
		isNewer(t, report.Outcomes[0].Err)
		if took := time.Since(began); took > 10*time.Minute {
			t.Errorf("the run ended after %s", took)
		}
		if n := w.destination.PublishedBy(software, report.Outcomes[0].Run.ID); n != 0 || len(w.destination.Audit) != 0 || len(w.destination.Commits(software)) != 0 {
			t.Errorf("%d rows were published, %d rows of the audit written", n, len(w.destination.Audit))
		}
		raised.Store(false)
		w.Hooks.Fetched = nil
		time.Sleep(5 * time.Minute)
		w.export(t)
		w.agrees(t, fleet(6, 3))
	})
}

// The upgrade comes after the last renewal: the publication refuses.
func TestNewerShapeBeforePublishing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(6, 3))
		raised := upgraded(w)
		w.Hooks.Confirmed = func(_ tvmexport.Run, batches, of int) { raised.Store(batches == of) }
		report, err := w.Run(t.Context(), engine.Request{})
		isNewer(t, err)
		isNewer(t, report.Outcomes[0].Err)
		if n := w.destination.PublishedBy(software, report.Outcomes[0].Run.ID); n != 0 || len(w.destination.Audit) != 0 {
			t.Errorf("%d rows were published, %d rows of the audit written", n, len(w.destination.Audit))
		}
	})
}
