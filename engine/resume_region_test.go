package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// The index finds the same windows as a comparison with each of them, in any order.
func TestSpansFindWhatOverlaps(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for seed := range uint64(200) {
		dice := rand.New(rand.NewPCG(seed, 5))
		window := func() tvmexport.Window {
			switch dice.IntN(12) {
			case 0:
				return tvmexport.Window{}
			case 1:
				return tvmexport.Window{Null: true}
			case 2:
				return tvmexport.Window{To: start.Add(time.Duration(1+dice.IntN(50)) * time.Minute)}
			case 3:
				return tvmexport.Window{From: start.Add(time.Duration(dice.IntN(50)) * time.Minute)}
			}
			from := start.Add(time.Duration(dice.IntN(50)) * time.Minute)
			return tvmexport.Window{From: from, To: from.Add(time.Duration(1+dice.IntN(9)) * time.Minute)}
		}
		var s spans
		var all []tvmexport.Window
		for i := range 40 {
			w := window()
			s.add(w, i)
			all = append(all, w)
			q := window()
			var want, got []int
			for j, v := range all {
				if v.Overlaps(q) {
					want = append(want, j)
				}
			}
			s.each(q, func(id int) { got = append(got, id) })
			slices.Sort(got)
			if !slices.Equal(want, got) || s.overlaps(q) != (len(want) > 0) {
				t.Fatalf("seed %d: %+v overlaps %v, found %v and %t", seed, q, want, got, s.overlaps(q))
			}
			held := slices.ContainsFunc(all, func(v tvmexport.Window) bool { return region{window: v}.holds(region{window: q}) })
			if s.contains(q) != held {
				t.Fatalf("seed %d: %+v is contained: %t, found %t", seed, q, held, !held)
			}
		}
	}
}

// A division by the watermark does not cover rows that were not counted by it:
// those without a watermark would never be asked for.
func TestOrphanOfAWindowIsNoPartOfAnUndividedTable(t *testing.T) {
	hour := time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC)
	units := []planUnit{{Rows: 10}}
	for _, w := range []tvmexport.Window{{From: hour, To: hour.Add(time.Hour)}, {To: hour}, {Null: true}} {
		list := []tvmexport.OrphanedBatch{{Batch: tvmexport.BatchInfo{ID: "r.1", Rows: 10, Slice: tvmexport.Slice{Window: w, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}}}}
		if taken, rest := reuseBatches(units, list); len(taken) > 0 || len(rest) != 1 {
			t.Errorf("%+v: %d batches taken over, %d units left", w, len(taken), len(rest))
		}
	}
}

// What is not named as a partition is not taken over: nothing would tell which
// rows it has.
func TestOrphanOfAnUnknownPartitionIsLeftAlone(t *testing.T) {
	for _, p := range []tvmexport.Partition{"zz", "3~0", "3F", "3#g", "~~"} {
		list := []tvmexport.OrphanedBatch{{Batch: tvmexport.BatchInfo{ID: "r.1", Rows: 10, Slice: tvmexport.Slice{Partitions: []tvmexport.Partition{p}}}}}
		if taken, rest := reuseBatches([]planUnit{{Rows: 10}}, list); len(taken) > 0 || len(rest) != 1 {
			t.Errorf("%q: %d batches taken over, %d units left", p, len(taken), len(rest))
		}
	}
}
