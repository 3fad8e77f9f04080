package engine_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// TestForwardOrderOfAnUnknownInvocation: a newer watermark skips rows only if
// no invocation that the ledger does not know wrote it.
func TestForwardOrderOfAnUnknownInvocation(t *testing.T) {
	for name, c := range map[string]struct {
		losses tvmexport.Losses
		rows   int64
	}{
		"an operator":           {tvmexport.Losses{}, 2},
		"next to a known copy":  {tvmexport.Losses{Copied: true}, 2},
		"an unknown invocation": {tvmexport.Losses{Copied: true, Unknown: true}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Incremental, "Timestamp")
				day := time.Now().UTC().Truncate(time.Hour)
				rows := device("aa", 5, day.Add(-30*time.Hour))
				w.source.Set(software, rows)
				w.source.SetNow(day)
				w.export(t)
				w.destination.Losses = map[string]tvmexport.Losses{software: c.losses}
				w.destination.Ordered = map[string]time.Time{software: day.AddDate(0, 0, 4)}
				rows = append(rows, device("ab", 3, day.AddDate(0, 0, 2))...)
				rows = append(rows, device("ac", 2, day.AddDate(0, 0, 5))...)
				w.source.Set(software, rows)
				w.source.SetNow(day.AddDate(0, 0, 6))
				if r := w.export(t); r.Rows != c.rows {
					t.Errorf("%d rows, want %d: %q", r.Rows, c.rows, r.Notes)
				}
			})
		})
	}
}
