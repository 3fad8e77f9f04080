package engine

import (
	"cmp"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// publishBytes is how much one publishing command moves: Kusto advises up to
// 1 GB for a command that ingests from a query
// (https://learn.microsoft.com/kusto/management/data-ingestion/ingest-from-query).
const publishBytes = 1_000_000_000

// publicationSteps gathers batches, in their order, into steps of at most so
// many bytes, and adds up the rows that they bring. Batches that bring none
// take no part. Late batches go in steps of their own: of them only the rows
// that are lacking count.
func publicationSteps(batches []tvmexport.BatchInfo, lacking map[tvmexport.BatchID]int64, t tvmexport.Table, most int64) (steps []tvmexport.PublicationStep, rows int64) {
	if most <= 0 {
		most = publishBytes
	}
	var size int64
	for _, late := range []bool{false, true} {
		fresh := true
		for _, b := range batches {
			n := b.Rows
			if b.Slice.Late {
				n = lacking[b.ID]
			}
			if b.Slice.Late != late || n == 0 {
				continue
			}
			if fresh || size+b.Bytes > most {
				steps = append(steps, tvmexport.PublicationStep{})
				size, fresh = 0, false
			}
			last := &steps[len(steps)-1]
			last.Batches = append(last.Batches, b.ID)
			last.Rows += n
			if late {
				last.Late = around(last.Late, b.Slice.Window, t)
			}
			rows += n
			size += b.Bytes
		}
	}
	return steps, rows
}

// around widens a window to hold another one. Rows that follow
// ingestion_time() do not carry it, so for them the window is open.
func around(w *tvmexport.Window, v tvmexport.Window, t tvmexport.Table) *tvmexport.Window {
	switch {
	case t.Watermark == tvmexport.IngestionTime:
		return &tvmexport.Window{}
	case w == nil:
		return &v
	}
	if v.From.Before(w.From) {
		w.From = v.From
	}
	if v.To.After(w.To) {
		w.To = v.To
	}
	return w
}

type recordKey struct {
	window    tvmexport.Window
	partition tvmexport.Partition
}

// recordsOf lists what batches hold of each partition, by the depth at which
// the run tells its rows apart.
func recordsOf(batches []tvmexport.BatchInfo, run tvmexport.Run) []tvmexport.PartitionRecord {
	sums := map[recordKey]tvmexport.PartitionRecord{}
	for _, b := range batches {
		for i, p := range b.Slice.Partitions {
			key := recordKey{b.Slice.Window, run.Label(p)}
			r, ok := sums[key]
			if !ok {
				r = tvmexport.PartitionRecord{Partition: key.partition, Window: key.window, Print: tvmexport.EmptyPrint}
			}
			if i < len(b.Counts) {
				r.Rows += b.Counts[i]
			}
			if i < len(b.Prints) {
				r.Print = r.Print.Add(b.Prints[i])
			} else {
				r.Print = tvmexport.Fingerprint{}
			}
			sums[key] = r
		}
	}
	out := make([]tvmexport.PartitionRecord, 0, len(sums))
	for _, r := range sums {
		if r.Rows > 0 {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b tvmexport.PartitionRecord) int {
		return cmp.Or(a.Window.From.Compare(b.Window.From), cmp.Compare(a.Partition, b.Partition))
	})
	return out
}

// vanished adds, with no rows, the partitions that readers saw and that are
// not there any more: in a full run any that it knew, in a Snapshot's delta
// those that were asked for. The rows without a watermark are asked for by
// each run that follows one.
func vanished(found, known []tvmexport.PartitionRecord, run tvmexport.Run, asked []tvmexport.Partition) []tvmexport.PartitionRecord {
	held := make(map[tvmexport.Partition]bool, len(found))
	nulls := false
	for _, r := range found {
		held[r.Partition] = true
		nulls = nulls || r.Window.Null
	}
	wanted := setOf(asked)
	for _, k := range known {
		if k.Rows > 0 && k.Window.Null && !nulls {
			found = append(found, tvmexport.PartitionRecord{Partition: k.Partition, Window: k.Window, Print: tvmexport.EmptyPrint})
		}
		if k.Rows > 0 && k.Window == (tvmexport.Window{}) && !held[k.Partition] &&
			(run.Kind == tvmexport.FullRun || wanted[k.Partition]) {
			found = append(found, tvmexport.PartitionRecord{Partition: k.Partition, Print: tvmexport.EmptyPrint})
		}
	}
	return found
}

// tableOfPublication is a table as the publication met it.
func tableOfPublication(p tvmexport.Publication, t tvmexport.Table) tvmexport.Table {
	t.Layout, t.Shown = p.Layout, p.Shown
	if p.Layout == "" {
		t.Layout = tvmexport.RawOnly
	}
	if len(p.Columns) > 0 {
		t.Columns = p.Columns
	}
	if slices.Equal(t.Shown, t.Columns) {
		t.Shown = nil
	}
	return t
}
