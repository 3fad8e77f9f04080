package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// Each row of a partition is either in what was removed or in the remainder, and
// never in both, in every combination of keys and hashes.
func TestRemainderHasEachRowOnce(t *testing.T) {
	for seed := range uint64(3000 / sampled) {
		dice := rand.New(rand.NewPCG(seed, 3))
		p := somePartition(dice)
		var out []tvmexport.Partition
		for range dice.IntN(6) {
			if q := somePartition(dice); p.Overlaps(q) && !slices.ContainsFunc(out, q.Overlaps) {
				out = append(out, q)
			}
		}
		var rest []tvmexport.Partition
		partitionRemains(p, slices.Clone(out), func(q tvmexport.Partition) bool {
			rest = append(rest, q)
			return true
		})
		for range 100 {
			row := tvmexport.Partition(digits(dice, 5) + "#" + digits(dice, 5))
			if dice.IntN(3) == 0 {
				row = tvmexport.Partition(digits(dice, dice.IntN(3)) + "~#" + digits(dice, 5))
			}
			if !holdsRow(region{partition: p}, region{partition: row}) {
				continue
			}
			n := 0
			for _, q := range slices.Concat(out, rest) {
				if holdsRow(region{partition: q}, region{partition: row}) {
					n++
				}
			}
			if n != 1 {
				t.Fatalf("seed %d: %q without %q leaves %q: row %q is in %d of them", seed, p, out, rest, row, n)
			}
		}
	}
}

// Partitions overlap where a row can be in both, and one holds another where
// no row of that is outside.
func TestOverlapsAndHoldsFollowTheRows(t *testing.T) {
	for seed := range uint64(3000) {
		dice := rand.New(rand.NewPCG(seed, 4))
		p, q := somePartition(dice), somePartition(dice)
		for range 50 {
			row := region{partition: tvmexport.Partition(digits(dice, 4) + "#" + digits(dice, 4))}
			if dice.IntN(3) == 0 {
				row.partition = tvmexport.Partition(digits(dice, dice.IntN(3)) + "~#" + digits(dice, 4))
			}
			inP, inQ := holdsRow(region{partition: p}, row), holdsRow(region{partition: q}, row)
			if inP && inQ && !p.Overlaps(q) {
				t.Fatalf("%q and %q share the row %q and do not overlap", p, q, row.partition)
			}
			if inQ && !inP && p.Holds(q) {
				t.Fatalf("%q holds %q, which has the row %q besides", p, q, row.partition)
			}
		}
	}
}

func TestPartitionsByHashHoldDeeperKeys(t *testing.T) {
	for _, c := range []struct {
		p, q            tvmexport.Partition
		holds, overlaps bool
	}{
		{"3#a", "30#a0", true, true},
		{"3#a", "30#b", false, false},
		{"3#a", "30", false, true},
		{"30#a0", "3#a", false, true},
		{"3#", "30#b", true, true},
		{"3~#a", "3#a", false, true},
		{"3~", "30", false, false},
		{"#a0", "#a", false, true},
	} {
		if got := c.p.Holds(c.q); got != c.holds {
			t.Errorf("%q holds %q: %t", c.p, c.q, got)
		}
		if got := c.p.Overlaps(c.q); got != c.overlaps {
			t.Errorf("%q overlaps %q: %t", c.p, c.q, got)
		}
	}
}
