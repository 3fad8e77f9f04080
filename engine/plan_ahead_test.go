package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// A watermark ahead of the source's clock costs no rows, and it does not matter who set it.
func TestWatermarkInTheFuture(t *testing.T) {
	year := 365 * 24 * time.Hour
	for name, spoil := range map[string]func(t *testing.T, w world, at time.Time){
		"an operator's order": func(t *testing.T, w world, at time.Time) {
			w.destination.Ordered = map[string]time.Time{software: at.Add(year)}
		},
		"the clock of an earlier run": func(t *testing.T, w world, at time.Time) {
			w.source.SetNow(at.Add(year))
			w.source.Set(software, nil)
			if r, err := w.Run(t.Context(), engine.Request{}); err != nil || r.Outcomes[0].Err != nil {
				t.Fatal(err, r.Outcomes[0].Err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Incremental, "Timestamp")
				day := time.Now().UTC().Truncate(time.Hour)
				rows := append(device("aa", 5, day.Add(-30*time.Hour)), device("ab", 7, day.Add(-3*time.Hour))...)
				w.source.Set(software, rows)
				w.source.SetNow(day)
				w.export(t)
				spoil(t, w, day)
				rows = append(rows, device("ac", 3, day.Add(2*time.Hour))...)
				w.source.Set(software, rows)
				w.source.SetNow(day.Add(6 * time.Hour))
				r := w.export(t)
				w.agrees(t, rows)
				if !strings.Contains(strings.Join(r.Notes, "\n"), "is later than the source's clock") {
					t.Errorf("it is not said: %q", r.Notes)
				}
				if r.Run.Watermark.After(day.Add(6 * time.Hour)) {
					t.Errorf("the watermark stays at %v", r.Run.Watermark)
				}
				w.destination.Ordered = nil
				rows = append(rows, device("ad", 2, day.Add(8*time.Hour))...)
				w.source.Set(software, rows)
				w.source.SetNow(day.Add(12 * time.Hour))
				if r := w.export(t); r.Rows != 2 || len(r.Notes) != 0 {
					t.Errorf("the next run published %d rows: %q", r.Rows, r.Notes)
				}
				w.agrees(t, rows)
			})
		})
	}
}

func TestFirstRunOrderedInTheFuture(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		day := time.Now().UTC().Truncate(time.Hour)
		rows := device("aa", 5, day.Add(-30*time.Hour))
		w.source.Set(software, rows)
		w.source.SetNow(day)
		w.destination.List[0].From = day.AddDate(1, 0, 0)
		r := w.export(t)
		w.agrees(t, rows)
		if !strings.Contains(strings.Join(r.Notes, "\n"), "is later than the source's clock") {
			t.Errorf("it is not said: %q", r.Notes)
		}
		report, err := w.Run(t.Context(), engine.Request{From: day.AddDate(1, 0, 0)})
		if err != nil || tvmexport.CauseOf(report.Outcomes[0].Err) != tvmexport.Usage {
			t.Errorf("--from in the future: %v, %v", err, report.Outcomes[0].Err)
		}
	})
}

// A row whose time is in the future is exported once, and the watermark does
// not follow it.
func TestRowInTheFuture(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		day := time.Now().UTC().Truncate(time.Hour)
		rows := device("aa", 5, day.Add(-30*time.Hour))
		ahead := device("ab", 1, day.Add(9*time.Hour))
		w.source.Set(software, append(append([]contract.Row{}, rows...), ahead...))
		w.source.SetNow(day)
		r := w.export(t)
		w.agrees(t, rows)
		if r.Run.Watermark.After(day) || !strings.Contains(strings.Join(r.Notes, "\n"), "1 rows have a Timestamp that is later") {
			t.Errorf("watermark %v, notes %q", r.Run.Watermark, r.Notes)
		}
		for _, hours := range []time.Duration{5, 10, 15} {
			w.source.SetNow(day.Add(hours * time.Hour))
			w.export(t)
		}
		w.agrees(t, append(rows, ahead...))
	})
}
