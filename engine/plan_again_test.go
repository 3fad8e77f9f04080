package engine_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// Windows that are asked for again overlap where an operator sets the watermark
// back, somebody asks for an older window and a repair names hours within them:
// a row that readers lack is published once.
func TestWindowsAskedForAgainOverlap(t *testing.T) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	hour := tvmexport.Window{From: day.Add(-5*24*time.Hour - tvmexport.Tick), To: day.Add(-5*24*time.Hour + time.Hour - tvmexport.Tick)}
	for name, c := range map[string]struct {
		ordered time.Time
		request engine.Request
	}{
		"OrderAndRequest":  {day.Add(-7 * 24 * time.Hour), engine.Request{From: day.Add(-6 * 24 * time.Hour)}},
		"OrderAndRepair":   {day.Add(-7 * 24 * time.Hour), engine.Request{Repair: map[string]engine.Repair{software: {Windows: []tvmexport.Window{hour}}}}},
		"RequestAndRepair": {time.Time{}, engine.Request{From: day.Add(-6 * 24 * time.Hour), Repair: map[string]engine.Repair{software: {Windows: []tvmexport.Window{hour, hour}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Incremental, "Timestamp")
				rows := device("ab", 5, day)
				w.source.Set(software, rows)
				w.source.SetNow(day.Add(time.Hour))
				w.export(t)
				rows = append(rows, device("cd", 7, day.Add(-5*24*time.Hour))...)
				w.source.Set(software, rows)
				if !c.ordered.IsZero() {
					w.destination.Ordered = map[string]time.Time{software: c.ordered}
				}
				report, err := w.Run(t.Context(), c.request)
				if err != nil || report.Outcomes[0].Err != nil {
					t.Fatal(err, report.Outcomes[0].Err)
				}
				w.agrees(t, rows)
			})
		})
	}
}
