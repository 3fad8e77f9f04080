package engine_test

import (
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// A destination that does not look at other orders itself is protected too.
func TestCollidingTablesAreNotExported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(3, 3))
		w.source.Set("Other", fleet(1, 1))
		w.destination.List = append(w.destination.List, tvmexport.Order{Table: "Other", Into: software + "Raw", Load: tvmexport.Snapshot, Active: true})
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range report.Outcomes {
			if tvmexport.CauseOf(r.Err) != tvmexport.Usage {
				t.Errorf("%s: %v", r.Table.Name, r.Err)
			}
		}
		if w.destination.Lands != 0 {
			t.Errorf("%d batches were landed", w.destination.Lands)
		}
		comparisons, err := w.Verify(t.Context(), nil, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range comparisons {
			if tvmexport.CauseOf(c.Err) != tvmexport.Usage {
				t.Errorf("verify %s: %v", c.Table.Name, c.Err)
			}
		}
	})
}
