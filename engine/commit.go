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

// recordsOf returns the rows that batches hold of each partition, at the depth at
// which the run compares its rows, sorted by window and partition. A large table has
// many partitions without rows: those that can change no fingerprint take no memory.
func recordsOf(batches []tvmexport.BatchInfo, run tvmexport.Run) []tvmexport.PartitionRecord {
	shown := slices.ContainsFunc(batches, func(b tvmexport.BatchInfo) bool { return !b.Fingerprints.IsZero() })
	each := func(yield func(tvmexport.PartitionRecord)) {
		for _, b := range batches {
			for i, p := range b.Slice.Partitions {
				r := tvmexport.PartitionRecord{Partition: run.Label(p), Window: b.Slice.Window, Fingerprint: b.Fingerprints.At(i)}
				if i < len(b.Counts) {
					r.Rows = b.Counts[i]
				}
				if r.Rows > 0 || shown && r.Fingerprint != tvmexport.EmptyFingerprint {
					yield(r)
				}
			}
		}
	}
	size := 0
	each(func(tvmexport.PartitionRecord) { size++ })
	all := make([]tvmexport.PartitionRecord, 0, size)
	each(func(r tvmexport.PartitionRecord) { all = append(all, r) })
	slices.SortFunc(all, compareRecords)
	out := all[:0]
	for _, r := range all {
		if last := len(out) - 1; last >= 0 && compareRecords(out[last], r) == 0 {
			out[last].Rows += r.Rows
			out[last].Fingerprint = out[last].Fingerprint.Add(r.Fingerprint)
			continue
		}
		out = append(out, r)
	}
	return slices.DeleteFunc(out, func(r tvmexport.PartitionRecord) bool { return r.Rows == 0 })
}

// compareRecords orders records by window and partition; those of one window and
// partition are equal.
func compareRecords(a, b tvmexport.PartitionRecord) int {
	c := cmp.Or(a.Window.From.Compare(b.Window.From), cmp.Compare(a.Partition, b.Partition), a.Window.To.Compare(b.Window.To))
	switch {
	case c != 0 || a.Window.Null == b.Window.Null:
		return c
	case b.Window.Null:
		return -1
	}
	return 1
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
	effect := effectOf(p, stateBefore(h), h.Partitions)
	h.TableRows = effect.TableRows
	h.Last = &tvmexport.Committed{
		RunHeader: p.Run.Header(), At: h.Now, StateAt: p.Run.StateAt, Watermark: p.Run.Watermark, Rows: p.Rows, Bytes: p.Bytes,
		Columns: p.Run.Table.Columns, Shown: p.Run.Table.Visible(),
		Effect: &effect, Unread: p.Unread, Unlike: p.Unlike,
		Destination: p.Run.Table.Destination, Losses: p.Losses, Gap: p.Gap,
	}
	if p.Run.Kind == tvmexport.FullRun {
		h.Losses = tvmexport.Losses{}
		h.Partitions, h.Depth, h.FullAt, h.Fetched = p.Partitions, p.Run.Depth, h.Now, fetched
		return h
	}
	h.Fetched.Rows += fetched.Rows
	h.Fetched.Bytes += fetched.Bytes
	h.Ordered = time.Time{}
	if p.Run.Table.LoadType != tvmexport.Snapshot {
		h.Partitions = p.Partitions
		return h
	}
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
	return h
}
