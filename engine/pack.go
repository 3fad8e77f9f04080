package engine

import (
	"slices"

	"github.com/tvmexport/tvmexport"
)

// packing is what Cut makes of a plan's units.
type packing struct {
	Slices []tvmexport.Slice
	Large  []planUnit // larger by themselves than a call carries: to be counted more finely first
	Rest   unitList   // not cut, because enough slices were made
}

// packSlices packs units, in their order, into slices of at most rows rows, and into
// at most that many slices if most is not 0. Units without rows go with a
// neighbour; where no unit has any, nothing is asked for unless a unit says so.
// Slices end where few prefixes of the key name their partitions.
func packSlices(t tvmexport.Table, list unitList, rows int64, most int) packing {
	var c packing
	if !list.asks() {
		return c
	}
	list.empty = list.empty.clone()
	var open []planUnit // of the list, not yet packed
	has := func(i int) bool {
		for len(open) <= i {
			p, ok := list.next()
			if !ok {
				return false
			}
			open = append(open, p)
		}
		return true
	}
	for has(0) {
		if large(open[0], rows) {
			c.Large = append(c.Large, open[0])
			open = open[1:]
			continue
		}
		if most > 0 && len(c.Slices) == most {
			c.Rest = list
			c.Rest.ahead = append(open, list.ahead...)
			return c
		}
		s := open[0].Slice(t)
		end := 1
		for ; has(end); end++ {
			if !large(open[end], rows) && (s.Rows+open[end].Rows > rows || !addUnit(&s, open[end])) {
				break
			}
		}
		taken := open[:end]
		if byKey(s, taken, rows) {
			next, more := following(open, end)
			taken = taken[:sliceEnd(taken, next, more, rows)]
			s = sliceOf(t, taken, rows)
		}
		for _, p := range taken {
			if large(p, rows) {
				c.Large = append(c.Large, p)
			}
		}
		if open = open[len(taken):]; len(s.Partitions) > 0 {
			c.Slices = append(c.Slices, s)
		}
	}
	return c
}

// large says whether one call cannot carry a unit that can be divided.
func large(p planUnit, rows int64) bool { return p.Rows > rows && p.Unit.IsZero() }

// following is the partition of the unit at an index; false where there is none.
func following(units []planUnit, at int) (tvmexport.Partition, bool) {
	if at == len(units) {
		return "", false
	}
	return units[at].Partition, true
}

// sliceOf is the slice of units that one call asks for. Units of keys that leave the
// hex digits are left out if the count found none, unless the slice has all keys
// around them: no prefix names them, and the service would read the whole table for
// rows that are not there. Where the count found only keys that end, such as the empty
// one, only those are asked for. The empty key is asked for in any case: a count that
// hides its rows loses none.
func sliceOf(t tvmexport.Table, units []planUnit, rows int64) tvmexport.Slice {
	partitions := partitionsOf(units, rows)
	folded := make(map[tvmexport.Partition]bool)
	for _, p := range tvmexport.FoldPartitions(partitions) {
		folded[p] = true
	}
	var s tvmexport.Slice
	for _, p := range units {
		switch {
		case large(p, rows), p.Rows == 0 && !p.Ask && p.Partition.Rest() && folded[p.Partition] && p.Partition != noKey:
		case len(s.Partitions) == 0:
			s = p.Slice(t)
			s.Partitions = append(make([]tvmexport.Partition, 0, len(units)), p.Partition)
		default:
			s.Partitions = append(s.Partitions, p.Partition)
			s.Rows += p.Rows
		}
		if (p.Ends || p.Rows == 0 && p.Partition == noKey) && folded[p.Partition] && !p.Ask && !large(p, rows) {
			s.Ending = append(s.Ending, p.Partition)
		}
	}
	return s
}

// noKey is the partition of the empty key, and of keys that do not begin with a hex digit.
const noKey tvmexport.Partition = "~"

func partitionsOf(units []planUnit, rows int64) []tvmexport.Partition {
	out := make([]tvmexport.Partition, 0, len(units))
	for _, p := range units {
		if !large(p, rows) {
			out = append(out, p.Partition)
		}
	}
	return out
}

const (
	// fewConditions is how many conditions name the partitions of a slice, where that
	// is possible: the service finds their rows without reading others.
	fewConditions = 40
	// mostPrefixes bounds the text of a query whose partitions have no such form: a
	// list of prefixes. The text has about 4 KB then.
	mostPrefixes = 400
)

// conditions is how many conditions name the partitions of units that are asked for.
// A unit of keys that leave the hex digits takes two.
func conditions(units []planUnit, rows int64) int {
	s := sliceOf(tvmexport.Table{}, units, rows)
	n := 0
	for _, p := range tvmexport.FoldPartitions(s.Partitions) {
		if n++; p.Rest() && !slices.Contains(s.Ending, p) {
			n++
		}
	}
	return n
}

// sliceEnd is how many of the units that fit into one call go into a slice. next is
// the partition behind them, if there are more. Between slices of nearly the same size
// it takes one that ends at the shortest prefix, so that this slice and the next one
// have few conditions.
func sliceEnd(units []planUnit, next tvmexport.Partition, more bool, rows int64) int {
	var total int64
	for _, p := range units {
		if !large(p, rows) {
			total += p.Rows
		}
	}
	var ends []int // at ever shorter prefixes
	var full int   // of ends, how many leave hardly anything out
	last := -1
	if more {
		last = commonDigits(units[len(units)-1].Partition, next)
	}
	shortest, left := maxKeyDigits+1, total
	for end := len(units); end > 0 && left*10 >= total*9; end-- {
		digits := last
		if end < len(units) {
			digits = commonDigits(units[end-1].Partition, units[end].Partition)
		}
		if digits < shortest {
			ends, shortest = append(ends, end), digits
			if left*100 >= total*97 {
				full = len(ends)
			}
		}
		if p := units[end-1]; !large(p, rows) {
			left -= p.Rows
		}
	}
	slices.Reverse(ends[:full]) // the shortest prefix first, and what leaves more out by its size
	for _, end := range ends {
		if conditions(units[:end], rows) <= fewConditions {
			return end
		}
	}
	end := len(units)
	for end > 1 {
		n := conditions(units[:end], rows)
		if n <= mostPrefixes {
			break
		}
		end = max(1, min(end-1, end*mostPrefixes/n))
	}
	return end
}

// commonDigits is how many digits the keys of two partitions have in common.
func commonDigits(a, b tvmexport.Partition) int {
	x, y := a.Key(), b.Key()
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// byKey says whether the units of a slice are partitions by the key of one window,
// not windows, units or parts by the hash of rows.
func byKey(s tvmexport.Slice, units []planUnit, rows int64) bool {
	_, hashed := s.Partitions[0].RowHash()
	return !hashed && s.Unit.IsZero() && len(s.Partitions) == len(partitionsOf(units, rows))
}
