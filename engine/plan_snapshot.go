package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// planState plans a table that is a state: the partitions of the whole table, those
// that differ from what readers see, or those to replace.
func (f *fetching) planState(ctx context.Context) error {
	run := &f.plan.Run
	q := tvmexport.CountQuery{Table: run.Table, Depth: maxStateDepth, Fingerprints: true}
	depth := -1 // by the number of rows
	switch {
	case run.Table.Key.IsRow():
		q.Within, q.Depth = tvmexport.AllPartitions.ByRowHash(), 2
	case run.Kind == tvmexport.DeltaRun:
		depth = f.plan.Depth
	case len(f.plan.Orphans) > 0:
		depth = f.plan.Orphans[0].Header.Depth
	case f.plan.Last > 0:
		q.Depth = max(stateDepth(2*f.plan.Last, f.plan.Limits.Rows), 1)
	}
	if depth >= 0 {
		q.Depth = max(depth, 1)
	}
	counts, err := f.steps.Count(ctx, q)
	if err != nil {
		return err
	}
	f.progress.Calls += counts.Calls
	f.units = unitsOf(counts.Parts, tvmexport.Window{})
	f.held = rowsOf(counts.Parts)
	f.fallBackToFull(counts)
	if q.Within == tvmexport.AllPartitions {
		var rows int64
		for _, p := range f.units {
			rows += p.Rows
		}
		if depth < 0 {
			depth = min(q.Depth, stateDepth(rows, f.plan.Limits.Rows))
		}
		run.Depth = depth
		f.units = coarsen(f.units, depth)
	}
	if run.Kind == tvmexport.DeltaRun {
		f.remember(f.units)
		f.only()
		f.expect(counts)
		return nil
	}
	// Of the parts of a large table so many are empty that the count has to
	// do as the answer that says so.
	switch {
	case q.Within != tvmexport.AllPartitions:
		f.units = withEmptyPartitions(f.units, q.Within, tvmexport.Window{}, q.Depth)
	case run.Depth <= maxDepth:
		f.units = withEmptyPartitions(f.units, tvmexport.AllPartitions, tvmexport.Window{}, run.Depth)
	}
	f.remember(f.units)
	f.unseen(heldPartitions(f.plan.Known))
	askAll(f.units)
	f.expect(counts)
	f.progress.Parts, f.progress.Changed = len(f.units), len(f.units)
	return nil
}

// fallBackToFull makes a full run of a delta whose count tells nothing of what has
// changed.
func (f *fetching) fallBackToFull(c tvmexport.Counts) {
	run := &f.plan.Run
	if run.Kind != tvmexport.DeltaRun || f.plan.Only != nil || !slices.ContainsFunc(c.Parts, func(p tvmexport.Count) bool { return !p.Fingerprint.Known }) {
		return
	}
	run.Kind = tvmexport.FullRun
	f.plan.Orphans = nil // they are of a delta
	f.plan.FullReason = "the service computes no fingerprints"
	f.progress.FullReason = f.plan.FullReason
	f.note("the service computes no fingerprints, so changes are unknown: the whole table is fetched")
}

// remember keeps the fingerprints of pieces. What was not counted has no rows.
func (f *fetching) remember(pieces []planUnit) {
	if f.fingerprints == nil {
		f.fingerprints = make(map[tvmexport.Partition]tvmexport.Fingerprint, len(pieces))
	}
	for _, p := range pieces {
		f.fingerprints[p.Partition] = p.Fingerprint
	}
}

// only leaves the pieces that a delta replaces: those that were asked for, or
// that differ from what readers see.
func (f *fetching) only() {
	f.asked = f.plan.Only
	if f.asked == nil {
		f.asked = changedSince(f.units, f.plan.Known, f.plan.Run)
	}
	f.progress.Parts, f.progress.Changed = len(f.units), len(f.asked)
	wanted := make(map[tvmexport.Partition]bool, len(f.asked))
	for _, p := range f.asked {
		wanted[p] = true
	}
	f.units = slices.DeleteFunc(f.units, func(p planUnit) bool { return !wanted[f.plan.Run.Label(p.Partition)] })
	f.unseen(f.asked)
}

// unseen adds to the pieces of a Snapshot the partitions that readers see and
// that the plan does not show, to be asked for like the others: the answer to a
// fetch proves by a count of its own that they are gone, or brings their rows.
func (f *fetching) unseen(wanted []tvmexport.Partition) {
	run := f.plan.Run
	shown := make(map[tvmexport.Partition]bool, len(f.units))
	in := make(map[tvmexport.Partition]bool, len(f.units)) // partitions of which something is shown
	for _, p := range f.units {
		shown[run.Label(p.Partition)] = true
		for at, ok := p.Partition.Base(), true; ok && !in[at]; at, ok = at.Parent() {
			in[at] = true
		}
	}
	var out []planUnit
	for _, p := range wanted {
		at := run.Label(p)
		if shown[at] || in[p.Base()] {
			continue
		}
		shown[at] = true
		out = append(out, planUnit{Partition: at, Fingerprint: tvmexport.EmptyFingerprint, Ask: true})
	}
	f.remember(out)
	f.units = append(f.units, out...)
	slices.SortFunc(f.units, func(a, b planUnit) int { return cmp.Compare(a.Partition, b.Partition) })
}

// heldPartitions are the partitions in which the last commit has rows.
func heldPartitions(known []tvmexport.PartitionRecord) []tvmexport.Partition {
	var out []tvmexport.Partition
	for _, k := range known {
		if k.Rows > 0 && k.Window == (tvmexport.Window{}) {
			out = append(out, k.Partition)
		}
	}
	return out
}

// changedSince returns the partitions, at the depth at which the run compares
// rows, whose rows or fingerprint differ from what readers see. A false difference
// costs only a fetch; equality is never false.
func changedSince(pieces []planUnit, known []tvmexport.PartitionRecord, run tvmexport.Run) []tvmexport.Partition {
	now := countedBy(run, pieces)
	var out []tvmexport.Partition
	for _, k := range known {
		n, ok := now[k.Partition]
		switch {
		case !ok && k.Rows > 0, ok && (n.Rows != k.Rows || !n.Fingerprint.Same(k.Fingerprint)) && n.Rows+k.Rows > 0:
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

// countedBy adds up pieces by the partitions in which the run compares rows.
func countedBy(run tvmexport.Run, pieces []planUnit) map[tvmexport.Partition]tvmexport.PartitionRecord {
	out := make(map[tvmexport.Partition]tvmexport.PartitionRecord, len(pieces))
	for _, p := range pieces {
		at := run.Label(p.Partition)
		r, ok := out[at]
		if !ok {
			r.Fingerprint = tvmexport.EmptyFingerprint
		}
		out[at] = tvmexport.PartitionRecord{Partition: at, Rows: r.Rows + p.Rows, Fingerprint: r.Fingerprint.Add(p.Fingerprint)}
	}
	return out
}
