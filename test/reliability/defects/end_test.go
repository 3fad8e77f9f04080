package defects_test

import (
	"context"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
)

// A row that comes late into the hour of the watermark is not left for a later
// run.
func TestLateRowsOfTheWatermarksOwnHour(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		rows := rowsFrom("ab", 100, day(r))
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(100*time.Minute + r.exporter.Lag))
		r.run()
		r.agrees(rows)
		for _, late := range []time.Duration{60 * time.Minute, 61 * time.Minute, 100 * time.Minute} {
			rows = append(rows, row("cd", int(late.Minutes()), day(r).Add(late)))
		}
		rows = append(rows, row("ef", 1, day(r).Add(101*time.Minute)))
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(105*time.Minute + r.exporter.Lag))
		if result := r.run(); result.Late != 3 || result.Rows != 4 {
			t.Errorf("%d rows, %d of them late, want 4 and 3", result.Rows, result.Late)
		}
		r.agrees(rows)
	})
}

// What an interrupted run landed is taken over where the source still holds it.
func TestLandedRowsThatHaveChangedAreFetchedAgain(t *testing.T) {
	choose(t, tvmexport.Snapshot, func(r *rig) {
		rows := append(rowsFrom("a1", 50, day(r)), rowsFrom("b2", 50, day(r))...)
		rows = append(rows, rowsFrom("c3", 50, day(r))...)
		r.source.Set(events, rows)
		ctx, cancel := context.WithCancel(r.Context())
		calls := 0
		r.source.Before = func(tvmexport.Slice) error {
			if calls++; calls == 3 {
				cancel()
			}
			return ctx.Err()
		}
		if result, _ := r.ask(ctx, engine.Request{}); result.Err == nil {
			t.Fatal("the run did not end")
		}
		r.source.Before = nil
		time.Sleep(time.Minute) // what was queued lands
		rows = append(rows[1:], row("a1", 1000, day(r)), row("a1", 1001, day(r)))
		r.source.Set(events, rows)
		if result := r.run(); result.Resumed != 50 {
			t.Errorf("%d rows were taken over, want the 50 of the part that is as it was", result.Resumed)
		}
		r.agrees(rows)
	})
}

// A run that is interrupted during a slow command ends within half a minute. The
// next run completes its work.
func TestToldToEndInASlowCommand(t *testing.T) {
	for what, match := range map[string]string{
		"publish": ".set-or-append async", "commit": `State = "committed"`, "audit": ".set-or-append MigrationAuditLog", "lease": `"lease"`,
	} {
		t.Run(what, func(t *testing.T) {
			choose(t, tvmexport.Snapshot, func(r *rig) {
				rows := rowsFrom("ab", 150, day(r))
				r.source.Set(events, rows)
				r.fault(faults.Rule{Endpoint: faults.KustoMgmt, Match: match, Delay: faults.Duration(10 * time.Minute)})
				ctx, cancel := context.WithCancel(r.Context())
				var told time.Time
				time.AfterFunc(time.Minute, func() {
					told = time.Now()
					cancel()
				})
				_, _ = r.exporter.Run(ctx, engine.Request{}) // how it ended, the ledger says
				if took := time.Since(told); took > 30*time.Second {
					t.Errorf("it went on for %s", took)
				}
				r.emulator.Faults().Clear()
				time.Sleep(20 * time.Minute)
				r.run()
				r.agrees(rows)
			})
		})
	}
}

// A pause that the service requested also applies to the next process.
func TestPauseIsHonouredByTheNextProcess(t *testing.T) {
	tenant(t, 10*time.Minute, func(r *rig) {
		r.fault(faults.Rule{Endpoint: faults.Graph, Match: "union (answer", After: 2, Count: 1, Delay: faults.Duration(time.Second), Status: 429, Headers: map[string]string{"Retry-After": "3000"}})
		began := time.Now()
		if result, err := r.try(); err != nil || tvmexport.CauseOf(result.Err) != tvmexport.Quota {
			t.Fatalf("got %v, %v; want the cause quota", result.Err, err)
		}
		r.exporter.Source = r.hunting(2 * time.Hour) // of another process
		calls := r.emulator.Stats().Defender["graph"].Calls
		var first time.Time
		r.emulator.Faults().Observe(func(e faults.Event) {
			if e.Endpoint == faults.Graph && first.IsZero() {
				first = time.Now()
			}
		})
		r.run()
		if wait := first.Sub(began); wait < 3000*time.Second {
			t.Errorf("the next process makes a call %s after the first began, %d calls in all", wait, r.emulator.Stats().Defender["graph"].Calls-calls)
		}
		r.agrees(nil)
	})
}

// A commit that the service carries out when its run has been given up and
// audited is in the audit too.
func TestCommitCarriedOutAfterTheAudit(t *testing.T) {
	choose(t, tvmexport.Snapshot, func(r *rig) {
		rows := rowsFrom("ab", 150, day(r))
		r.source.Set(events, rows)
		r.fault(faults.Rule{Endpoint: faults.KustoMgmt, Match: `State = "committed"`, Status: 504, Late: faults.Duration(30 * time.Minute)})
		if result, err := r.try(); err != nil || result.Err == nil {
			t.Fatalf("got %v, %v; want a failed commit", result.Err, err)
		}
		r.audit("1 Failed")
		r.emulator.Faults().Clear()
		time.Sleep(2 * time.Hour)
		for range 3 {
			r.run()
			r.agrees(rows)
			time.Sleep(time.Hour)
		}
		r.audit("3 Success", "1 Failed")
	})
}
