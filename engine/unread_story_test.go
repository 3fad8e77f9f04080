package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// A run commits with values that were not read, and its result names the
// columns, the counts and the place of the first. This also holds for batches
// that an interrupted run had landed.
func TestUnreadValuesComeWithTheirBatches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Resume = 24 * time.Hour
		w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
		w.source.Limits = w.Limits
		day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		rows := device("abcdef", 90, day)
		for h := range 16 {
			rows = append(rows, device(fmt.Sprintf("%x", h), 60, day)...)
		}
		w.source.Set(software, rows)
		w.source.Corrupt = func(_ tvmexport.Slice, a *tvmexport.Answer) {
			a.Nulled = 2
			a.Unread = []tvmexport.Unread{{Column: "Score", Type: "real", Values: 2, Line: 7}}
		}
		w.interrupted(t, 3)
		w.source.Corrupt = nil
		left := w.left(t)
		if len(left) == 0 {
			t.Fatal("nothing landed")
		}
		r := w.export(t)
		w.agrees(t, rows)
		want := []tvmexport.Unread{{Column: "Score", Type: "real", Values: 2 * int64(len(left)), Batch: left[0].Batch.ID, Line: 7}}
		if d := cmp.Diff(want, r.Unread); d != "" {
			t.Error(d)
		}
		if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, "Score: the first is at line 7 of batch "+string(left[0].Batch.ID)) {
			t.Errorf("the notes do not name the place: %s", notes)
		}
		if r := w.export(t); len(r.Unread) > 0 {
			t.Errorf("a run without such values reports %v", r.Unread)
		}
	})
}

// Rows whose watermark is no datetime are not published: they would be again by
// each run.
func TestUnreadWatermarkFailsTheRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		w.source.Set(software, device("abc", 3, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)))
		w.source.SetNow(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC))
		w.source.Corrupt = func(_ tvmexport.Slice, a *tvmexport.Answer) {
			a.Unread = []tvmexport.Unread{{Column: "Timestamp", Type: "datetime", Values: 1, Line: 1}}
		}
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Outcomes[0].Err; err == nil || !strings.Contains(err.Error(), "watermark Timestamp that is not a datetime") {
			t.Errorf("got %v", err)
		}
		if n := len(w.destination.Current(software)); n != 0 {
			t.Errorf("%d rows were published", n)
		}
	})
}
