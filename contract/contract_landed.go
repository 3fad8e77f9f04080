package contract

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

var orphansCases = []contractCase{
	{"OrphanedBatches", "WholeBatches", orphansWhole},
	{"OrphanedBatches", "NotOfARunThatPublishes", orphansUnpublished},
	{"OrphanedBatches", "NotOfAnotherBase", orphansOfBase},
	{"OrphanedBatches", "NotOlderThanAsked", orphansSince},
	{"OrphanedBatches", "KeepTheirUnits", orphansUnits},
}

// missing is a row that a batch announces and does not have.
const missing = ""

// described is a batch of rows, each a record or missing, with the manifest that the
// engine writes.
func described(t *testing.T, run tvmexport.Run, ordinal int, s tvmexport.Slice, rows ...string) (tvmexport.Batch, tvmexport.BatchInfo) {
	t.Helper()
	info := tvmexport.BatchInfo{
		ID: tvmexport.BatchID(fmt.Sprintf("%s.%04d", run.ID, ordinal)), Slice: s, Rows: int64(len(rows)), Bytes: int64(100 * len(rows)),
	}
	for i := range s.Partitions {
		info.Counts = append(info.Counts, int64(i))
		info.Fingerprints.Append(tvmexport.Fingerprint{Known: true, Sums: [3]int64{int64(ordinal), int64(i), 1 << 50}})
	}
	manifest, err := json.Marshal(tvmexport.Manifest{Slice: s, Header: run.Header(), Bytes: info.Bytes, Counts: info.Counts, Fingerprints: info.Fingerprints.List()})
	if err != nil {
		t.Fatal(err)
	}
	label := s.Partitions[0]
	if s.Window.Null {
		label = tvmexport.NullWatermark + label
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	var size int
	write := func(format string, args ...any) {
		k, _ := fmt.Fprintf(z, format, args...) // to memory: cannot fail
		size += k
	}
	for i, row := range rows {
		if row == missing {
			continue
		}
		write(`{"r":%s,"b":%q,"n":%d,"p":%q}`+"\n", row, info.ID, i+1, label)
	}
	write(`{"b":%q,"n":0,"c":%d,"u":%q,"s":%s}`+"\n", info.ID, len(rows), run.ID, manifest)
	_ = z.Close() // to memory
	return tvmexport.Batch{ID: info.ID, Run: run, Slice: s, Rows: info.Rows, Bytes: int64(size), Data: bytes.NewReader(packed.Bytes())}, info
}

// deliver lands a batch and waits until all its lines are counted.
func (h Harness) deliver(t *testing.T, b tvmexport.Batch, lines int) {
	t.Helper()
	if err := h.Destination.Land(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(h.Wait); ; time.Sleep(50 * time.Millisecond) {
		landed, err := h.Destination.Landed(t.Context(), b.Run)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range landed.Batches {
			if l.Batch == b.ID && l.Lines == int64(lines) && l.Tail == b.Rows {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("batch %s has not landed: %+v", b.ID, landed)
		}
	}
}

// runOf is a run of another table of the harness.
func (h Harness) runOf(table tvmexport.Table, id, previous string, kind tvmexport.RunKind) tvmexport.Run {
	r := h.run(id, previous)
	r.Table, r.Kind = table, kind
	return r
}

// export lands rows as one batch of a slice, publishes and commits them.
func (h Harness) export(t *testing.T, run tvmexport.Run, s tvmexport.Slice, rows ...string) {
	t.Helper()
	b, info := described(t, run, 1, s, rows...)
	h.deliver(t, b, len(rows))
	p := publication(run, info)
	p.Layout, p.Columns, p.Shown = tvmexport.Both, run.Table.Columns, run.Table.Visible()
	p.Partitions = nil
	for _, q := range s.Partitions {
		p.Partitions = append(p.Partitions, tvmexport.PartitionRecord{Partition: q, Window: s.Window, Rows: p.Rows})
	}
	h.publish(t, p)
	if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: run, Owner: string(run.ID), Rows: p.Rows, Partitions: p.Partitions}); err != nil {
		t.Fatal(err)
	}
}

// orphans asks for both tables, twice, and gives what is left of one.
func (h Harness) orphans(t *testing.T, table tvmexport.Table, since time.Time) []tvmexport.OrphanedBatch {
	t.Helper()
	tables := []tvmexport.Table{h.Table, h.Events}
	history, err := h.Destination.History(t.Context(), tables)
	if err != nil {
		t.Fatal(err)
	}
	var out []tvmexport.OrphanedBatch
	for round := range 2 {
		left, err := h.Destination.OrphanedBatches(t.Context(), tables, history, since)
		if err != nil {
			t.Fatal(err)
		}
		if round > 0 && len(left[table.Name]) != len(out) {
			t.Fatalf("%d orphans at first, then %d", len(out), len(left[table.Name]))
		}
		out = left[table.Name]
	}
	return out
}

func hourAgo() time.Time { return time.Now().Add(-time.Hour) }

func orphansWhole(t *testing.T, h Harness) {
	if left, err := h.Destination.OrphanedBatches(t.Context(), nil, nil, hourAgo()); err != nil || len(left) != 0 {
		t.Fatalf("of no tables: %+v, %v", left, err)
	}
	if left := h.orphans(t, h.Table, hourAgo()); len(left) != 0 {
		t.Fatalf("before anything has landed: %+v", left)
	}
	run := h.runOf(h.Table, "R1", "", tvmexport.DeltaRun)
	run.Depth, run.Tenant = 2, "tenant"
	s := tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{"3f", "40~", "41#a0"}}
	whole, info := described(t, run, 1, s, `{"DeviceId":"3f01"}`, `{"DeviceId":"40"}`)
	for range 2 {
		h.deliver(t, whole, 2)
	}
	short, _ := described(t, run, 2, s, `{"DeviceId":"3f02"}`, `{"DeviceId":"3f03"}`, missing)
	h.deliver(t, short, 2)
	other := h.runOf(h.Events, "R2", "", tvmexport.DeltaRun)
	late := tvmexport.Slice{Table: h.Events, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}, Late: true, Window: tvmexport.Window{
		From: time.Date(2026, 11, 1, 6, 59, 59, 999999900, time.UTC), To: time.Date(2026, 11, 1, 7, 59, 59, 999999900, time.UTC),
	}}
	event, _ := described(t, other, 1, late, `{"Timestamp":"2026-11-01T07:30:00Z","DeviceId":"3f01"}`)
	h.deliver(t, event, 1)

	left := h.orphans(t, h.Table, hourAgo())
	if len(left) != 1 {
		t.Fatalf("a whole batch and one that lacks a line: %+v", left)
	}
	got := left[0]
	if b := got.Batch; b.ID != info.ID || b.Rows != 2 || b.Bytes != info.Bytes || b.Slice.Table.Name != h.Table.Name || b.Slice.Late ||
		!slices.Equal(b.Slice.Partitions, s.Partitions) || !slices.Equal(b.Counts, info.Counts) || !b.Fingerprints.Equal(info.Fingerprints) {
		t.Errorf("the whole batch is %+v, want %+v", b, info)
	}
	want := run.Header()
	if o := got.Header; !o.StartedAt.Equal(want.StartedAt) {
		t.Errorf("its run began at %s, want %s", o.StartedAt, want.StartedAt)
	}
	got.Header.StartedAt = want.StartedAt
	if got.Header != want {
		t.Errorf("its run is %+v, want %+v", got.Header, want)
	}
	events := h.orphans(t, h.Events, hourAgo())
	if len(events) != 1 || !events[0].Batch.Slice.Late || !events[0].Batch.Slice.Window.From.Equal(late.Window.From) || !events[0].Batch.Slice.Window.To.Equal(late.Window.To) {
		t.Errorf("of the other table: %+v", events)
	}
}

func orphansUnpublished(t *testing.T, h Harness) {
	run := h.runOf(h.Table, "R1", "", tvmexport.FullRun)
	b, info := described(t, run, 1, tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{"3f"}}, `{"DeviceId":"3f01"}`)
	h.deliver(t, b, 1)
	if left := h.orphans(t, h.Table, hourAgo()); len(left) != 1 {
		t.Fatalf("before the publication: %+v", left)
	}
	h.publish(t, publication(run, info))
	if left := h.orphans(t, h.Table, hourAgo()); len(left) != 0 {
		t.Errorf("of a run that has begun to publish: %+v", left)
	}
}

func orphansOfBase(t *testing.T, h Harness) {
	land := func(id, previous string) {
		run := h.runOf(h.Table, id, previous, tvmexport.DeltaRun)
		b, _ := described(t, run, 1, tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{"3f"}}, `{"DeviceId":"3f01"}`)
		h.deliver(t, b, 1)
	}
	land("R1", "")
	h.export(t, h.run("R2", ""), tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{"3f"}}, `{"DeviceId":"3f01"}`)
	if left := h.orphans(t, h.Table, hourAgo()); len(left) != 0 {
		t.Errorf("of a run on the base of the one that committed: %+v", left)
	}
	land("R3", "R2")
	if left := h.orphans(t, h.Table, hourAgo()); len(left) != 1 || left[0].Header.ID != "R3" {
		t.Errorf("of a run on the base of the commit: %+v", left)
	}
}

func orphansSince(t *testing.T, h Harness) {
	run := h.runOf(h.Table, "R1", "", tvmexport.FullRun)
	b, _ := described(t, run, 1, tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{"3f"}}, `{"DeviceId":"3f01"}`)
	h.deliver(t, b, 1)
	time.Sleep(3 * time.Hour)
	if left := h.orphans(t, h.Table, hourAgo()); len(left) != 0 {
		t.Errorf("of the last hour, three hours later: %+v", left)
	}
	if left := h.orphans(t, h.Table, time.Now().Add(-4*time.Hour)); len(left) != 1 {
		t.Errorf("of the last four hours: %+v", left)
	}
}

// orphansUnits: a batch of a unit names the unit, and not the link to it.
func orphansUnits(t *testing.T, h Harness) {
	run := h.run("R1", "")
	for i, open := range []bool{false, true} {
		unit := tvmexport.Unit{Version: "2026-11-20T06:01:00Z", ID: fmt.Sprintf("OrgId=1/part-%05d", i), Open: open, Rows: 1, Link: "https://files.example/x?sig=secret"}
		s := tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}, Unit: unit}
		b, _ := described(t, run, i+1, s, `{"DeviceId":"3f01"}`)
		h.deliver(t, b, 1)
	}
	left := h.orphans(t, h.Table, hourAgo())
	if len(left) != 2 {
		t.Fatalf("of two batches: %+v", left)
	}
	for i, o := range left {
		u := o.Batch.Slice.Unit
		if want := (tvmexport.Unit{Version: "2026-11-20T06:01:00Z", ID: fmt.Sprintf("OrgId=1/part-%05d", i), Open: i == 1}); u != want {
			t.Errorf("batch %d is of the unit %+v with the link %q, want %+v", i, u, string(u.Link), want)
		}
	}
}
