package engine_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// TestSparseHoursAskedForAgainShareACall: hours without rows do not divide a
// window that is asked for again; calls are scarce.
func TestSparseHoursAskedForAgainShareACall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		day := time.Now().UTC().Truncate(time.Hour)
		rows := device("aa", 1, day.AddDate(0, 0, -9))
		for i := 1; i < 40; i++ {
			rows = append(rows, device("ab", i+1, day.Add(-time.Duration(5*i)*time.Hour))[i:]...)
		}
		w.source.Set(software, rows)
		w.source.SetNow(day)
		w.export(t)
		w.destination.Ordered = map[string]time.Time{software: day.AddDate(0, 0, -10)}
		late := device("ac", 3, day.AddDate(0, 0, -8))
		rows = append(rows, late...)
		w.source.Set(software, rows)
		w.source.SetNow(day.Add(time.Hour))
		r := w.export(t)
		w.agrees(t, rows)
		if r.Rows != 3 || r.Calls > 5 {
			t.Errorf("%d rows by %d calls, want 3 rows by at most 5 calls", r.Rows, r.Calls)
		}
	})
}
