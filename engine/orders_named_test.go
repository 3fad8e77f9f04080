package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// A table that is switched off runs when it is named, and the result says so;
// where only active ones are wanted it is left out.
func TestATableThatIsSwitchedOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(3, 4))
		w.destination.List[0].Active = false
		if _, err := w.Run(t.Context(), engine.Request{}); err == nil {
			t.Error("a run without an active table ends without an error")
		}
		for _, tables := range [][]string{nil, {software}, {software, "Gone"}} {
			report, err := w.Run(t.Context(), engine.Request{Tables: tables, ActiveOnly: true})
			if err != nil || len(report.Outcomes) != 0 || len(w.destination.Commits(software)) != 0 {
				t.Errorf("only active ones of %v: %+v, %v", tables, report.Outcomes, err)
			}
		}
		report, err := w.Run(t.Context(), engine.Request{Tables: []string{software, software}})
		if err != nil || len(report.Outcomes) != 1 || report.Outcomes[0].Err != nil || len(w.destination.Commits(software)) != 1 {
			t.Fatalf("named twice: %+v, %v", report.Outcomes, err)
		}
		if notes := strings.Join(report.Outcomes[0].Notes, "|"); !strings.Contains(notes, "deactivated") {
			t.Errorf("notes: %s", notes)
		}
		plan, err := w.Plan(t.Context(), engine.Request{Tables: []string{software}})
		if err != nil || !strings.Contains(strings.Join(plan[0].Notes, "|"), "deactivated") {
			t.Errorf("plan: %v, %v", plan, err)
		}
		w.destination.List[0].Active = true
		time.Sleep(time.Hour)
		report, err = w.Run(t.Context(), engine.Request{Tables: []string{software}, ActiveOnly: true})
		if err != nil || len(report.Outcomes) != 1 || len(report.Outcomes[0].Notes) != 0 {
			t.Errorf("switched on: %+v, %v", report.Outcomes, err)
		}
	})
}
