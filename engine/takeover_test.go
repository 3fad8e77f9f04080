package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// The first run after the takeover publishes rows that the other exporter has
// lost. Its duplicates are not duplicated again and hide no loss. Rows that the
// source does not have any more stay.
func TestTakeoverLosesAndDoublesNothing(t *testing.T) {
	for _, column := range []string{"Timestamp", tvmexport.IngestionTime} {
		t.Run(column, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.FullThenIncr, column)
				day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
				var rows []contract.Row
				for h := range 30 {
					rows = append(rows, device(fmt.Sprintf("%02x", h), 10, day.Add(time.Duration(h)*time.Hour+20*time.Minute))...)
				}
				aged := device("ee", 3, day.Add(-90*24*time.Hour))
				last := rows[len(rows)-1].Time
				w.source.Set(software, append(rows, device("aa", 4, last.Add(2*time.Hour))...))
				w.source.SetNow(last.Add(3 * time.Hour))

				old := append(append([]contract.Row{}, aged...), rows[:len(rows)-2]...) // a tie at the watermark lost two
				old = append(append([]contract.Row{}, old[:103]...), old[108:]...)      // a hole
				copies := rows[105:110]
				old = append(old, copies...) // as many copies in the same hour
				table := tvmexport.Table{Name: software, LoadType: tvmexport.FullThenIncr, Watermark: column}
				w.destination.TakeOver(table, old, last)

				r := w.export(t)
				if r.Run.Kind != tvmexport.DeltaRun || r.Late != 7 || r.Rows != 11 {
					t.Errorf("a %s run of %d rows, %d of them late; want a delta of 11 and 7", r.Run.Kind, r.Rows, r.Late)
				}
				want := append(append([]contract.Row{}, aged...), rows...)
				want = append(append(want, copies...), device("aa", 4, last.Add(2*time.Hour))...)
				w.agrees(t, want)
				if r := w.export(t); r.Rows != 0 {
					t.Errorf("the second run publishes %d rows", r.Rows)
				}
			})
		})
	}
}

// As long as rows come in that are not ours, each run says so, and the
// watermark that the old exporter writes is no order to skip rows.
func TestOldExporterStillRuns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		rows := device("ab", 5, day)
		w.source.Set(software, append(rows, device("cd", 3, day.Add(time.Hour))...))
		w.source.SetNow(day.Add(4 * time.Hour))
		w.destination.TakeOver(tvmexport.Table{Name: software, LoadType: tvmexport.Incremental, Watermark: "Timestamp"}, rows, day)
		if r := w.export(t); len(r.Notes) != 0 {
			t.Errorf("notes %q where the old exporter has stopped", r.Notes)
		}
		more := device("ef", 2, day.Add(5*time.Hour))
		w.source.Set(software, append(append(rows, device("cd", 3, day.Add(time.Hour))...), more...))
		w.source.SetNow(day.Add(8 * time.Hour))
		w.destination.Legacies[software].Strays = 2
		w.destination.Legacies[software].StrayAt = day.Add(6 * time.Hour)
		w.destination.Ordered = map[string]time.Time{software: day.Add(7 * time.Hour)}
		r := w.export(t)
		if r.Rows != 2 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "2 rows of another exporter") || !strings.Contains(r.Notes[0], "2026-11-01T06:00:00Z") {
			t.Errorf("%d rows, notes %q; want 2 and one note", r.Rows, r.Notes)
		}
	})
}
