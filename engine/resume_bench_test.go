package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// deadRun is a plan of n parts and what runs that died left of about half of
// it: batches of many parts, batches of one part, parts that were divided on
// the way, and copies of an earlier run that are stale.
func deadRun(n int) (units []planUnit, list []tvmexport.OrphanedBatch) {
	dice := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range n {
		p := tvmexport.Partition(fmt.Sprintf("%05x", i*(1<<20/n)))
		units = append(units, planUnit{Partition: p, Rows: 400, Fingerprint: tvmexport.Fingerprint{Known: true, Sums: [3]int64{int64(i), 1, 1}}})
	}
	land := func(run string, rows int64, prints []tvmexport.Fingerprint, ps ...tvmexport.Partition) {
		b := tvmexport.BatchInfo{ID: tvmexport.BatchID(fmt.Sprintf("%s.%05d", run, len(list))), Rows: rows, Fingerprints: tvmexport.NewFingerprints(prints...), Slice: tvmexport.Slice{Partitions: ps}}
		list = append(list, tvmexport.OrphanedBatch{Batch: b, Header: tvmexport.RunHeader{ID: tvmexport.RunID(run)}})
	}
	for i := 0; i < n; {
		switch dice.IntN(8) {
		case 0, 1: // packed with its neighbours
			var ps []tvmexport.Partition
			var prints []tvmexport.Fingerprint
			for k := 0; k < 200 && i < n; k++ {
				ps, prints = append(ps, units[i].Partition), append(prints, units[i].Fingerprint)
				i++
			}
			land("R2", int64(400*len(ps)), prints, ps...)
		case 2: // by itself
			land("R2", 400, []tvmexport.Fingerprint{units[i].Fingerprint}, units[i].Partition)
			i++
		case 3: // divided, and a part of it missing
			for _, d := range []byte(hexDigits[:14]) {
				land("R2", 25, nil, units[i].Partition.Child(d))
			}
			i++
		case 4: // changed since
			land("R2", 399, nil, units[i].Partition)
			land("R1", 400, nil, units[i].Partition)
			i++
		default:
			i += 100
		}
	}
	return units, list
}

// deadWindows is the same of a table that follows its watermark.
func deadWindows(n int) (units []planUnit, list []tvmexport.OrphanedBatch) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	step := 30 * 24 * time.Hour / time.Duration(n)
	for i := range n {
		w := tvmexport.Window{From: start.Add(time.Duration(i) * step), To: start.Add(time.Duration(i+1) * step)}
		units = append(units, planUnit{Window: w, Rows: 400, Late: i < n/4})
		half := tvmexport.Window{From: w.From, To: w.From.Add(step / 2)}
		switch i % 10 {
		case 0, 2, 4:
			list = append(list, tvmexport.OrphanedBatch{Batch: tvmexport.BatchInfo{Rows: 400, Slice: tvmexport.Slice{Window: w, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}, Late: i < n/4}}})
		case 1:
			list = append(list, tvmexport.OrphanedBatch{Batch: tvmexport.BatchInfo{Rows: 100, Slice: tvmexport.Slice{Window: half, Partitions: []tvmexport.Partition{"3", "4~", "7#a"}, Late: i < n/4}}})
		}
	}
	for i := range list {
		list[i].Batch.ID = tvmexport.BatchID(fmt.Sprintf("R.%05d", (i*7919)%len(list)))
	}
	return units, list
}

// What many dead parts left is taken over, and nothing twice.
func TestResumeOfManyParts(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	const n = 50_000 / sampled
	for name, make := range map[string]func(int) ([]planUnit, []tvmexport.OrphanedBatch){"Parts": deadRun, "Windows": deadWindows} {
		t.Run(name, func(t *testing.T) {
			units, list := make(n)
			taken, rest := reuseBatches(units, dropStale(units, list))
			covered := &regionIndex{}
			for _, b := range taken {
				if !covered.admit(regionsOfSlice(b.Slice)) {
					t.Fatalf("batch %s overlaps another one", b.ID)
				}
			}
			for _, p := range rest {
				if covered.overlaps(p.region()) {
					t.Fatalf("%+v has landed and is asked for", p)
				}
			}
			if len(taken) < n/50 || len(rest) < n/4 {
				t.Errorf("%d batches taken over, %d parts left", len(taken), len(rest))
			}
		})
	}
}

func BenchmarkResume(b *testing.B) {
	for name, make := range map[string]func(int) ([]planUnit, []tvmexport.OrphanedBatch){"parts": deadRun, "windows": deadWindows} {
		for _, n := range []int{4096, 8192, 20_000, 100_000} {
			b.Run(fmt.Sprintf("%s=%d", name, n), func(b *testing.B) {
				units, list := make(n)
				b.ReportAllocs()
				for b.Loop() {
					reuseBatches(units, dropStale(units, list))
				}
			})
		}
	}
}

// BenchmarkResumeOracle is the comparison of everything with everything, at
// sizes that it can bear.
func BenchmarkResumeOracle(b *testing.B) {
	for _, n := range []int{512, 1024, 2048} {
		b.Run(fmt.Sprintf("parts=%d", n), func(b *testing.B) {
			units, list := deadRun(n)
			for b.Loop() {
				oracleAdopt(units, oracleFresh(units, list))
			}
		})
	}
}
