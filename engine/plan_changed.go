package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// defaultFullEvery is how long a Snapshot is brought forward by what changed.
const defaultFullEvery = 7 * 24 * time.Hour

// agingOut is how long before its rows age out a full snapshot is replaced.
const agingOut = 24 * time.Hour

// wholeBecause says why a Snapshot has to be fetched whole; "" where what has
// changed since the last committed run is enough.
func wholeBecause(t tvmexport.Table, h tvmexport.History, every time.Duration, limit int64) string {
	every = cmp.Or(every, defaultFullEvery)
	switch {
	case h.Last == nil:
		return "it is the first one"
	case !h.Lineage:
		return "published rows do not say which part of the table they belong to"
	case h.FullAt.IsZero():
		return "there is no full snapshot to build on"
	case h.Last.Definition != t.Definition():
		return "the table's columns or definition have changed since the last run"
	case !h.Now.Before(h.FullAt.Add(every)):
		return fmt.Sprintf("the last one is from %s, and one is taken every %s", h.FullAt.UTC().Format(time.DateTime), days(every))
	case h.Retention > 0 && !h.Now.Before(h.FullAt.Add(h.Retention-agingOut)):
		return fmt.Sprintf("the last one, from %s, is about to age out", h.FullAt.UTC().Format(time.DateTime))
	case !slices.ContainsFunc(h.Partitions, func(r tvmexport.PartitionRecord) bool { return r.Print.Known }) && len(h.Partitions) > 0:
		return "the last run could not keep fingerprints"
	}
	var rows int64
	for _, r := range h.Partitions {
		rows += r.Rows
	}
	// Twice the rows, or half of them, before the parts are made finer or coarser.
	if !t.Key.IsRow() && (StateDepth(rows/2, limit) > h.Depth || StateDepth(rows*2, limit) < h.Depth) {
		return fmt.Sprintf("the table of %d rows asks for parts of another size", rows)
	}
	return ""
}

// days spells a duration of whole days as such.
func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}

// checkRetention refuses a Snapshot of which parts would age out before the
// next full run brings them again.
func checkRetention(t tvmexport.Table, h tvmexport.History, every time.Duration) error {
	every = cmp.Or(every, defaultFullEvery)
	if h.Retention <= 0 || h.Retention >= every {
		return nil
	}
	return &tvmexport.Error{
		Op: "plan", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage,
		Err:  fmt.Errorf("the destination keeps rows for %s, and a full snapshot is taken every %s: rows that have not changed would age out", days(h.Retention), days(every)),
		Hint: fmt.Sprintf("raise the soft-delete period of its retention policy to at least %s, or lower snapshots.full_every", days(every)),
	}
}

// changedSince are the partitions, at the depth at which the run tells rows
// apart, whose rows or fingerprint differ from what readers see. Unequal may
// cost a fetch; equal means equal.
func changedSince(pieces []Piece, known []tvmexport.PartitionRecord, run tvmexport.Run) []tvmexport.Partition {
	now := countedBy(run, pieces)
	var out []tvmexport.Partition
	for _, k := range known {
		n, ok := now[k.Partition]
		switch {
		case !ok && k.Rows > 0, ok && (n.Rows != k.Rows || !n.Print.Same(k.Print)) && n.Rows+k.Rows > 0:
			out = append(out, k.Partition)
		}
		delete(now, k.Partition)
	}
	for at, n := range now {
		if n.Rows > 0 {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out
}

// countedBy adds up pieces by the partitions that the run tells rows apart by.
func countedBy(run tvmexport.Run, pieces []Piece) map[tvmexport.Partition]tvmexport.PartitionRecord {
	out := make(map[tvmexport.Partition]tvmexport.PartitionRecord, len(pieces))
	for _, p := range pieces {
		at := run.Label(p.Partition)
		r, ok := out[at]
		if !ok {
			r.Print = tvmexport.EmptyPrint
		}
		out[at] = tvmexport.PartitionRecord{Partition: at, Rows: r.Rows + p.Rows, Print: r.Print.Add(p.Print)}
	}
	return out
}
