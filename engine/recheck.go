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
func recheck(ctx context.Context, f *fetcher, have landed) (landed, error) {
	run := f.Run
	if !f.Consistent || run.Table.LoadType != tvmexport.Snapshot {
		return have, nil
	}
	if f.Lists {
		return recheckListing(ctx, f, have)
	}
	for round := 1; ; round++ {
		now, err := countAgain(ctx, f.stage, run)
		if err != nil {
			return have, err
		}
		moved := changedPartitions(expected(f.Plan, have), now, run, mayMove(f.Plan, have.asked))
		if len(moved) == 0 {
			return have, nil
		}
		if round > recheckRounds {
			return have, &tvmexport.Error{
				Op: "fetch", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
				Err:  fmt.Errorf("%d partitions, including %q, changed while the table was read, after %d more attempts", len(moved), moved[0], recheckRounds),
				Hint: "run at a quieter time, or use the default consistency, under which each partition is the state of one answer",
			}
		}
		rest, again := requeue(have, moved, now, run.Depth)
		if run.Kind == tvmexport.DeltaRun {
			known := setOf(have.asked)
			rest.asked = append(slices.Clip(rest.asked), slices.DeleteFunc(moved, func(p tvmexport.Partition) bool { return known[p] })...)
		}
		f.fingerprints.add(now)
		if have, err = f.fetch(ctx, rest, listOf(again), nil); err != nil {
			return have, err
		}
	}
}

// countAgain counts the run's partitions as they are now.
func countAgain(ctx context.Context, st stage, run tvmexport.Run) ([]planUnit, error) {
	q := tvmexport.CountQuery{Table: run.Table, Depth: max(run.Depth, 1), Fingerprints: true}
	if run.Table.Key.IsRow() {
		q.Within, q.Depth = tvmexport.AllPartitions.ByRowHash(), 2
	}
	counts, err := st.count(ctx, q)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(counts.Parts, func(c tvmexport.Count) bool { return !c.Fingerprint.Known }) {
		return nil, &tvmexport.Error{
			Op: "count", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
			Err:  errors.New("the service computes no fingerprints, so consistency of the whole table cannot be verified"),
			Hint: "use the default consistency",
		}
	}
	units := unitsOf(counts.Parts, tvmexport.Window{})
	if q.Within == tvmexport.AllPartitions {
		units = coarsen(units, run.Depth)
	}
	return units, nil
}

// expected is what the partitions of the table hold if nothing has moved: what
// was fetched, and in a run that fetches what has changed what readers see of
// the others.
func expected(p Plan, have landed) []tvmexport.PartitionRecord {
	out := recordsOf(have.all(), p.Run)
	if p.Run.Kind == tvmexport.DeltaRun && p.Only == nil {
		asked := setOf(have.asked)
		for _, k := range p.Known {
			if !asked[k.Partition] {
				out = append(out, k)
			}
		}
	}
	return out
}

// mayMove returns whether a partition that was not expected to have rows counts
// as moved: in a repair, only those that were asked for do.
func mayMove(p Plan, asked []tvmexport.Partition) func(tvmexport.Partition) bool {
	set := setOf(asked)
	return func(at tvmexport.Partition) bool { return p.Only == nil || set[at] }
}

// changedPartitions are the partitions whose rows as expected differ from a count.
func changedPartitions(expected []tvmexport.PartitionRecord, now []planUnit, run tvmexport.Run, may func(tvmexport.Partition) bool) []tvmexport.Partition {
	current := countedBy(run, now)
	var moved []tvmexport.Partition
	for _, r := range expected {
		c := current[r.Partition]
		if c.rows != r.Rows || r.Rows > 0 && !c.fingerprint.Same(r.Fingerprint) {
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

// requeue gives up the batches of changed partitions, each batch whole, and returns
// what stays and what must be fetched again. If a partition was divided, all of its
// batches are given up.
func requeue(have landed, moved []tvmexport.Partition, now []planUnit, depth int) (rest landed, again []planUnit) {
	all := have.all()
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
	for _, p := range now {
		if back[p.Partition.At(depth)] {
			again = append(again, p)
		}
	}
	rest, _ = have.without(func(b tvmexport.BatchInfo) bool { return gone[b.ID] })
	return rest, again
}

func setOf(list []tvmexport.Partition) map[tvmexport.Partition]bool {
	set := make(map[tvmexport.Partition]bool, len(list))
	for _, p := range list {
		set[p] = true
	}
	return set
}
