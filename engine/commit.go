package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Commit implements Steps. The rows are published: an end of ctx does not keep
// the run from counting.
func (e *engine) Commit(ctx context.Context, c tvmexport.Commit) error {
	ctx, cancel := e.grace.context(ctx)
	defer cancel()
	c.Owner = e.owner
	return e.destination.Commit(ctx, c)
}

type recordKey struct {
	window    tvmexport.Window
	partition tvmexport.Partition
}

// recordsOf returns the rows that batches hold of each partition, at the depth at
// which the run compares its rows.
func recordsOf(batches []tvmexport.BatchInfo, run tvmexport.Run) []tvmexport.PartitionRecord {
	sums := map[recordKey]tvmexport.PartitionRecord{}
	for _, b := range batches {
		for i, p := range b.Slice.Partitions {
			key := recordKey{b.Slice.Window, run.Label(p)}
			r, ok := sums[key]
			if !ok {
				r = tvmexport.PartitionRecord{Partition: key.partition, Window: key.window, Fingerprint: tvmexport.EmptyFingerprint}
			}
			if i < len(b.Counts) {
				r.Rows += b.Counts[i]
			}
			if i < len(b.Fingerprints) {
				r.Fingerprint = r.Fingerprint.Add(b.Fingerprints[i])
			} else {
				r.Fingerprint = tvmexport.Fingerprint{}
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
			found = append(found, tvmexport.PartitionRecord{Partition: k.Partition, Window: k.Window, Fingerprint: tvmexport.EmptyFingerprint})
		}
		if k.Rows > 0 && k.Window == (tvmexport.Window{}) && !held[k.Partition] &&
			(run.Kind == tvmexport.FullRun || wanted[k.Partition]) {
			found = append(found, tvmexport.PartitionRecord{Partition: k.Partition, Fingerprint: tvmexport.EmptyFingerprint})
		}
	}
	return found
}

// historyAfter is the history once a publication was finished, apart from its Losses.
func historyAfter(h tvmexport.History, p tvmexport.Publication) tvmexport.History {
	fetched := tvmexport.Volume{Rows: p.Rows, Bytes: p.Bytes}
	h.Last = &tvmexport.Committed{
		RunHeader: p.Run.Header(), At: h.Now, Watermark: p.Run.Watermark, Rows: p.Rows, Bytes: p.Bytes,
		Columns: p.Run.Table.Columns, Shown: p.Run.Table.Visible(),
		Unread: p.Unread, Unlike: p.Unlike,
		Destination: p.Run.Table.Destination, Losses: p.Losses,
	}
	if p.Run.Kind == tvmexport.FullRun {
		h.Losses = tvmexport.Losses{}
		h.Partitions, h.Depth, h.FullAt, h.Fetched = p.Partitions, p.Run.Depth, h.Now, fetched
		return h
	}
	h.Fetched.Rows += fetched.Rows
	h.Fetched.Bytes += fetched.Bytes
	replaced := make(map[tvmexport.Partition]bool, len(p.Partitions))
	for _, r := range p.Partitions {
		replaced[r.Partition] = true
	}
	effective := append([]tvmexport.PartitionRecord(nil), p.Partitions...)
	for _, r := range h.Partitions {
		if !replaced[r.Partition] {
			effective = append(effective, r)
		}
	}
	h.Partitions = effective
	h.Ordered = time.Time{}
	return h
}
