package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// interrupted makes a run that ends after the given number of calls for rows.
func (w world) interrupted(t *testing.T, after int) engine.Result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	w.source.Before = func(tvmexport.Slice) error {
		if n++; n > after {
			cancel()
			return context.Canceled
		}
		return nil
	}
	w.Calls = 1
	report, err := w.Run(ctx, engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	w.source.Before, w.source.Calls = nil, nil
	return report.Outcomes[0]
}

// What landed is not asked for again, and its rows count once, however often
// runs are interrupted.
func TestInterruptedRunIsTakenUp(t *testing.T) {
	for _, load := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental} {
		t.Run(string(load), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(load, map[tvmexport.LoadType]string{tvmexport.Incremental: "Timestamp"}[load])
				w.Resume = 24 * time.Hour
				w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
				w.source.Limits = w.Limits
				day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
				rows := device("abcdef", 300, day.Add(time.Minute)) // divided by the hash of rows
				for h := range 24 {
					rows = append(rows, device(fmt.Sprintf("%x%x", h, h), 31, day.Add(time.Duration(h)*time.Hour))...)
				}
				w.source.Set(software, rows)
				w.source.SetNow(day.Add(24 * time.Hour))
				fetched := int64(0)
				for _, after := range []int{3, 2, 4} {
					if r := w.interrupted(t, after); r.Err == nil || r.Resumed != fetched {
						t.Fatalf("interrupted run: %v, %d rows taken over, want %d", r.Err, r.Resumed, fetched)
					} else if len(w.destination.Current(software)) != 0 {
						t.Fatal("an interrupted run published rows")
					}
					fetched = 0
					for _, l := range w.left(t) {
						fetched += l.Batch.Rows
					}
				}
				r := w.export(t)
				w.agrees(t, rows)
				if r.Resumed != fetched || fetched < 400 {
					t.Errorf("%d rows taken over, want %d and many", r.Resumed, fetched)
				}
				if r := w.export(t); r.Resumed != 0 {
					t.Errorf("after the commit %d rows were taken over", r.Resumed)
				}
				w.agrees(t, rows)
			})
		})
	}
}

func (w world) left(t *testing.T) []tvmexport.OrphanedBatch {
	t.Helper()
	table := []tvmexport.Table{{Name: software}}
	h, err := w.destination.History(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	left, err := w.destination.OrphanedBatches(t.Context(), table, h, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return left[software]
}

func TestWhatIsTooOldIsAskedForAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Resume = 24 * time.Hour
		w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
		w.source.Set(software, fleet(40, 10))
		w.interrupted(t, 3)
		time.Sleep(25 * time.Hour)
		rows := fleet(40, 10)[5:]
		w.source.Set(software, rows)
		if r := w.export(t); r.Resumed != 0 {
			t.Errorf("%d rows of yesterday were taken over", r.Resumed)
		}
		w.agrees(t, rows)
	})
}

// Rows that come late, with a watermark that runs have passed, are found by the
// recount of the last days, and only they are published.
func TestLateRowsAreFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		w.Recount = 48 * time.Hour
		day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		var rows []contract.Row
		for h := range 30 {
			rows = append(rows, device(fmt.Sprintf("%02x", h), 10, day.Add(time.Duration(h)*time.Hour))...)
		}
		w.source.Set(software, rows)
		w.source.SetNow(day.Add(30*time.Hour + time.Minute))
		w.export(t)
		w.agrees(t, rows)

		late := append(device("f0", 3, day.Add(5*time.Hour+time.Minute)), device("07", 12, day.Add(7*time.Hour))[10:]...)
		late = append(late, rows[0]) // an equal row once more is a row
		fresh := device("aa", 4, day.Add(31*time.Hour))
		rows = append(append(rows, late...), fresh...)
		w.source.Set(software, rows)
		w.source.SetNow(day.Add(32 * time.Hour))
		r := w.export(t)
		w.agrees(t, rows)
		if want := int64(len(late)); r.Late != want || r.Rows != want+int64(len(fresh)) || len(r.Notes) == 0 {
			t.Errorf("%d late rows of %d published, notes %q; want %d", r.Late, r.Rows, r.Notes, want)
		}
		if r := w.export(t); r.Rows != 0 || r.Late != 0 {
			t.Errorf("again %d rows, %d late", r.Rows, r.Late)
		}
	})
}

// An operator sets the watermark back, or asks for an older window. The run
// publishes the missing rows and does not duplicate the others.
func TestOlderWindowIsAskedForAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		rows := device("ab", 5, day)
		w.source.Set(software, rows)
		w.source.SetNow(day.Add(time.Hour))
		w.export(t)
		rows = append(rows, device("cd", 7, day.Add(-5*24*time.Hour))...)
		w.source.Set(software, rows)
		if r := w.export(t); r.Rows != 0 {
			t.Errorf("%d rows of before the window were published", r.Rows)
		}
		report, err := w.Run(t.Context(), engine.Request{From: day.Add(-6 * 24 * time.Hour)})
		if err != nil || report.Outcomes[0].Err != nil {
			t.Fatal(err, report.Outcomes[0].Err)
		}
		w.agrees(t, rows)
	})
}

// A repair finds a damaged partition and replaces it. It does not change the others.
func TestRepairReplacesWhatDiffers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 1000, Bytes: 1 << 30}
		rows := fleet(300, 10)
		w.source.Set(software, rows)
		w.export(t)
		verify := func() engine.Comparison {
			t.Helper()
			c, err := w.Verify(t.Context(), nil, "")
			if err != nil || c[0].Err != nil {
				t.Fatal(err, c[0].Err)
			}
			return c[0]
		}
		if c := verify(); len(c.Differences) != 0 || c.Rows != int64(len(rows)) {
			t.Fatalf("before the damage: %d rows, differences %+v", c.Rows, c.Differences)
		}
		w.destination.Damage(software, 7)
		c := verify()
		if len(c.Differences) != 1 || c.Differences[0].Readers+7 != c.Differences[0].Recorded {
			t.Fatalf("differences %+v, want one with 7 rows less", c.Differences)
		}
		repair, ok := c.Repair()
		if !ok {
			t.Fatal("nothing to repair")
		}
		report, err := w.Run(t.Context(), engine.Request{Repair: map[string]engine.Repair{software: repair}})
		if err != nil || report.Outcomes[0].Err != nil {
			t.Fatal(err, report.Outcomes[0].Err)
		}
		w.agrees(t, rows)
		if n := report.Outcomes[0].Rows; n != c.Differences[0].Source {
			t.Errorf("%d rows were fetched, want %d", n, c.Differences[0].Source)
		}
		if c := verify(); len(c.Differences) != 0 {
			t.Errorf("after the repair: %+v", c.Differences)
		}
	})
}

// A table that must stand still is asked for again where it moved, and given up
// where it does not come to rest.
func TestConsistentTable(t *testing.T) {
	for moves, wantErr := range map[int]bool{0: false, 2: false, 100: true} {
		t.Run(fmt.Sprint(moves), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				w.Consistent = true
				w.Limits = tvmexport.Limits{Rows: 500, Bytes: 1 << 30}
				rows := fleet(100, 10)
				w.source.Set(software, rows)
				n := 0
				w.source.Before = func(tvmexport.Slice) error {
					if n < moves {
						rows = append(rows[1:], device(fmt.Sprintf("%x", n), 3, time.Time{})...)
						w.source.Set(software, rows)
					}
					n++
					return nil
				}
				w.Calls = 1
				report, err := w.Run(t.Context(), engine.Request{})
				if err != nil {
					t.Fatal(err)
				}
				if got := report.Outcomes[0].Err; (got != nil) != wantErr {
					t.Fatalf("got %v", got)
				}
				if !wantErr {
					w.agrees(t, rows)
				}
			})
		})
	}
}

// An audit that cannot be written shows, and the next run makes it good.
func TestAuditIsMadeGood(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(3, 3))
		refused := errors.New("refused")
		w.destination.OnFinish = func(tvmexport.InvocationEnd) error { return refused }
		if _, err := w.Run(t.Context(), engine.Request{}); !errors.Is(err, refused) {
			t.Fatalf("got %v", err)
		}
		w.destination.OnFinish = nil
		w.export(t)
		if n := len(w.destination.Audit); n != 2 {
			t.Errorf("%d audit rows, want 2", n)
		}
	})
}
