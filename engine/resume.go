package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// resumable are the orphans that a run may take over: built on the same
// base, of the same kind, of the table as it is defined now, and not older
// than age. Those of the newest run that left any decide the kind of cut.
func resumable(run tvmexport.Run, list []tvmexport.OrphanedBatch, age time.Duration) []tvmexport.OrphanedBatch {
	var out []tvmexport.OrphanedBatch
	definition := run.Table.Definition()
	for _, l := range list {
		o := l.Header
		if o.Previous == run.Previous && o.Kind == run.Kind && o.Definition == definition &&
			run.StartedAt.Sub(o.StartedAt) <= age {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b tvmexport.OrphanedBatch) int {
		return cmp.Or(-cmp.Compare(a.Header.ID, b.Header.ID), cmp.Compare(a.Batch.ID, b.Batch.ID))
	})
	if run.Table.LoadType == tvmexport.Snapshot && len(out) > 0 {
		// Rows carry the partition that they were landed under.
		depth := out[0].Header.Depth
		out = slices.DeleteFunc(out, func(l tvmexport.OrphanedBatch) bool { return l.Header.Depth != depth })
	}
	return out
}

// reuseBatches divides what was planned into orphans that bring a part of it, each
// row at most once, and the units that are still to be asked for.
func reuseBatches(units []planUnit, list []tvmexport.OrphanedBatch) (taken []tvmexport.BatchInfo, rest []planUnit) {
	if len(list) == 0 {
		return nil, units
	}
	w := wantedOf(units)
	covered := &regionIndex{}
	for i := range list {
		if mine := regionsOfSlice(list[i].Batch.Slice); w.wants(mine) && covered.admit(mine) {
			taken = append(taken, list[i].Batch)
		}
	}
	if len(taken) == 0 {
		return nil, units
	}
	rest = make([]planUnit, 0, len(units))
	for _, p := range units {
		if near := covered.near(p); len(near) > 0 {
			rest = append(rest, p.without(near)...)
			continue
		}
		rest = append(rest, p)
	}
	return taken, rest
}

// wanted is what was planned: rows that come late, and the others.
type wanted map[bool]*regionIndex

func wantedOf(units []planUnit) wanted {
	w := wanted{false: {}, true: {}}
	for _, r := range regionsOf(units) {
		w[r.late].add(r)
	}
	return w
}

// wants says whether every row of a orphan was planned.
func (w wanted) wants(orphan []region) bool {
	return !slices.ContainsFunc(orphan, func(r region) bool {
		return !r.partition.Valid() || !w[r.late].holds(r)
	})
}

// admit adds the regions of a orphan unless one of them overlaps what is there.
func (x *regionIndex) admit(orphan []region) bool {
	if slices.ContainsFunc(orphan, x.overlaps) {
		return false
	}
	for _, r := range orphan {
		x.add(r)
	}
	return true
}

// near are the regions that overlap a unit.
func (x *regionIndex) near(p planUnit) []region {
	var out []region
	x.each(p.region(), func(id int) { out = append(out, x.list[id]) })
	return out
}
