package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// recheckRounds is how often what moved is asked for again.
const recheckRounds = 3

// recheck makes sure, where that is asked for, that what was fetched is the
// state of one moment: it counts again, compares the fingerprints with those
// of the answers, and asks again for what differs.
func (f *fetching) recheck(ctx context.Context) error {
	run := f.plan.Run
	if !f.plan.Consistent || run.Table.LoadType != tvmexport.Snapshot {
		return nil
	}
	if f.plan.Lists {
		return f.recheckListing(ctx)
	}
	for round := 1; ; round++ {
		now, err := f.countAgain(ctx)
		if err != nil {
			return err
		}
		moved := changedPartitions(f.expected(), now, run, f.mayMove())
		if len(moved) == 0 {
			return nil
		}
		if round > recheckRounds {
			return &tvmexport.Error{
				Op: "fetch", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
				Err:  fmt.Errorf("%d partitions, including %q, changed while the table was read, after %d more attempts", len(moved), moved[0], recheckRounds),
				Hint: "run at a quieter time, or use the default consistency, under which each partition is the state of one answer",
			}
		}
		f.requeue(moved, now)
		if run.Kind == tvmexport.DeltaRun {
			known := setOf(f.asked)
			f.asked = append(f.asked, slices.DeleteFunc(moved, func(p tvmexport.Partition) bool { return known[p] })...)
		}
		if err := f.fetchAll(ctx); err != nil {
			return err
		}
	}
}

// countAgain counts the run's partitions as they are now.
func (f *fetching) countAgain(ctx context.Context) ([]planUnit, error) {
	run := f.plan.Run
	q := tvmexport.CountQuery{Table: run.Table, Depth: max(run.Depth, 1), Fingerprints: true}
	if run.Table.Key.IsRow() {
		q.Within, q.Depth = tvmexport.AllPartitions.ByRowHash(), 2
	}
	counts, err := f.steps.Count(ctx, q)
	if err != nil {
		return nil, err
	}
	f.progress.Calls += counts.Calls
	if slices.ContainsFunc(counts.Parts, func(c tvmexport.Count) bool { return !c.Fingerprint.Known }) {
		return nil, &tvmexport.Error{
			Op: "count", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
			Err:  errors.New("the service computes no fingerprints, so consistency of the whole table cannot be verified"),
			Hint: "use the default consistency",
		}
	}
	pieces := unitsOf(counts.Parts, tvmexport.Window{})
	if q.Within == tvmexport.AllPartitions {
		pieces = coarsen(pieces, run.Depth)
	}
	return pieces, nil
}

// expected is what the partitions of the table hold if nothing has moved: what
// was fetched, and in a run that fetches what has changed what readers see of
// the others.
func (f *fetching) expected() []tvmexport.PartitionRecord {
	out := recordsOf(f.all(), f.plan.Run)
	if f.plan.Run.Kind == tvmexport.DeltaRun && f.plan.Only == nil {
		asked := setOf(f.asked)
		for _, k := range f.plan.Known {
			if !asked[k.Partition] {
				out = append(out, k)
			}
		}
	}
	return out
}

// mayMove returns whether a partition that was not expected to have rows counts
// as moved: in a repair, only those that were asked for do.
func (f *fetching) mayMove() func(tvmexport.Partition) bool {
	asked := setOf(f.asked)
	return func(p tvmexport.Partition) bool { return f.plan.Only == nil || asked[p] }
}

// changedPartitions are the partitions whose rows as expected differ from a count.
func changedPartitions(expected []tvmexport.PartitionRecord, now []planUnit, run tvmexport.Run, may func(tvmexport.Partition) bool) []tvmexport.Partition {
	current := countedBy(run, now)
	var moved []tvmexport.Partition
	for _, r := range expected {
		c := current[r.Partition]
		if c.Rows != r.Rows || r.Rows > 0 && !c.Fingerprint.Same(r.Fingerprint) {
			moved = append(moved, r.Partition)
		}
		delete(current, r.Partition)
	}
	for p := range current {
		if may(p) {
			moved = append(moved, p)
		}
	}
	slices.Sort(moved)
	return moved
}

// requeue puts changed partitions back into the plan, with the whole slice of
// their batch. If a partition was divided, it puts back all of its batches.
func (f *fetching) requeue(moved []tvmexport.Partition, now []planUnit) {
	depth := f.plan.Run.Depth
	all := f.all()
	of := map[tvmexport.Partition][]int{} // batches that have a part of it
	for i, b := range all {
		for _, p := range b.Slice.Partitions {
			of[p.At(depth)] = append(of[p.At(depth)], i)
		}
	}
	back, gone := map[tvmexport.Partition]bool{}, map[tvmexport.BatchID]bool{}
	for open := slices.Clone(moved); len(open) > 0; {
		p := open[len(open)-1]
		open = open[:len(open)-1]
		if back[p] {
			continue
		}
		back[p] = true
		for _, i := range of[p] {
			b := all[i]
			if gone[b.ID] {
				continue
			}
			gone[b.ID] = true
			for _, q := range b.Slice.Partitions {
				open = append(open, q.At(depth))
			}
		}
	}
	isGone := func(b tvmexport.BatchInfo) bool { return gone[b.ID] }
	f.batches = slices.DeleteFunc(f.batches, isGone)
	f.reused = slices.DeleteFunc(f.reused, isGone)
	f.remember(now)
	for _, p := range now {
		if back[p.Partition.At(depth)] {
			f.units = append(f.units, p)
		}
	}
}

func setOf(list []tvmexport.Partition) map[tvmexport.Partition]bool {
	set := make(map[tvmexport.Partition]bool, len(list))
	for _, p := range list {
		set[p] = true
	}
	return set
}
