package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tvmexport/tvmexport"
)

func TestUnreadIsAddedByColumn(t *testing.T) {
	first := []tvmexport.Unread{{Column: "B", Type: "int", Values: 2, Batch: "R.0001", Line: 7}}
	sum := addUnread(first, []tvmexport.Unread{{Column: "A", Type: "real", Values: 1, Batch: "R.0002", Line: 1}, {Column: "B", Type: "int", Values: 3, Batch: "R.0002", Line: 1}})
	want := []tvmexport.Unread{{Column: "A", Type: "real", Values: 1, Batch: "R.0002", Line: 1}, {Column: "B", Type: "int", Values: 5, Batch: "R.0001", Line: 7}}
	if d := cmp.Diff(want, sum); d != "" {
		t.Error(d)
	}
	if first[0].Values != 2 {
		t.Error("the first list was changed")
	}
	if got := tvmexport.UnreadValues(sum); got != 6 {
		t.Errorf("%d values, want 6", got)
	}
	if got, want := tvmexport.UnreadReason(sum), "values that do not fit the type of their column, kept as text in the records: A (real) 1, B (int) 5"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if tvmexport.UnreadReason(nil) != "" {
		t.Error("a reason for nothing")
	}
}

// What both sides have counted of the same rows is one count, the larger.
func TestUnreadOfTheSameRowsCountsOnce(t *testing.T) {
	got := mostUnread([]tvmexport.Unread{{Column: "A", Values: 5, Line: 1}, {Column: "B", Values: 1}}, []tvmexport.Unread{{Column: "A", Values: 4}, {Column: "B", Values: 2}, {Column: "C", Values: 1}})
	want := []tvmexport.Unread{{Column: "A", Values: 5, Line: 1}, {Column: "B", Values: 2}, {Column: "C", Values: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A row whose watermark cannot be read is in no window: each run would publish it
// again.
func TestUnreadWatermarkIsRefused(t *testing.T) {
	in := FetchInput{Run: tvmexport.Run{Table: tvmexport.Table{Name: "T", LoadType: tvmexport.Incremental, Watermark: "Timestamp"}}}
	a := tvmexport.Answer{Unread: []tvmexport.Unread{{Column: "Timestamp", Type: "datetime", Values: 3}}}
	err := checkWatermark(in, a)
	if tvmexport.ActionOf(err) != tvmexport.Retry || tvmexport.CauseOf(err) != tvmexport.Integrity {
		t.Errorf("%v", err)
	}
	in.Run.Table.LoadType = tvmexport.Snapshot
	if err := checkWatermark(in, a); err != nil {
		t.Errorf("a Snapshot has no windows: %v", err)
	}
	in.Run.Table.LoadType, a.Unread[0].Column = tvmexport.Incremental, "Other"
	if err := checkWatermark(in, a); err != nil {
		t.Errorf("another column: %v", err)
	}
}
