package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// treeOf are the units of a table whose devices have keys of 40 digits and so many
// rows each, as a full run plans them.
func treeOf(depth int, devices map[string]int64) []planUnit {
	rows := map[tvmexport.Partition]int64{}
	for key, n := range devices {
		rows[tvmexport.Of(key, depth)] += n
	}
	var out []planUnit
	for p, n := range rows {
		out = append(out, planUnit{Partition: p, Rows: n, Ends: p.Rest() && devices[p.Key()] == n})
	}
	return withEmptyPartitions(out, tvmexport.AllPartitions, tvmexport.Window{}, depth)
}

type tree struct {
	name    string
	depth   int
	devices func(r *rand.Rand) map[string]int64
}

// keys are devices with random keys behind a prefix.
func keys(r *rand.Rand, n int, prefix string, rows func() int64) map[string]int64 {
	out := map[string]int64{}
	for range n {
		out[prefix+fmt.Sprintf("%016x%016x%08x", r.Uint64(), r.Uint64(), r.Uint32())[len(prefix):]] = rows()
	}
	return out
}

func with(a, b map[string]int64) map[string]int64 {
	for k, n := range b {
		a[k] += n
	}
	return a
}

var trees = []tree{
	{"even", 3, func(r *rand.Rand) map[string]int64 { return keys(r, 3000, "", func() int64 { return 20 }) }},
	{"even and sparse", 4, func(r *rand.Rand) map[string]int64 { return keys(r, 3000, "", func() int64 { return 20 }) }},
	{"dense", 4, func(r *rand.Rand) map[string]int64 { return keys(r, 40_000, "", func() int64 { return 3 }) }},
	{"skewed", 4, func(r *rand.Rand) map[string]int64 {
		return keys(r, 2000, "", func() int64 { return int64(1 + r.ExpFloat64()*r.ExpFloat64()*40) })
	}},
	{"a long prefix in common", 4, func(r *rand.Rand) map[string]int64 {
		return with(keys(r, 2000, "3fa", func() int64 { return 30 }), keys(r, 20, "", func() int64 { return 30 }))
	}},
	{"one digit deep", 1, func(r *rand.Rand) map[string]int64 { return keys(r, 60, "", func() int64 { return 70 }) }},
	{"unexpected keys", 3, func(r *rand.Rand) map[string]int64 {
		return with(keys(r, 1000, "", func() int64 { return 20 }), map[string]int64{
			"": 24, "ABCDEF": 5, "3": 7, "3g": 9, "7f": 11, "Ünïcödé": 3, "3fX": 2, "日本": 1, "f~": 4,
		})
	}},
	{"one large device", 3, func(r *rand.Rand) map[string]int64 {
		return with(keys(r, 500, "", func() int64 { return 20 }), map[string]int64{"abc0000000000000000000000000000000000000": 5000})
	}},
	{"no device", 2, func(*rand.Rand) map[string]int64 { return map[string]int64{"": 24} }},
}

// seeds is how many trees of a kind are packed, of all. The race detector sees one.
func seeds(all uint64) uint64 {
	if testing.Short() || sampled > 1 {
		return 1
	}
	return all
}

// packed are the kinds of trees that are packed. The race detector and -short see those of at most
// 4,096 partitions.
func packed() []tree {
	if sampled == 1 && !testing.Short() {
		return trees
	}
	return slices.DeleteFunc(slices.Clone(trees), func(tt tree) bool { return tt.depth > 3 })
}

// Each unit that has rows is in exactly one slice. Units without rows are too,
// apart from keys that leave the hex digits, which no prefix names; the empty key is
// asked for in any case. Slices have no
// more rows than a call carries, and few conditions.
func TestPacking(t *testing.T) {
	for _, tt := range packed() {
		for seed := range seeds(4) {
			t.Run(fmt.Sprintf("%s/%d", tt.name, seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				units := treeOf(tt.depth, tt.devices(r))
				const rows = 1000
				got := packSlices(tvmexport.Table{}, listOf(units), rows, 0)
				checkPacking(t, units, got, rows)
				most := 0
				for _, s := range got.Slices {
					n := 0
					for _, p := range tvmexport.FoldPartitions(s.Partitions) {
						if n++; p.Rest() && !slices.Contains(s.Ending, p) {
							n++
						}
					}
					most = max(most, n)
				}
				if most > fewConditions && len(got.Large) == 0 || most > mostPrefixes { // what surrounds a large part does not fold
					t.Errorf("a slice has %d conditions", most)
				}
				var total int64
				for _, p := range units {
					if p.Rows <= rows {
						total += p.Rows
					}
				}
				t.Logf("%d units with %d rows are %d slices of at most %d conditions", len(units), total, len(got.Slices), most)
				if fewest := int(total/rows) + 1; len(got.Slices) > fewest+fewest/4+2 {
					t.Errorf("%d slices where %d would do", len(got.Slices), fewest)
				}
			})
		}
	}
}

// What changed in a table is anywhere: its partitions fold into no prefixes, and few
// calls are worth more than an index.
func TestPackingOfChanges(t *testing.T) {
	for seed := range seeds(6) {
		r := rand.New(rand.NewPCG(seed, 2))
		var changed []planUnit
		for _, p := range treeOf(4, keys(r, 5000, "", func() int64 { return 10 })) {
			if p.Rows > 0 && r.IntN(3) == 0 {
				changed = append(changed, p)
			}
		}
		const rows = 3000
		got := packSlices(tvmexport.Table{}, listOf(changed), rows, 0)
		checkPacking(t, changed, got, rows)
		total := rowsOfUnits(changed)
		if fewest := int(total/rows) + 1; len(got.Slices) > fewest+1 {
			t.Errorf("seed %d: %d slices of %d rows where %d would do", seed, len(got.Slices), total, fewest)
		}
		for _, s := range got.Slices {
			if n := len(tvmexport.FoldPartitions(s.Partitions)); n > mostPrefixes {
				t.Errorf("a slice names %d prefixes", n)
			}
		}
		if one := packSlices(tvmexport.Table{}, listOf(changed), 1<<40, 0); len(one.Slices) != (len(changed)+mostPrefixes-1)/mostPrefixes {
			t.Errorf("seed %d: %d partitions of few rows are %d slices", seed, len(changed), len(one.Slices))
		}
	}
}

// Slices that are cut one by one, with other limits each time, cover the same.
func TestPackingOneByOne(t *testing.T) {
	for _, tt := range packed() {
		r := rand.New(rand.NewPCG(7, 3))
		units := treeOf(tt.depth, tt.devices(r))
		var all packing
		for open, most := listOf(units), int64(300); !open.done(); most += 200 {
			cut := packSlices(tvmexport.Table{}, open, most, 1)
			all.Slices = append(all.Slices, cut.Slices...)
			all.Large = append(all.Large, cut.Large...)
			open = cut.Rest
		}
		checkPacking(t, units, all, 1<<40)
	}
}

func rowsOfUnits(units []planUnit) (n int64) {
	for _, p := range units {
		n += p.Rows
	}
	return n
}

func checkPacking(t *testing.T, units []planUnit, got packing, rows int64) {
	t.Helper()
	times := map[tvmexport.Partition]int{}
	of := map[tvmexport.Partition]planUnit{}
	for _, p := range units {
		of[p.Partition] = p
	}
	for _, p := range got.Large {
		times[p.Partition]++
	}
	for _, s := range got.Slices {
		var sum int64
		for _, p := range s.Partitions {
			times[p]++
			sum += of[p].Rows
		}
		if sum != s.Rows || sum > rows {
			t.Errorf("a slice of %d rows says %d, and at most %d go into one", sum, s.Rows, rows)
		}
		if !slices.IsSorted(s.Partitions) {
			t.Errorf("the partitions of a slice are not in order: %v", s.Partitions)
		}
		for _, p := range s.Ending {
			if !slices.Contains(s.Partitions, p) || !of[p].Ends && (p != noKey || of[p].Rows > 0) {
				t.Errorf("%q is asked for by its end only", p)
			}
		}
	}
	if n := got.Rest.size(); n > 0 {
		t.Errorf("%d units are left", n)
	}
	empty := !slices.ContainsFunc(units, func(p planUnit) bool { return p.Rows > 0 || p.Ask })
	for _, p := range units {
		want := 1
		if n := times[p.Partition]; n != want && !(n == 0 && p.Rows == 0 && !p.Ask && (p.Partition.Rest() && p.Partition != noKey || empty)) {
			t.Errorf("%q with %d rows is asked for %d times", p.Partition, p.Rows, n)
		}
		delete(times, p.Partition)
	}
	if len(times) > 0 {
		t.Errorf("%d partitions are asked for that were not planned", len(times))
	}
}

func BenchmarkPacking(b *testing.B) {
	units := treeOf(4, keys(rand.New(rand.NewPCG(1, 1)), 40_000, "", func() int64 { return 3 }))
	b.ReportAllocs()
	for b.Loop() {
		packSlices(tvmexport.Table{}, listOf(units), 1000, 0)
	}
}
