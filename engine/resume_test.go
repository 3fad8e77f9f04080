package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// After any reuse, each row is in exactly one orphan or unit.
func TestAdoptKeepsEveryRowOnce(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	n := uint64(300 / sampled)
	if testing.Short() {
		n /= 3
	}
	for seed := range n {
		dice := rand.New(rand.NewPCG(seed, 1))
		windowed := seed%2 == 0
		var units []planUnit
		if windowed {
			w := tvmexport.Window{From: start, To: start.Add(10 * time.Hour)}
			for h := range 10 {
				from := w.From.Add(time.Duration(h) * time.Hour)
				units = append(units, planUnit{Window: tvmexport.Window{From: from, To: from.Add(time.Hour)}, Rows: 100})
			}
			units = append(units, planUnit{Window: tvmexport.Window{Null: true}, Rows: 3})
		} else {
			units = withEmptyPartitions(nil, tvmexport.AllPartitions, tvmexport.Window{}, dice.IntN(3))
			for i := range units {
				units[i].Rows = 3 // fewer than the parts that may be left of it
			}
		}
		var list []tvmexport.OrphanedBatch
		for i := range 12 {
			s := tvmexport.Slice{}
			if windowed {
				from := start.Add(time.Duration(dice.IntN(600)) * time.Minute)
				s.Window = tvmexport.Window{From: from, To: from.Add(time.Duration(1+dice.IntN(200)) * time.Minute)}
				if dice.IntN(8) == 0 {
					s.Window = tvmexport.Window{Null: true}
				}
			}
			s.Partitions = []tvmexport.Partition{somePartition(dice)}
			if windowed && dice.IntN(2) == 0 {
				s.Partitions = []tvmexport.Partition{tvmexport.AllPartitions}
			}
			list = append(list, tvmexport.OrphanedBatch{Batch: tvmexport.BatchInfo{ID: tvmexport.BatchID(fmt.Sprint(i)), Slice: s}})
		}
		taken, rest := reuseBatches(units, list)
		var all []region
		for _, b := range taken {
			all = append(all, regionsOfSlice(b.Slice)...)
		}
		for _, p := range rest {
			all = append(all, region{p.Window, p.Partition, p.Late})
			if p.Rows == 0 {
				t.Fatalf("seed %d: %+v would not be asked for", seed, p)
			}
		}
		for range 200 {
			row := region{partition: tvmexport.Partition(digits(dice, 6) + "#" + digits(dice, 4))}
			if dice.IntN(4) == 0 {
				row.partition = tvmexport.Partition(digits(dice, dice.IntN(3)) + "~#" + digits(dice, 4))
			}
			if windowed {
				at := start.Add(time.Duration(1+dice.Int64N(int64(10*time.Hour/tvmexport.Tick))) * tvmexport.Tick)
				row.window = tvmexport.Window{From: at.Add(-tvmexport.Tick), To: at}
			}
			n := 0
			for _, r := range all {
				if holdsRow(r, row) {
					n++
				}
			}
			if n != 1 {
				t.Fatalf("seed %d: row %+v is in %d of %d parts", seed, row, n, len(all))
			}
		}
	}
}

// holdsRow says whether a row, given as the narrowest region around it, is in r.
func holdsRow(r, row region) bool {
	if r.window != (tvmexport.Window{}) && !r.window.Contains(row.window) {
		return false
	}
	hash, _ := row.partition.RowHash()
	prefix, hashed := r.partition.RowHash()
	base := row.partition.Base()
	in := r.partition.Base().Contains(base.Key())
	if base.Rest() {
		// The key ends where the digits of the row do.
		in = r.partition.Base().Holds(base)
	}
	return in && (!hashed || len(hash) >= len(prefix) && hash[:len(prefix)] == prefix)
}

func somePartition(dice *rand.Rand) tvmexport.Partition {
	p := tvmexport.Partition(digits(dice, dice.IntN(3)))
	if dice.IntN(5) == 0 {
		p += "~"
	}
	if dice.IntN(4) == 0 {
		p += "#" + tvmexport.Partition(digits(dice, 1+dice.IntN(2)))
	}
	return p
}

func digits(dice *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = hexDigits[dice.IntN(3)] // few digits, so that regions overlap
	}
	return string(b)
}

func TestPartitionAt(t *testing.T) {
	for _, c := range []struct {
		p     tvmexport.Partition
		depth int
		want  tvmexport.Partition
	}{
		{"", 0, ""},
		{"3f", 1, "3"},
		{"3f", 2, "3f"},
		{"3f", 3, "3f"},
		{"3f~", 2, "3f"},
		{"3~", 2, "3~"},
		{"~", 0, ""},
		{"~", 1, "~"},
		{"3f0#a", 2, "3f"},
		{"#a0", 0, ""},
	} {
		if got := c.p.At(c.depth); got != c.want {
			t.Errorf("%q at depth %d is %q, want %q", c.p, c.depth, got, c.want)
		}
	}
}
