package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tvmexport/tvmexport"
)

// belowOf are the partitions of depth digits below within, and the rests around them.
func belowOf(within tvmexport.Partition, depth int) []tvmexport.Partition {
	_, hashed := within.RowHash()
	level := []tvmexport.Partition{within}
	var rests []tvmexport.Partition
	for range depth {
		var next []tvmexport.Partition
		for _, p := range level {
			for _, d := range []byte(hexDigits) {
				next = append(next, p.Child(d))
			}
			if !hashed {
				rests = append(rests, p.Child('~'))
			}
		}
		level = next
	}
	return append(level, rests...)
}

// sparse are counted units of some partitions, in order, and the list that has the
// other partitions too.
func sparse(dice *rand.Rand, within tvmexport.Partition, depth int) ([]planUnit, unitList) {
	var units []planUnit
	for _, p := range belowOf(within, depth) {
		if dice.IntN(4) == 0 {
			rows := int64(1 + dice.IntN(30))
			units = append(units, planUnit{Partition: p, Rows: rows, Fingerprint: tvmexport.Fingerprint{Known: true, Sums: [3]int64{rows, 2, 3}}})
		}
	}
	sortUnits(units)
	return units, unitList{units: units, empty: newGrid(within, tvmexport.Window{}, depth)}
}

// A list names each partition once, in the order of their texts, whether the count
// shows it or not.
func TestListHasAllPartitions(t *testing.T) {
	for _, within := range []tvmexport.Partition{"", "3f", "#", "3f#", "~#a"} {
		for depth := range 4 {
			t.Run(fmt.Sprintf("%q, %d digits", within, depth), func(t *testing.T) {
				dice := rand.New(rand.NewPCG(uint64(depth), uint64(len(within))))
				units, list := sparse(dice, within, depth)
				want := map[tvmexport.Partition]planUnit{}
				for _, p := range belowOf(within, depth) {
					want[p] = planUnit{Partition: p, Fingerprint: tvmexport.EmptyFingerprint}
				}
				for _, u := range units {
					want[u.Partition] = u
				}
				got := list.all()
				if list.size() != len(want) || len(got) != len(want) {
					t.Fatalf("the list has %d units and says %d, want %d", len(got), list.size(), len(want))
				}
				for i, u := range got {
					if d := cmp.Diff(want[u.Partition], u); d != "" || i > 0 && got[i-1].Partition >= u.Partition {
						t.Fatalf("unit %d, %q: %s", i, u.Partition, d)
					}
				}
			})
		}
	}
}

// Units that are in none of the partitions of the grid stay in the list.
func TestListKeepsOtherUnits(t *testing.T) {
	units := []planUnit{{Partition: "3", Rows: 1}, {Partition: "3f"}, {Partition: "3fa", Rows: 2}, {Partition: "g", Rows: 3}, {Partition: "~~", Rows: 4}}
	list := unitList{units: slices.Clone(units), empty: newGrid("", tvmexport.Window{}, 2), more: []planUnit{{Partition: "00", Rows: 5}}}
	got := list.all()
	for _, u := range append(units, list.more...) {
		if !slices.Contains(got, u) {
			t.Errorf("%v is not in the list", u)
		}
	}
	if want := 256 + 16 + 1 + len(units) - 1 + 1; len(got) != want || list.size() != want {
		t.Errorf("the list has %d units and says %d, want %d", len(got), list.size(), want)
	}
}

// Slices are the same whether the partitions without rows are in the list from the
// beginning or are made on the way.
func TestPackingMakesEmptyPartitions(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for depth := range 4 {
		units, list := sparse(dice, tvmexport.AllPartitions, depth)
		for _, most := range []int{0, 1, 3} {
			for _, rows := range []int64{20, 300, 1 << 40} {
				var got, want packing
				for l, e := list, listOf(list.all()); ; {
					g, w := packSlices(tvmexport.Table{}, l, rows, most), packSlices(tvmexport.Table{}, e, rows, most)
					got.Slices, want.Slices = append(got.Slices, g.Slices...), append(want.Slices, w.Slices...)
					got.Large, want.Large = append(got.Large, g.Large...), append(want.Large, w.Large...)
					if l, e = g.Rest, w.Rest; l.done() || e.done() {
						if !l.done() || !e.done() {
							t.Fatalf("one list ends before the other, after %d slices", len(got.Slices))
						}
						break
					}
				}
				if d := cmp.Diff(want, got, cmp.AllowUnexported(unitList{}, grid{})); d != "" {
					t.Fatalf("%d units, %d rows, %d slices at once: %s", len(units), rows, most, d)
				}
			}
		}
	}
}

// The fingerprint of a partition is that of its count. What the count of a table does not
// show is empty, and of what shares rows with a counted partition nothing is known.
func TestFingerprintsOfPartitions(t *testing.T) {
	counted := []planUnit{{Partition: "0"}, {Partition: "3f", Fingerprint: tvmexport.Fingerprint{Known: true, Sums: [3]int64{1, 2, 3}}}, {Partition: "3~"}, {Partition: "7#a"}, {Partition: "~"}}
	for i := range counted {
		counted[i].Fingerprint = tvmexport.Fingerprint{Known: true, Sums: [3]int64{int64(i + 1), 2, 3}}
	}
	f := fingerprintsOfTable(countedPartsOf(counted))
	all := []tvmexport.Partition{""}
	for _, p := range belowOf("", 3) {
		all = append(all, p, p+"#", p+"#a", p+"#0b")
	}
	all = append(all, belowOf("", 2)...)
	all = append(all, belowOf("", 1)...)
	all = append(all, "0", "3f", "7#a", "7#b", "7#ab", "#3")
	given := f.of(all)
	if given.Len() != len(all) {
		t.Fatalf("%d fingerprints of %d partitions", given.Len(), len(all))
	}
	for i, p := range all {
		got, want := given.At(i), tvmexport.EmptyFingerprint
		for _, u := range counted {
			switch {
			case u.Partition == p:
				want = u.Fingerprint
			case u.Partition.Overlaps(p):
				want = tvmexport.Fingerprint{}
			}
		}
		if got != want {
			t.Errorf("%q: %v, want %v", p, got, want)
		}
	}
	f.add([]planUnit{{Partition: "3f0", Fingerprint: tvmexport.Fingerprint{Known: true}}, {Partition: "3f", Fingerprint: tvmexport.EmptyFingerprint}})
	if got := f.of([]tvmexport.Partition{"3f0", "3f", "3f1"}); !got.At(0).Known || got.At(1) != tvmexport.EmptyFingerprint || got.At(2).Known {
		t.Errorf("after a finer count: %v", got)
	}
	few := fingerprintsOf(counted[:1])
	if got := few.of([]tvmexport.Partition{"0", "1"}); !got.At(0).Known || got.At(1).Known {
		t.Errorf("of some partitions only: %v", got)
	}
	if got := (*fingerprints)(nil).of(all); !got.IsZero() {
		t.Errorf("none are kept, but %d are known", got.Len())
	}
}

// Partitions without rows change no record of a run.
func TestRecordsWithoutRows(t *testing.T) {
	empty, some := tvmexport.EmptyFingerprint, tvmexport.Fingerprint{Known: true, Sums: [3]int64{1, 2, 3}}
	run := tvmexport.Run{Table: tvmexport.Table{LoadType: tvmexport.Snapshot}, Depth: 1}
	batch := func(partitions []tvmexport.Partition, counts []int64, prints []tvmexport.Fingerprint) tvmexport.BatchInfo {
		return tvmexport.BatchInfo{Slice: tvmexport.Slice{Partitions: partitions}, Counts: counts, Fingerprints: tvmexport.NewFingerprints(prints...)}
	}
	for name, tt := range map[string]struct {
		batches []tvmexport.BatchInfo
		want    []tvmexport.PartitionRecord
	}{
		"none is known": {
			[]tvmexport.BatchInfo{batch([]tvmexport.Partition{"0", "1"}, []int64{0, 4}, nil)},
			[]tvmexport.PartitionRecord{{Partition: "1", Rows: 4}},
		},
		"a part is empty": {
			[]tvmexport.BatchInfo{batch([]tvmexport.Partition{"1a", "1b", "2"}, []int64{0, 4, 0}, []tvmexport.Fingerprint{empty, some, empty})},
			[]tvmexport.PartitionRecord{{Partition: "1", Rows: 4, Fingerprint: some}},
		},
		"a part without rows is not known": {
			[]tvmexport.BatchInfo{batch([]tvmexport.Partition{"1a"}, []int64{0}, nil), batch([]tvmexport.Partition{"1b"}, []int64{4}, []tvmexport.Fingerprint{some})},
			[]tvmexport.PartitionRecord{{Partition: "1", Rows: 4}},
		},
		"a part lost its rows": {
			[]tvmexport.BatchInfo{batch([]tvmexport.Partition{"1a", "1b"}, []int64{0, 4}, []tvmexport.Fingerprint{some, empty})},
			[]tvmexport.PartitionRecord{{Partition: "1", Rows: 4, Fingerprint: some}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, recordsOf(tt.batches, run)); d != "" {
				t.Error(d)
			}
		})
	}
}
