package contract

import (
	"io"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

var sinkCases = []contractCase{
	{"Land", "ReadsTheDataFromItsStart", landFromStart},
	{"Landed", "NothingYet", landedNothing},
	{"Landed", "BatchThatLacksALine", landedIncomplete},
	{"Landed", "OnlyOfTheRun", landedOfRun},
	{"Publish", "OnlyTheNamedBatches", publishNamed},
	{"Commit", "OfOneTable", commitOfTable},
	{"Commit", "WithoutRows", commitNothing},
	{"Commit", "KeepsTheGap", commitGap},
	{"History", "OfNoTable", historyNone},
	{"History", "DeltaReplacesItsPartitions", historyOfDelta},
	{"History", "TimeOfTheState", historyOfStateTime},
	{"Acquire", "AfterItsTerm", leaseExpires},
	{"Acquire", "SomeTablesAreHeld", leaseOfSome},
	{"EndInvocation", "LeavesLeasesOfOthers", endLeavesOthers},
}

func landFromStart(t *testing.T, h Harness) {
	run := h.run("R1", "")
	b := NewBatch(run, 1, 3)
	if _, err := io.CopyN(io.Discard, b.Data, 5); err != nil {
		t.Fatal(err)
	}
	h.deliver(t, b, 3)
	h.publish(t, publication(run, tvmexport.BatchInfo{ID: b.ID, Slice: b.Slice, Rows: b.Rows, Bytes: b.Bytes}))
	h.has(t, run, 3)
}

func landedNothing(t *testing.T, h Harness) {
	if d, err := h.Destination.Landed(t.Context(), h.run("R1", "")); err != nil || len(d.Batches) != 0 || d.Failed != nil {
		t.Errorf("of a run that landed nothing: %+v, %v", d, err)
	}
}

func landedIncomplete(t *testing.T, h Harness) {
	run := h.run("R1", "")
	s := tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}
	b, _ := described(t, run, 1, s, `{"DeviceId":"3f02"}`, `{"DeviceId":"3f03"}`, missing)
	h.deliver(t, b, 2)
	d, err := h.Destination.Landed(t.Context(), run)
	if err != nil || len(d.Batches) != 1 {
		t.Fatalf("%+v, %v", d, err)
	}
	if l := d.Batches[0]; l.Complete(3) || l.Complete(2) || l.Nulls != 0 {
		t.Errorf("a batch of 2 rows that announces 3 passes for a complete one: %+v", l)
	}
}

func landedOfRun(t *testing.T, h Harness) {
	one, two := h.run("R1", ""), h.run("R2", "")
	h.land(t, one, 1, 3, 1)
	b := h.land(t, two, 1, 4, 1)
	d, err := h.Destination.Landed(t.Context(), two)
	if err != nil || len(d.Batches) != 1 || d.Batches[0].Batch != b.ID {
		t.Errorf("of the second run: %+v, %v", d, err)
	}
}

func publishNamed(t *testing.T, h Harness) {
	run := h.run("R1", "")
	h.land(t, run, 1, 3, 1) // abandoned
	h.publish(t, publication(run, h.land(t, run, 2, 4, 1)))
	h.has(t, run, 4)
}

func commitOfTable(t *testing.T, h Harness) {
	run := h.run("R1", "")
	p := publication(run, h.land(t, run, 1, 3, 1))
	h.publish(t, p)
	if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: run, Rows: 3, Partitions: p.Partitions}); err != nil {
		t.Fatal(err)
	}
	all, err := h.Destination.History(t.Context(), []tvmexport.Table{h.Table, h.Events})
	if err != nil || all[h.Table.Name].Last == nil || all[h.Events.Name].Last != nil {
		t.Errorf("after a commit of one of two tables: %+v, %v", all, err)
	}
}

// commitNothing: a run without rows counts too, so that readers of a table that
// became empty see no rows.
func commitNothing(t *testing.T, h Harness) {
	h.parts(t, "R1", "", "3f01", "40")
	run := h.run("R2", "R1")
	p := tvmexport.Publication{Run: run, Layout: tvmexport.Both, Columns: h.Table.Columns, Shown: h.Table.Visible()}
	h.publish(t, p)
	gone := []tvmexport.PartitionRecord{{Partition: tvmexport.AllPartitions, Fingerprint: tvmexport.EmptyFingerprint}}
	if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: run, Partitions: gone}); err != nil {
		t.Fatal(err)
	}
	if got := h.history(t); got.Last == nil || got.Last.ID != "R2" || got.Last.Rows != 0 {
		t.Errorf("after a commit without rows the last run is %+v", got.Last)
	}
}

// commitGap: a gap is kept from the beginning of the publication on, for the process that
// finishes it, and belongs to one run.
func commitGap(t *testing.T, h Harness) {
	run := h.run("R1", "")
	p := publication(run, h.land(t, run, 1, 3, 1))
	p.Gap = tvmexport.Window{From: time.Date(2026, 11, 1, 6, 0, 0, 1200, time.UTC), To: time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)}
	h.publish(t, p)
	begun := h.history(t).Publishing
	if begun == nil || begun.Gap != p.Gap {
		t.Fatalf("the publication that began is %+v, want the gap %v", begun, p.Gap)
	}
	commit := tvmexport.Commit{Run: run, Rows: 3, Partitions: p.Partitions, Gap: begun.Gap}
	if err := h.Destination.Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	if last := h.history(t).Last; last == nil || last.Gap != p.Gap {
		t.Errorf("the last run is %+v, want the gap %v", last, p.Gap)
	}
	h.parts(t, "R2", "R1", "40")
	if last := h.history(t).Last; last == nil || last.ID != "R2" || last.Gap != (tvmexport.Window{}) {
		t.Errorf("the run after it is %+v, want no gap", last)
	}
}

func historyNone(t *testing.T, h Harness) {
	if all, err := h.Destination.History(t.Context(), nil); err != nil || len(all) != 0 {
		t.Errorf("of no tables: %+v, %v", all, err)
	}
}

func historyOfDelta(t *testing.T, h Harness) {
	commit := func(id, previous string, kind tvmexport.RunKind, records ...tvmexport.PartitionRecord) {
		t.Helper()
		run := h.runOf(h.Table, id, previous, kind)
		run.Depth = 1
		var rows int64
		for _, r := range records {
			rows += r.Rows
		}
		p := publication(run, h.land(t, run, 1, int(rows), 1))
		p.Partitions = records
		h.publish(t, p)
		if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: run, Rows: rows, Partitions: records}); err != nil {
			t.Fatal(err)
		}
	}
	commit("R1", "", tvmexport.FullRun, tvmexport.PartitionRecord{Partition: "3", Rows: 3}, tvmexport.PartitionRecord{Partition: "4", Rows: 2})
	commit("R2", "R1", tvmexport.DeltaRun, tvmexport.PartitionRecord{Partition: "4", Rows: 1}, tvmexport.PartitionRecord{Partition: "5", Rows: 4})
	got := h.history(t)
	rows := map[string]int64{}
	for _, r := range got.Partitions {
		rows[string(r.Partition)] += r.Rows
	}
	same(t, "partitions after a delta", rows, map[string]int64{"3": 3, "4": 1, "5": 4})
	if got.Depth != 1 || got.Last.ID != "R2" || got.Last.Kind != tvmexport.DeltaRun || got.FullAt.IsZero() || got.Fetched.Rows != 10 {
		t.Errorf("after a delta: depth %d, last %+v, full at %s, %d rows fetched", got.Depth, got.Last, got.FullAt, got.Fetched.Rows)
	}
}

// historyOfStateTime: the time of the source's state outlives a process that ends after
// it began to publish.
func historyOfStateTime(t *testing.T, h Harness) {
	run := h.run("R1", "")
	run.StateAt = time.Date(2026, 11, 23, 6, 1, 0, 123456700, time.UTC)
	p := publication(run, h.land(t, run, 1, 3, 1))
	h.publish(t, p)
	open := h.history(t).Publishing
	if open == nil || !open.Run.StateAt.Equal(run.StateAt) {
		t.Fatalf("the publication is %+v, want the state of %s", open, run.StateAt)
	}
	open.Run.Table = run.Table
	if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: open.Run, Rows: 3, Partitions: p.Partitions}); err != nil {
		t.Fatal(err)
	}
	if last := h.history(t).Last; last == nil || !last.StateAt.Equal(run.StateAt) {
		t.Errorf("the last run is %+v, want the state of %s", last, run.StateAt)
	}
	h.parts(t, "R2", "R1", "3f01")
	if last := h.history(t).Last; last == nil || last.ID != "R2" || !last.StateAt.IsZero() {
		t.Errorf("of a run whose source tells no time: %+v", last)
	}
}

func leaseExpires(t *testing.T, h Harness) {
	l := tvmexport.Lease{Owner: "one", Tables: []tvmexport.Table{h.Table}, Term: 5 * time.Minute}
	h.acquire(t, l)
	time.Sleep(4 * time.Minute)
	h.acquire(t, l) // extended
	time.Sleep(4 * time.Minute)
	l.Owner = "two"
	if held, err := h.Destination.Acquire(t.Context(), l); err != nil || held[h.Table.Name].Owner != "one" || !held[h.Table.Name].Expires.After(time.Now()) {
		t.Fatalf("within the extended term another owner gets %+v, %v", held, err)
	}
	time.Sleep(2 * time.Minute)
	h.acquire(t, l)
}

func leaseOfSome(t *testing.T, h Harness) {
	h.acquire(t, tvmexport.Lease{Owner: "one", Tables: []tvmexport.Table{h.Table}, Term: 5 * time.Minute})
	both := []tvmexport.Table{h.Table, h.Events}
	held, err := h.Destination.Acquire(t.Context(), tvmexport.Lease{Owner: "two", Tables: both, Term: 5 * time.Minute})
	if err != nil || len(held) != 1 || held[h.Table.Name].Owner != "one" {
		t.Fatalf("of two tables, one of them held: %+v, %v", held, err)
	}
	held, err = h.Destination.Acquire(t.Context(), tvmexport.Lease{Owner: "three", Tables: both, Term: 5 * time.Minute})
	if err != nil || held[h.Table.Name].Owner != "one" || held[h.Events.Name].Owner != "two" {
		t.Errorf("a third owner gets %+v, %v, want the table by one and the other by two", held, err)
	}
}

func endLeavesOthers(t *testing.T, h Harness) {
	tables := []tvmexport.Table{h.Table}
	h.acquire(t, tvmexport.Lease{Owner: "one", Tables: tables, Term: 5 * time.Minute})
	if err := h.Destination.EndInvocation(t.Context(), tvmexport.InvocationEnd{Owner: "two", Tables: tables}); err != nil {
		t.Fatal(err)
	}
	held, err := h.Destination.Acquire(t.Context(), tvmexport.Lease{Owner: "three", Tables: tables, Term: 5 * time.Minute})
	if err != nil || held[h.Table.Name].Owner != "one" {
		t.Errorf("after another invocation ended, the lease is %+v, %v, want one's", held, err)
	}
}
