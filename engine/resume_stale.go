package engine

import "github.com/tvmexport/tvmexport"

// dropStale leaves out the orphans of which the plan's counts show that they are
// not what the source holds any more. Where counts and orphans cannot be
// compared, because a part of what was counted together has not landed, a
// orphan of a late window is left out, and others stay.
//
// Without a stale orphan another one can become usable that overlapped it, so
// that this is repeated until nothing is stale. Orphans that no unit
// connects do not influence each other: each such cluster is repeated by itself.
func dropStale(units []planUnit, list []tvmexport.OrphanedBatch) []tvmexport.OrphanedBatch {
	if len(list) == 0 {
		return nil
	}
	c := comparisonOf(units, list)
	for _, cluster := range c.clusters(c.usable) {
		for len(cluster) > 0 {
			stale := c.staleBatches(c.taken(cluster))
			if len(stale) == 0 {
				break
			}
			kept := cluster[:0]
			for _, i := range cluster {
				if c.stale[i] = stale[i]; !stale[i] {
					kept = append(kept, i)
				}
			}
			cluster = kept
		}
	}
	out := make([]tvmexport.OrphanedBatch, 0, len(list))
	for i := range list {
		if !c.stale[i] {
			out = append(out, list[i])
		}
	}
	return out
}

// comparison is of the counts of a plan with orphans, each named by its place
// in its list.
type comparison struct {
	units  []planUnit
	list   []tvmexport.OrphanedBatch
	usable []int   // orphans of which every row was planned
	meets  [][]int // by orphan: the units that can have rows of it
	stale  []bool  // by orphan
	links  links   // of units, and behind them of orphans
}

func comparisonOf(units []planUnit, list []tvmexport.OrphanedBatch) *comparison {
	c := &comparison{
		units: units, list: list, meets: make([][]int, len(list)), stale: make([]bool, len(list)),
		links: newLinks(len(units) + len(list)),
	}
	counted := &regionIndex{list: make([]region, 0, len(units))}
	for _, p := range units {
		counted.add(p.region())
	}
	w := wantedOf(units)
	last := make([]int, len(units)) // orphan that met the unit last, counted from 1
	for i := range list {
		mine := regionsOfSlice(list[i].Batch.Slice)
		if !w.wants(mine) {
			continue
		}
		c.usable = append(c.usable, i)
		for _, r := range mine {
			counted.each(r, func(unit int) {
				if last[unit] != i+1 {
					last[unit] = i + 1
					c.meets[i] = append(c.meets[i], unit)
				}
			})
		}
	}
	return c
}

// clusters divides orphans into those that units connect, in their order.
func (c *comparison) clusters(of []int) [][]int {
	for _, i := range of {
		c.links.cut(len(c.units) + i)
		for _, p := range c.meets[i] {
			c.links.cut(p)
		}
	}
	for _, i := range of {
		for _, p := range c.meets[i] {
			c.links.join(len(c.units)+i, p)
		}
	}
	place := map[int]int{}
	var out [][]int
	for _, i := range of {
		at := c.links.find(len(c.units) + i)
		k, ok := place[at]
		if !ok {
			k = len(out)
			place[at] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], i)
	}
	return out
}

// taken are those of some orphans that reuseBatches would take.
func (c *comparison) taken(of []int) []int {
	covered := &regionIndex{}
	var out []int
	for _, i := range of {
		if covered.admit(regionsOfSlice(c.list[i].Batch.Slice)) {
			out = append(out, i)
		}
	}
	return out
}

// staleBatches returns the orphans that the counts of the units do not confirm.
// It compares units and orphans that share rows together.
func (c *comparison) staleBatches(taken []int) map[int]bool {
	stale := map[int]bool{}
	for _, group := range c.clusters(taken) {
		if !c.consistent(group) {
			for _, i := range group {
				stale[i] = true
			}
		}
	}
	return stale
}

// consistent says whether orphans can be what was counted: as many rows, and
// with the fingerprints where they are known.
func (c *comparison) consistent(group []int) bool {
	covered := &regionIndex{}
	seen := map[int]bool{}
	var counted []planUnit
	var have, want int64
	held, asked := tvmexport.EmptyFingerprint, tvmexport.EmptyFingerprint
	late := false
	for _, i := range group {
		b := &c.list[i].Batch
		for _, r := range regionsOfSlice(b.Slice) {
			covered.add(r)
		}
		for _, p := range c.meets[i] {
			if !seen[p] {
				seen[p] = true
				counted = append(counted, c.units[p])
			}
		}
		have += b.Rows
		late = late || b.Slice.Late
		if b.Fingerprints.Len() != len(b.Slice.Partitions) {
			held = tvmexport.Fingerprint{}
		}
		held = held.Add(b.Fingerprints.Sum())
	}
	for _, p := range counted {
		if p.Wider || !p.within(covered.near(p)) {
			return !late
		}
		want += p.Rows
		asked = asked.Add(p.Fingerprint)
	}
	return have == want && (!held.Known || !asked.Known || held.Same(asked))
}
