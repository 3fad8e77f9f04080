package engine_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Verify asks the source of the table, as the run did.
func TestVerifyAsksTheTablesSource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		own := newWorld(tvmexport.Snapshot, "").source
		rows := device("aa", 5, time.Time{})
		own.Set(software, rows)
		w.source.Set(software, device("bb", 7, time.Time{}))
		w.Sources = map[string]tvmexport.Source{software: own}
		w.export(t)
		w.agrees(t, rows)
		out, err := w.Verify(t.Context(), nil, "")
		if err != nil {
			t.Fatal(err)
		}
		if c := out[0]; c.Err != nil || len(c.Differences) != 0 {
			t.Errorf("differences %v, error %v", c.Differences, c.Err)
		}
	})
}
