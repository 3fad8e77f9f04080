package engine

import (
	"slices"

	"github.com/tvmexport/tvmexport"
)

// without is what is left of a unit when regions that overlap it are taken
// out. Its rows are spread evenly over what is left. It is an estimate, which
// must not say of any part that it has none: all of them may lie there, and
// what has no rows is not asked for.
func (p planUnit) without(taken []region) []planUnit {
	var out []planUnit
	p.remains(taken, func(w tvmexport.Window, q tvmexport.Partition) bool {
		out = append(out, planUnit{Window: w, Partition: q, Late: p.Late, OneKey: p.OneKey})
		return true
	})
	for i := range out {
		out[i].Rows = (p.Rows + int64(len(out)) - 1) / int64(len(out))
	}
	return out
}

// within says whether regions that overlap a unit have all of its rows.
func (p planUnit) within(taken []region) bool {
	return p.remains(taken, func(tvmexport.Window, tvmexport.Partition) bool { return false })
}

// remains calls yield with what is left of a unit without some regions, until
// that says no. It reports whether it did not.
func (p planUnit) remains(taken []region, yield func(tvmexport.Window, tvmexport.Partition) bool) bool {
	slices.SortFunc(taken, func(a, b region) int { return a.window.From.Compare(b.window.From) })
	undivided := p.Window.Null || p.Window == (tvmexport.Window{})
	var now []region // those of taken that overlap w
	for _, w := range cutAt(p.Window, taken) {
		for len(taken) > 0 && (undivided || !taken[0].window.From.After(w.From)) {
			now, taken = append(now, taken[0]), taken[1:]
		}
		now = slices.DeleteFunc(now, func(r region) bool { return !r.window.Overlaps(w) })
		parts := make([]tvmexport.Partition, len(now))
		for i, r := range now {
			parts[i] = r.partition
		}
		if !partitionRemains(p.Partition, parts, func(q tvmexport.Partition) bool { return yield(w, q) }) {
			return false
		}
	}
	return true
}

// partitionRemains calls yield with what remains of p without others, which do not
// overlap each other: as few partitions as possible, disjoint, in order. It stops
// when yield returns false, and then returns false. If a partition of others has a
// longer key, p is divided by the digits of the key, else by the hash of rows.
func partitionRemains(p tvmexport.Partition, others []tvmexport.Partition, yield func(tvmexport.Partition) bool) bool {
	base := p.Base()
	hash, hashed := p.RowHash()
	others = slices.DeleteFunc(others, func(q tvmexport.Partition) bool { return !p.Overlaps(q) })
	if len(others) == 0 {
		return yield(p)
	}
	byKey := false
	for _, q := range others {
		if q.Holds(p) {
			return true
		}
		byKey = byKey || len(q.Base()) > len(base)
	}
	parts := map[byte][]tvmexport.Partition{}
	var all []tvmexport.Partition // share rows with every child
	for _, q := range others {
		digits, at := string(q.Base()), len(base)
		if !byKey {
			digits, _ = q.RowHash()
			at = len(hash)
		}
		if at < len(digits) {
			parts[digits[at]] = append(parts[digits[at]], q)
		} else {
			all = append(all, q)
		}
	}
	digits := hexDigits
	if byKey {
		digits += "~"
	}
	for _, d := range []byte(digits) {
		child := p.ByRowHash().Child(d)
		switch {
		case byKey && hashed:
			child = base.Child(d).ByRowHash() + tvmexport.Partition(hash)
		case byKey:
			child = base.Child(d)
		}
		if !partitionRemains(child, append(parts[d], all...), yield) {
			return false
		}
	}
	return true
}
