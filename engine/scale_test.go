package engine

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tvmexport/tvmexport"
)

// estate is what a tenant of 100,000 devices asks of a run: 65,536 partitions
// of four digits with about 25 million rows, of which there are only counts. The
// race detector sees a part of them. It
// carries out the steps of a run and records their arguments.
type estate struct {
	parts     []tvmexport.Count
	moving    int // partitions that gain a row after each count
	published tvmexport.Publication
	commit    tvmexport.Commit
}

func newEstate() *estate {
	e := &estate{}
	dice := rand.New(rand.NewPCG(1, 9))
	for i := range (1 << 16) / sampled {
		n := 300 + dice.Int64N(160)
		e.parts = append(e.parts, tvmexport.Count{
			Partition: tvmexport.Partition(fmt.Sprintf("%04x", i)), Rows: n, Fingerprint: tvmexport.Fingerprint{Known: true, Sums: [3]int64{n, int64(i), 7}},
		})
	}
	return e
}

func (e *estate) rows() (n int64) {
	for _, c := range e.parts {
		n += c.Rows
	}
	return n
}

// move adds a row to every step-th partition.
func (e *estate) move(step int) {
	for i := 0; i < len(e.parts); i += step {
		e.parts[i].Rows++
		e.parts[i].Fingerprint.Sums[2]++
	}
}

func (e *estate) Count(context.Context, tvmexport.CountQuery) (tvmexport.Counts, error) {
	return tvmexport.Counts{Parts: slices.Clone(e.parts), Calls: 1}, nil
}

func (e *estate) List(context.Context, tvmexport.Table) (tvmexport.Listing, error) {
	return tvmexport.Listing{}, nil
}

func (e *estate) FetchAndLand(_ context.Context, in []FetchInput) ([]FetchOutcome, error) {
	if e.moving > 0 {
		e.move(e.moving)
		e.moving = 0
	}
	at := make(map[tvmexport.Partition]tvmexport.Count, len(e.parts))
	for _, c := range e.parts {
		at[c.Partition] = c
	}
	out := make([]FetchOutcome, len(in))
	for i, f := range in {
		b := tvmexport.BatchInfo{ID: f.Batch, Slice: f.Slice}
		for _, p := range f.Slice.Partitions {
			b.Rows += at[p].Rows
			b.Counts = append(b.Counts, at[p].Rows)
			b.Fingerprints.Append(at[p].Fingerprint)
		}
		b.Bytes = 600 * b.Rows
		out[i] = FetchOutcome{Batch: b, Bytes: b.Bytes, Calls: 1}
	}
	return out, nil
}

func (e *estate) SyncSchema(context.Context, tvmexport.Table) ([]string, error) { return nil, nil }

func (e *estate) HourlyCounts(context.Context, tvmexport.Table, tvmexport.Window) ([]tvmexport.Count, error) {
	return nil, nil
}

func (e *estate) Confirm(context.Context, ConfirmInput) (ConfirmOutcome, error) {
	return ConfirmOutcome{}, nil
}

func (e *estate) CountMissing(context.Context, tvmexport.Run, []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return nil, nil
}

func (e *estate) Publish(_ context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	e.published = p
	return tvmexport.Published{Rows: p.Rows}, nil
}

func (e *estate) Commit(_ context.Context, c tvmexport.Commit) error {
	e.commit = c
	return nil
}

// plan returns the plan of a full run, or of a delta on the estate's earlier state.
func (e *estate) plan(kind tvmexport.RunKind, known []tvmexport.PartitionRecord) Plan {
	t := tvmexport.Table{Name: "T", Destination: "TRaw", LoadType: tvmexport.Snapshot}
	t.Key.Column = "DeviceId"
	return Plan{
		Run: tvmexport.Run{ID: "R2", Table: t, Kind: kind, Depth: 4}, Limits: tvmexport.DocumentedLimits, Depth: 4,
		Known: known, Consistent: true, RowBytes: 600, Last: e.rows(),
	}
}

func (e *estate) records() []tvmexport.PartitionRecord {
	out := make([]tvmexport.PartitionRecord, len(e.parts))
	for i, c := range e.parts {
		out[i] = tvmexport.PartitionRecord{Partition: c.Partition, Rows: c.Rows, Fingerprint: c.Fingerprint}
	}
	return out
}

// A dead run's batches, a table that moves while it is read, and a recheck:
// what is committed is what the estate holds, and every row of it once.
func TestRunOfAHundredThousandDevices(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, kind := range []tvmexport.RunKind{tvmexport.FullRun, tvmexport.DeltaRun} {
		t.Run(string(kind), func(t *testing.T) {
			e := newEstate()
			known := e.records()
			if kind == tvmexport.DeltaRun {
				e.move(3)
			}
			plan := e.plan(kind, known)
			plan.Orphans = e.landed(t, plan, 2)
			e.moving = 50
			p, err := flow(t.Context(), newStage(e, &tvmexport.Hooks{}, plan, time.Now), plan)
			if err != nil {
				t.Fatal(err)
			}
			if p.Resumed == 0 {
				t.Error("nothing was taken over")
			}
			held := map[tvmexport.Partition]tvmexport.PartitionRecord{}
			if kind == tvmexport.DeltaRun {
				for _, r := range known {
					held[r.Partition] = r
				}
			}
			var rows int64
			for _, r := range e.commit.Partitions {
				held[r.Partition] = r
				rows += r.Rows
			}
			if rows != e.published.Rows {
				t.Errorf("%d rows are recorded, %d published", rows, e.published.Rows)
			}
			got := slices.SortedFunc(maps.Values(held), func(a, b tvmexport.PartitionRecord) int {
				return slices.Compare([]byte(a.Partition), []byte(b.Partition))
			})
			if want := e.records(); !slices.Equal(want, got) {
				t.Errorf("recorded (-held +recorded):\n%.2000s", cmp.Diff(want, got))
			}
		})
	}
}

// landed is every nth batch that a run of the plan would have landed.
func (e *estate) landed(tb testing.TB, plan Plan, nth int) []tvmexport.OrphanedBatch {
	tb.Helper()
	plan.Run.ID = "R1"
	f, have := e.fetched(tb, plan)
	var out []tvmexport.OrphanedBatch
	for i, b := range have.all() {
		if i%nth == 0 {
			out = append(out, tvmexport.OrphanedBatch{Header: f.Run.Header(), Batch: b})
		}
	}
	return out
}

// fetched plans a run and fetches what it asks for.
func (e *estate) fetched(tb testing.TB, plan Plan) (*fetcher, landed) {
	tb.Helper()
	st := newStage(e, &tvmexport.Hooks{}, plan, time.Now)
	p, err := planRun(tb.Context(), st, plan)
	if err != nil {
		tb.Fatal(err)
	}
	f := newFetcher(st, p)
	have, err := f.fetch(tb.Context(), landed{reused: p.reused, asked: p.asked}, p.open(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return f, have
}

// A batch goes back whole, and with it each batch that has a part of one of
// its partitions.
func TestWhatMovedGoesBackWithItsBatches(t *testing.T) {
	for seed := range uint64(300) {
		dice := rand.New(rand.NewPCG(seed, 2))
		var have landed
		var now []planUnit
		for i := range 40 {
			var s tvmexport.Slice
			for range 1 + dice.IntN(2) {
				p := tvmexport.Partition(fmt.Sprintf("%02x", dice.IntN(60)))
				if dice.IntN(3) == 0 {
					p += tvmexport.Partition(digits(dice, 1))
				}
				s.Partitions = append(s.Partitions, p)
			}
			b := tvmexport.BatchInfo{ID: tvmexport.BatchID(fmt.Sprint(i)), Slice: s}
			if i%4 == 0 {
				have.reused = append(have.reused, b)
			} else {
				have.fetched = append(have.fetched, b)
			}
		}
		for i := range 60 {
			now = append(now, planUnit{Partition: tvmexport.Partition(fmt.Sprintf("%02x", i)), Rows: 1})
		}
		moved := []tvmexport.Partition{now[dice.IntN(60)].Partition, now[dice.IntN(60)].Partition}
		back, all := setOf(moved), have.all()
		for grown := true; grown; {
			grown = false
			for _, b := range all {
				for _, p := range b.Slice.Partitions {
					for _, q := range b.Slice.Partitions {
						if back[p.At(2)] && !back[q.At(2)] {
							back[q.At(2)], grown = true, true
						}
					}
				}
			}
		}
		rest, again := requeue(have, moved, now, 2)
		var want, got []tvmexport.Partition
		for _, p := range now {
			if back[p.Partition] {
				want = append(want, p.Partition)
			}
		}
		for _, p := range again {
			got = append(got, p.Partition)
		}
		if !slices.Equal(want, got) {
			t.Fatalf("seed %d: %q go back, want %q", seed, got, want)
		}
		stay := 0
		for _, b := range all {
			if !back[b.Slice.Partitions[0].At(2)] {
				stay++
			}
		}
		if n := len(rest.all()); n != stay {
			t.Fatalf("seed %d: %d batches stay, want %d", seed, n, stay)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	e := newEstate()
	known := e.records()
	e.move(3)
	for _, kind := range []tvmexport.RunKind{tvmexport.FullRun, tvmexport.DeltaRun} {
		b.Run(string(kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plan := e.plan(kind, known)
				if _, err := planRun(b.Context(), newStage(e, &tvmexport.Hooks{}, plan, time.Now), plan); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRecheck counts again, finds a fiftieth of the partitions moved, asks
// again for the batches that they are in, and finds that the rest stood still.
func BenchmarkRecheck(b *testing.B) {
	e := newEstate()
	known := e.records()
	e.move(2)
	b.ReportAllocs()
	for b.Loop() {
		f, have := e.fetched(b, e.plan(tvmexport.DeltaRun, known))
		e.move(50)
		if _, err := recheck(b.Context(), f, have); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublication gathers batches of one partition each, as a delta of
// scattered changes lands them at worst, into steps and records.
func BenchmarkPublication(b *testing.B) {
	e := newEstate()
	plan := e.plan(tvmexport.DeltaRun, e.records())
	plan.RowBytes = 0
	var have landed
	for i, c := range e.parts {
		have.fetched = append(have.fetched, tvmexport.BatchInfo{
			ID: tvmexport.BatchID(fmt.Sprintf("R2.%05d", i)), Slice: tvmexport.Slice{Partitions: []tvmexport.Partition{c.Partition}},
			Rows: c.Rows, Bytes: 600 * c.Rows, Counts: []int64{c.Rows}, Fingerprints: tvmexport.NewFingerprints(c.Fingerprint),
		})
		have.asked = append(have.asked, c.Partition)
	}
	b.ReportAllocs()
	for b.Loop() {
		if p := publication(planned{Plan: plan}, have, nil, Progress{}); len(p.Partitions) != len(e.parts) {
			b.Fatal(len(p.Partitions))
		}
	}
}

// BenchmarkFlow measures a whole run that reuses the batches of a dead one.
func BenchmarkFlow(b *testing.B) {
	e := newEstate()
	known := e.records()
	e.move(3)
	plan := e.plan(tvmexport.DeltaRun, known)
	plan.Orphans = e.landed(b, plan, 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := flow(b.Context(), newStage(e, &tvmexport.Hooks{}, plan, time.Now), plan); err != nil {
			b.Fatal(err)
		}
	}
}
