package engine_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// The audit has the published table of each run, and the time at which that table's run
// ended, not the one at which the invocation did.
func TestAuditHasTheEndOfEachRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Tables = 1
		w.source.Set(software, fleet(3, 3))
		w.source.Set("Other", fleet(1, 1))
		w.destination.List = append(w.destination.List, tvmexport.Order{Table: "Other", Into: "OtherElsewhere", Load: tvmexport.Snapshot, Active: true})
		hook := w.Hooks.Published // by a table that has its place, so that the others wait
		w.Hooks.Published = func(r tvmexport.Run, rows int64) {
			time.Sleep(time.Minute)
			if hook != nil {
				hook(r, rows)
			}
		}
		if _, err := w.Run(t.Context(), engine.Request{}); err != nil {
			t.Fatal(err)
		}
		list := w.destination.Audit
		if len(list) != 2 || list[0].Into != software+"Raw" || list[1].Into != "OtherElsewhere" {
			t.Fatalf("audit %+v", list)
		}
		if apart := list[1].At.Sub(list[0].At).Abs(); apart < time.Minute { // either may be first
			t.Errorf("the runs ended %s apart, want a minute or more", apart)
		}
	})
}
