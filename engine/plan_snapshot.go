package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// planState plans a table that is a state: the partitions of the whole table, those
// that differ from what readers see, or those to replace.
func (p *planner) planState(ctx context.Context) error {
	run := &p.Run
	q := tvmexport.CountQuery{Table: run.Table, Depth: maxStateDepth, Fingerprints: true, Rows: p.Last, Emptied: p.Requested}
	depth := -1 // by the number of rows
	switch {
	case run.Table.Key.IsRow():
		q.Within, q.Depth = tvmexport.AllPartitions.ByRowHash(), 2
	case run.Kind == tvmexport.DeltaRun:
		depth = p.Depth
	case len(p.Orphans) > 0:
		depth = p.Orphans[0].Header.Depth
	case p.Last > 0:
		q.Depth = max(stateDepth(2*p.Last, p.Limits.Rows), 1)
	}
	if depth >= 0 {
		q.Depth = max(depth, 1)
	}
	counts, err := p.count(ctx, q)
	if err != nil {
		return err
	}
	run.StateAt = counts.Now
	p.units = unitsOf(counts.Parts, tvmexport.Window{})
	p.held = rowsOf(counts.Parts)
	p.fallBackToFull(counts)
	if q.Within == tvmexport.AllPartitions {
		var rows int64
		for _, u := range p.units {
			rows += u.Rows
		}
		if depth < 0 {
			depth = min(q.Depth, stateDepth(rows, p.Limits.Rows))
		}
		run.Depth = depth
		p.units = coarsen(p.units, depth)
	}
	if run.Kind == tvmexport.DeltaRun {
		p.only()
		p.fingerprints = fingerprintsOf(p.units)
		p.counted = tallyOf(*run, p.units, counts)
		return nil
	}
	if q.Within == tvmexport.AllPartitions {
		q.Depth = run.Depth
	}
	sortUnits(p.units)
	parts := countedPartsOf(p.units)
	p.fingerprints = fingerprintsOfTable(parts)
	p.counted = tallyOf(*run, p.units, counts)
	if t := p.counted.parts; t != nil && t.table != nil {
		t.table = parts // it is the same, and large
	}
	empty := p.held == 0
	p.askHeldRests(parts)
	p.empty = newGrid(q.Within, tvmexport.Window{}, q.Depth)
	list := p.open()
	p.progress.Parts = list.size()
	p.progress.Changed = p.progress.Parts
	if len(p.Orphans) > 0 || empty {
		p.units, p.empty = list.all(), nil
		askAll(p.units)
	}
	return nil
}

// askHeldRests adds to the units of a full run the rests in which readers see rows and
// the count shows none. A slice asks for other partitions without rows too, but no
// prefix names a rest.
func (p *planner) askHeldRests(counted countedParts) {
	met := map[tvmexport.Partition]bool{}
	for _, k := range p.Known {
		at := p.Run.Label(k.Partition)
		if _, ok := counted.find(at); ok || k.Rows == 0 || k.Window != (tvmexport.Window{}) || !at.Rest() || met[at] {
			continue
		}
		met[at] = true
		p.units = append(p.units, planUnit{Partition: at, Fingerprint: tvmexport.EmptyFingerprint, Ask: true})
	}
	sortUnits(p.units)
}

// fallBackToFull makes a full run of a delta whose count tells nothing of what has
// changed.
func (p *planner) fallBackToFull(c tvmexport.Counts) {
	run := &p.Run
	if run.Kind != tvmexport.DeltaRun || p.Only != nil || !slices.ContainsFunc(c.Parts, func(p tvmexport.Count) bool { return !p.Fingerprint.Known }) {
		return
	}
	run.Kind = tvmexport.FullRun
	p.Orphans = nil // they are of a delta
	p.FullReason = "the service computes no fingerprints"
	p.progress.FullReason = p.FullReason
	p.note("the service computes no fingerprints, so changes are unknown: the whole table is fetched")
}

// only leaves the units that a delta replaces: those that were asked for, or
// that differ from what readers see.
func (p *planner) only() {
	p.asked = p.Only
	if p.asked == nil {
		p.asked = changedSince(p.units, p.Known, p.Run)
	}
	p.progress.Parts, p.progress.Changed = len(p.units), len(p.asked)
	wanted := make(map[tvmexport.Partition]bool, len(p.asked))
	for _, at := range p.asked {
		wanted[at] = true
	}
	p.units = slices.DeleteFunc(p.units, func(u planUnit) bool { return !wanted[p.Run.Label(u.Partition)] })
	p.unseen(p.asked)
}

// unseen adds to the units of a Snapshot the partitions that readers see and
// that the plan does not show, to be asked for like the others: the answer to a
// fetch proves by a count of its own that they are gone, or brings their rows.
func (p *planner) unseen(wanted []tvmexport.Partition) {
	run := p.Run
	shown := make(map[tvmexport.Partition]bool, len(p.units))
	in := make(map[tvmexport.Partition]bool, len(p.units)) // partitions of which something is shown
	for _, u := range p.units {
		shown[run.Label(u.Partition)] = true
		for at, ok := u.Partition.Base(), true; ok && !in[at]; at, ok = at.Parent() {
			in[at] = true
		}
	}
	for _, w := range wanted {
		at := run.Label(w)
		if shown[at] || in[w.Base()] {
			continue
		}
		shown[at] = true
		p.units = append(p.units, planUnit{Partition: at, Fingerprint: tvmexport.EmptyFingerprint, Ask: true})
	}
	slices.SortFunc(p.units, func(a, b planUnit) int { return cmp.Compare(a.Partition, b.Partition) })
}

// changedSince returns the partitions, at the depth at which the run compares
// rows, whose rows or fingerprint differ from what readers see. A false difference
// costs only a fetch; equality is never false.
func changedSince(units []planUnit, known []tvmexport.PartitionRecord, run tvmexport.Run) []tvmexport.Partition {
	now := countedBy(run, units)
	var out []tvmexport.Partition
	for _, k := range known {
		n, ok := now[k.Partition]
		switch {
		case !ok && k.Rows > 0, ok && (n.rows != k.Rows || !n.fingerprint.Same(k.Fingerprint)) && n.rows+k.Rows > 0:
			out = append(out, k.Partition)
		}
		delete(now, k.Partition)
	}
	for at, n := range now {
		if n.rows > 0 {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out
}

// countedBy adds up units by the partitions in which the run compares rows. Partitions
// without rows are left out.
func countedBy(run tvmexport.Run, units []planUnit) map[tvmexport.Partition]partCount {
	filled := 0
	for _, p := range units {
		if p.Rows != 0 {
			filled++
		}
	}
	out := make(map[tvmexport.Partition]partCount, filled)
	for _, p := range units {
		if p.Rows == 0 {
			continue
		}
		at := run.Label(p.Partition)
		r, ok := out[at]
		if !ok {
			r.fingerprint = tvmexport.EmptyFingerprint
		}
		out[at] = partCount{rows: r.rows + p.Rows, fingerprint: r.fingerprint.Add(p.Fingerprint)}
	}
	return out
}
