package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tvmexport/tvmexport"
)

// The oracle compares everything with everything. It is slow and plain.

func oracleFresh(units []planUnit, list []tvmexport.OrphanedBatch) []tvmexport.OrphanedBatch {
	for {
		taken, _ := oracleAdopt(units, list)
		stale := oracleDisproved(units, taken)
		if len(stale) == 0 {
			return list
		}
		list = slices.DeleteFunc(slices.Clone(list), func(l tvmexport.OrphanedBatch) bool { return stale[l.Batch.ID] })
	}
}

func oracleAdopt(units []planUnit, list []tvmexport.OrphanedBatch) (taken []tvmexport.BatchInfo, rest []planUnit) {
	planned := regionsOf(units)
	var covered []region
	for _, l := range list {
		mine := regionsOfSlice(l.Batch.Slice)
		if !slices.ContainsFunc(mine, func(r region) bool {
			inside := slices.ContainsFunc(planned, func(q region) bool {
				return r.late == q.late && q.window.Contains(r.window) && q.partition.Holds(r.partition)
			})
			return !inside || slices.ContainsFunc(covered, func(q region) bool { return r.overlaps(q) })
		}) {
			taken = append(taken, l.Batch)
			covered = append(covered, mine...)
		}
	}
	if len(covered) == 0 {
		return nil, units
	}
	for _, p := range units {
		rest = append(rest, oracleWithout(p, covered)...)
	}
	return taken, rest
}

func oracleWithout(p planUnit, covered []region) []planUnit {
	var in []region
	for _, c := range covered {
		if p.region().overlaps(c) {
			in = append(in, c)
		}
	}
	if len(in) == 0 {
		return []planUnit{p}
	}
	var out []planUnit
	for _, w := range cutAt(p.Window, in) {
		var parts []tvmexport.Partition
		for _, c := range in {
			if c.window.Overlaps(w) {
				parts = append(parts, c.partition)
			}
		}
		for _, q := range oracleRemainder(p.Partition, parts) {
			out = append(out, planUnit{Window: w, Partition: q, Late: p.Late, OneKey: p.OneKey})
		}
	}
	for i := range out {
		out[i].Rows = (p.Rows + int64(len(out)) - 1) / int64(len(out))
	}
	return out
}

func oracleRemainder(p tvmexport.Partition, others []tvmexport.Partition) []tvmexport.Partition {
	var in []tvmexport.Partition
	byRow := false
	for _, q := range others {
		if q.Holds(p) {
			return nil
		}
		if p.Overlaps(q) {
			in = append(in, q)
			_, hashed := q.RowHash()
			byRow = byRow || hashed && q.Base() == p.Base()
		}
	}
	if len(in) == 0 {
		return []tvmexport.Partition{p}
	}
	digits, parent := hexDigits, p
	if _, hashed := p.RowHash(); byRow || hashed {
		parent = p.ByRowHash()
	} else {
		digits += "~"
	}
	var out []tvmexport.Partition
	for _, d := range []byte(digits) {
		out = append(out, oracleRemainder(parent.Child(d), in)...)
	}
	return out
}

func oracleDisproved(units []planUnit, taken []tvmexport.BatchInfo) map[tvmexport.BatchID]bool {
	meets := func(p planUnit, b tvmexport.BatchInfo) bool {
		return slices.ContainsFunc(regionsOfSlice(b.Slice), func(r region) bool { return p.region().overlaps(r) })
	}
	stale := map[tvmexport.BatchID]bool{}
	left := slices.Clone(taken)
	for len(left) > 0 {
		group := []tvmexport.BatchInfo{left[0]}
		left = left[1:]
		var counted []planUnit
		seen := make([]bool, len(units))
		for i := 0; i < len(group); i++ {
			for j, p := range units {
				if seen[j] || !meets(p, group[i]) {
					continue
				}
				seen[j] = true
				counted = append(counted, p)
				left = slices.DeleteFunc(left, func(b tvmexport.BatchInfo) bool {
					if meets(p, b) {
						group = append(group, b)
						return true
					}
					return false
				})
			}
		}
		if !oracleBearOut(counted, group) {
			for _, b := range group {
				stale[b.ID] = true
			}
		}
	}
	return stale
}

func oracleBearOut(counted []planUnit, batches []tvmexport.BatchInfo) bool {
	var covered []region
	var have, want int64
	held, asked := tvmexport.EmptyFingerprint, tvmexport.EmptyFingerprint
	late := false
	for _, b := range batches {
		covered = append(covered, regionsOfSlice(b.Slice)...)
		have += b.Rows
		late = late || b.Slice.Late
		if b.Fingerprints.Len() != len(b.Slice.Partitions) {
			held = tvmexport.Fingerprint{}
		}
		for i := range b.Fingerprints.Len() {
			held = held.Add(b.Fingerprints.At(i))
		}
	}
	for _, p := range counted {
		if p.Wider || len(oracleWithout(p, covered)) > 0 {
			return !late
		}
		want += p.Rows
		asked = asked.Add(p.Fingerprint)
	}
	return have == want && (!held.Known || !asked.Known || held.Same(asked))
}

// wreck is a plan of few partitions and moments, so that much of it coincides,
// and what several dead runs left of it: whole parts, finer ones, coarser ones,
// some of them with counts that are not the plan's any more.
func wreck(dice *rand.Rand) (units []planUnit, list []tvmexport.OrphanedBatch) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	moment := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	timed := dice.IntN(3) > 0
	rows := func() int64 { return int64(dice.IntN(3)) }
	print := func(n int64) tvmexport.Fingerprint {
		if dice.IntN(6) == 0 {
			return tvmexport.Fingerprint{}
		}
		return tvmexport.Fingerprint{Known: true, Sums: [3]int64{n}}
	}
	if timed {
		at := 0
		for range 1 + dice.IntN(8) {
			next := at + 1 + dice.IntN(4)
			p := planUnit{
				Window: tvmexport.Window{From: moment(at), To: moment(next)}, Rows: rows(),
				Late: dice.IntN(4) == 0, Wider: dice.IntN(8) == 0,
			}
			at = next + dice.IntN(4)/3
			ps := []tvmexport.Partition{tvmexport.AllPartitions}
			if dice.IntN(4) == 0 {
				ps = []tvmexport.Partition{"0", "1", "2", "~"}
			}
			for _, q := range ps {
				p.Partition = q
				units = append(units, p)
			}
		}
		if dice.IntN(2) == 0 {
			units[len(units)-1].Window.To = time.Time{}
		}
		if dice.IntN(2) == 0 {
			units = append(units, planUnit{Window: tvmexport.Window{Null: true}, Rows: rows()})
		}
	} else {
		for _, p := range withEmptyPartitions(nil, tvmexport.AllPartitions, tvmexport.Window{}, 1+dice.IntN(2)) {
			if dice.IntN(3) > 0 {
				p.Rows = rows()
				p.Fingerprint = print(p.Rows)
				units = append(units, p)
			}
		}
		if dice.IntN(4) == 0 {
			units = withEmptyPartitions(nil, tvmexport.AllPartitions.ByRowHash(), tvmexport.Window{}, 2)
		}
	}
	for i := range dice.IntN(30) {
		s := tvmexport.Slice{Late: dice.IntN(4) == 0}
		if timed {
			from := dice.IntN(24)
			s.Window = tvmexport.Window{From: moment(from), To: moment(from + 1 + dice.IntN(5))}
			switch dice.IntN(8) {
			case 0:
				s.Window = tvmexport.Window{Null: true}
			case 1:
				s.Window.To = time.Time{}
			}
		}
		if dice.IntN(2) == 0 {
			p := units[dice.IntN(len(units))] // as it was planned
			s.Window, s.Late, s.Partitions = p.Window, p.Late, []tvmexport.Partition{p.Partition}
		}
		for range dice.IntN(3) {
			s.Partitions = append(s.Partitions, landedPartition(dice))
		}
		s.Partitions = disjoint(s.Partitions)
		if len(s.Partitions) == 0 {
			s.Partitions = []tvmexport.Partition{tvmexport.AllPartitions}
		}
		b := tvmexport.BatchInfo{ID: tvmexport.BatchID(fmt.Sprintf("r.%04d", i)), Slice: s, Rows: rows()}
		if dice.IntN(2) == 0 {
			for range s.Partitions {
				b.Fingerprints.Append(print(b.Rows))
			}
		}
		list = append(list, tvmexport.OrphanedBatch{Batch: b})
	}
	return units, list
}

// landedPartition is one of few; the hash of rows divides what is not divided
// by more digits of the key.
func landedPartition(dice *rand.Rand) tvmexport.Partition {
	p := tvmexport.Partition(digits(dice, dice.IntN(3)))
	if dice.IntN(5) == 0 {
		p += "~"
	}
	if (p.Depth() == 2 || p.Rest()) && dice.IntN(3) == 0 {
		p += "#" + tvmexport.Partition(digits(dice, 1+dice.IntN(2)))
	}
	if dice.IntN(12) == 0 {
		p = tvmexport.Partition("#" + digits(dice, 1+dice.IntN(3)))
	}
	return p
}

func disjoint(list []tvmexport.Partition) []tvmexport.Partition {
	var out []tvmexport.Partition
	for _, p := range list {
		if !slices.ContainsFunc(out, p.Overlaps) {
			out = append(out, p)
		}
	}
	return out
}

// The index finds what comparing everything with everything finds.
func TestAdoptAndFreshAgreeWithTheOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	var taken, left, stale int
	for seed := range uint64(1500 / sampled) {
		n, l, s := compareWithOracle(t, seed)
		taken, left, stale = taken+n, left+l, stale+s
	}
	if least := 1000 / sampled; taken < least || left < least || stale < least {
		t.Errorf("%d taken over, %d left to fetch, %d stale: too few to compare", taken, left, stale)
	}
}

func FuzzAdoptAndFresh(f *testing.F) {
	f.Fuzz(func(t *testing.T, seed uint64) { compareWithOracle(t, seed) })
}

func compareWithOracle(t *testing.T, seed uint64) (taken, left, stale int) {
	t.Helper()
	units, list := wreck(rand.New(rand.NewPCG(seed, 7)))
	if crossed(list) {
		return 0, 0, 0
	}
	wantTaken, wantRest := oracleAdopt(units, list)
	gotTaken, gotRest := reuseBatches(units, list)
	if d := cmp.Diff(wantTaken, gotTaken); d != "" {
		t.Fatalf("seed %d: taken over (-oracle +got):\n%s", seed, d)
	}
	if d := cmp.Diff(wantRest, gotRest, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("seed %d: left to fetch (-oracle +got):\n%s", seed, d)
	}
	want, got := oracleFresh(units, list), dropStale(units, list)
	if !slices.EqualFunc(want, got, func(a, b tvmexport.OrphanedBatch) bool { return a.Batch.ID == b.Batch.ID }) {
		t.Fatalf("seed %d: fresh are %d orphans, the oracle finds %d", seed, len(got), len(want))
	}
	return len(gotTaken), len(gotRest), len(list) - len(got)
}

// crossed says whether two orphans divide keys within keys by the hash of
// rows, which the oracle's remainder does not come to an end with.
func crossed(list []tvmexport.OrphanedBatch) bool {
	var hashed []tvmexport.Partition
	for _, l := range list {
		for _, p := range l.Batch.Slice.Partitions {
			if _, ok := p.RowHash(); ok {
				hashed = append(hashed, p)
			}
		}
	}
	return slices.ContainsFunc(hashed, func(p tvmexport.Partition) bool {
		return slices.ContainsFunc(hashed, func(q tvmexport.Partition) bool {
			return p.Base() != q.Base() && strings.HasPrefix(string(q.Base()), string(p.Base()))
		})
	})
}
