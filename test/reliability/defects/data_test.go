package defects_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
)

// What scripts that page through Advanced Hunting are known to get wrong, one
// story each: the rows of the source, each once, and a truthful audit.

func day(r *rig) time.Time {
	return r.emulator.Tenant().Now().Add(-48 * time.Hour).Truncate(24 * time.Hour)
}

// A watermark saved after the first page of a descending sort loses the other
// pages when the script dies on one of them.
func TestCrashOnAMiddlePage(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		rows := rowsFrom("ab", 500, day(r))
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(24 * time.Hour))
		ctx, cancel := context.WithCancel(r.Context())
		calls := 0
		r.source.Before = func(tvmexport.Slice) error {
			if calls++; calls == 5 {
				cancel()
			}
			return ctx.Err()
		}
		if result, _ := r.ask(ctx, engine.Request{}); result.Err == nil {
			t.Fatal("the run did not end")
		}
		r.source.Before = nil
		r.agrees(nil)
		time.Sleep(time.Minute) // what was queued lands
		if result := r.run(); result.Resumed == 0 {
			t.Error("nothing was taken over from the run that ended")
		}
		r.agrees(rows)
		r.audit("1 Success", "1 Failed")
	})
}

func TestAllRowsTieOnTheWatermark(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		var rows []contract.Row
		for i := range 400 {
			rows = append(rows, row(fmt.Sprintf("%02x", i%256), i, day(r)))
		}
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(24 * time.Hour))
		r.run()
		r.agrees(rows)
		r.run()
		r.agrees(rows)
	})
}

// Page limits change when rows come and go between calls; partitions do not.
func TestRowsInsertedAndRemovedBetweenCalls(t *testing.T) {
	choose(t, tvmexport.Snapshot, func(r *rig) {
		var rows []contract.Row
		for i := range 300 {
			rows = append(rows, row(fmt.Sprintf("%02x", i%256), i, day(r)))
		}
		r.source.Set(events, rows)
		calls := 0
		r.source.Before = func(tvmexport.Slice) error {
			calls++
			rows = append(rows[3:], row(fmt.Sprintf("%02x", 7*calls%256), 1000+calls, day(r)))
			r.source.Set(events, rows)
			return nil
		}
		r.run()
		r.none("rows are duplicated", events+" | summarize n = count() by DeviceId, N | where n > 1")
		r.source.Before = nil
		r.run()
		r.agrees(rows)
	})
}

func TestLateRowsWithOlderTimestamps(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		rows := rowsFrom("ab", 300, day(r))
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(24 * time.Hour))
		r.run()
		rows = append(rows, rowsFrom("cd", 40, day(r).Add(time.Hour))...)
		rows = append(rows, rows[17], rows[17]) // equal rows are rows
		r.source.Set(events, rows)
		if result := r.run(); result.Late != 42 {
			t.Errorf("%d late rows, want 42", result.Late)
		}
		r.agrees(rows)
		if result := r.run(); result.Rows != 0 {
			t.Errorf("%d rows were published again", result.Rows)
		}
		r.agrees(rows)
	})
}

func TestNullWatermarks(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		rows := rowsFrom("ab", 100, day(r))
		for i := range 30 {
			rows = append(rows, row("ee", i, time.Time{}))
		}
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(24 * time.Hour))
		for range 3 {
			r.run()
			if got := r.rows("landed", events+" | summarize n = count(), Null = countif(isnull(Timestamp))"); got[0] != `{"Null":30,"n":130}` {
				t.Errorf("readers see %s", got)
			}
		}
	})
}

// The original stores the watermark as text too, with and without a fraction.
func TestWatermarkWithAndWithoutFraction(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		start := day(r)
		rows := []contract.Row{row("a", 1, start.Add(time.Hour)), row("a", 2, start.Add(time.Hour+100*time.Nanosecond)), row("a", 3, start.Add(2*time.Hour+700*time.Nanosecond))}
		r.source.Set(events, rows)
		for _, now := range []time.Duration{time.Hour, time.Hour + 100*time.Nanosecond, 2 * time.Hour, 3 * time.Hour} {
			r.source.SetNow(start.Add(now + r.exporter.Lag))
			r.run()
		}
		r.agrees(rows)
	})
}

// The six columns of the original, and the seven of its later form.
func TestSixAndSevenColumnConfiguration(t *testing.T) {
	for name, more := range map[string]string{"six": "", "seven": "LastRefreshedTimeInString:string, "} {
		t.Run(name, func(t *testing.T) {
			choose(t, tvmexport.Incremental, func(r *rig) {
				r.admin(".drop table MigrationConfiguration")
				r.admin(".create table MigrationConfiguration (SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, " + more + "LoadType:string, IsActive:bool)")
				text := ""
				if more != "" {
					text = `"1990-01-01T00:00:00Z", `
				}
				r.admin(fmt.Sprintf(`.set-or-append MigrationConfiguration <| datatable (SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, %sLoadType:string, IsActive:bool) [%q, %q, "Timestamp", datetime(1990-01-01), %s"Incr", true]`,
					more, events, events+"Raw", text))
				rows := rowsFrom("ab", 50, day(r))
				r.source.Set(events, rows)
				r.source.SetNow(day(r).Add(12 * time.Hour))
				result := r.run()
				r.agrees(rows)
				if got := r.rows("landed", "MigrationConfiguration | summarize arg_max(LastRefreshedTime, *) by SourceTable | project LastRefreshedTime"); !strings.Contains(got[0], result.Run.Watermark.UTC().Format("2006-01-02T15:04:05")) {
					t.Errorf("the watermark's copy is %s, want %s", got, result.Run.Watermark)
				}
				rows = append(rows, rowsFrom("cd", 5, day(r).Add(13*time.Hour))...)
				r.source.Set(events, rows)
				r.source.SetNow(day(r).Add(24 * time.Hour))
				r.run()
				r.agrees(rows)
			})
		})
	}
}

func TestInactiveAndBack(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		rows := rowsFrom("ab", 50, day(r))
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(2 * time.Hour))
		r.run()
		active := func(on bool) {
			r.admin(fmt.Sprintf(`.set-or-append MigrationConfiguration <| MigrationConfiguration | extend W = ingestion_time() | summarize arg_max(W, *) by SourceTable | extend IsActive = %t | project SourceTable, DestinationTable, WatermarkColumn, LastRefreshedTime, LastRefreshedTimeInString, LoadType, IsActive`, on))
		}
		active(false)
		rows = append(rows, rowsFrom("cd", 20, day(r).Add(5*time.Hour))...)
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(8 * time.Hour))
		if _, err := r.exporter.Run(r.Context(), engine.Request{}); tvmexport.CauseOf(err) != tvmexport.Usage {
			t.Errorf("without an active table: %v", err)
		}
		active(true)
		r.run()
		r.agrees(rows)
	})
}

// A watermark that somebody set back lets a run fetch the missing rows. Existing
// rows are not duplicated.
func TestWatermarkRewoundByHand(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		rows := rowsFrom("ab", 200, day(r))
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(24 * time.Hour))
		r.run()
		number := map[string]string{events: "N", events + "Typed": "N", events + "Raw": "tolong(Records.N)"}
		for _, table := range []string{events + "Raw", events + "Typed"} {
			r.admin(fmt.Sprintf(".delete table %s records <| %s | where %s between (20 .. 29)", table, table, number[table]))
		}
		r.admin(fmt.Sprintf(`.set-or-append MigrationConfiguration <| MigrationConfiguration | extend W = ingestion_time() | summarize arg_max(W, *) by SourceTable | extend LastRefreshedTime = datetime(%s) | project SourceTable, DestinationTable, WatermarkColumn, LastRefreshedTime, LastRefreshedTimeInString, LoadType, IsActive`,
			day(r).Add(-time.Hour).Format(time.RFC3339)))
		r.exporter.Recount = 0
		if result := r.run(); result.Late != 10 {
			t.Errorf("%d rows were published again, want the 10 that were deleted", result.Late)
		}
		for table, column := range number {
			if got := r.rows("landed", table+" | summarize n = count(), d = dcount("+column+")"); got[0] != `{"d":200,"n":200}` {
				t.Errorf("%s holds %s", table, got)
			}
		}
		if result := r.run(); result.Rows != 0 || result.Late != 0 {
			t.Errorf("the order was carried out twice: %+v", result.Progress)
		}
	})
}

func TestErrorTextInTheAudit(t *testing.T) {
	choose(t, tvmexport.Snapshot, func(r *rig) {
		rows := rowsFrom("ab", 10, day(r))
		r.source.Set(events, rows)
		const text = `it said "no" at C:\data\x, 'why'?` + "\n\tline two | take 1; .drop table T"
		r.source.Before = func(tvmexport.Slice) error {
			return &tvmexport.Error{Op: "fetch", Table: events, Action: tvmexport.Stop, Cause: tvmexport.Rejected, Err: errors.New(text)}
		}
		if result, err := r.try(); err != nil || result.Err == nil {
			t.Fatal(err, result.Err)
		}
		r.source.Before = nil
		want := strings.Join(strings.Fields(text), " ")
		if got := r.rows("landed", "MigrationAuditLog | where FailureReason contains "+fmt.Sprintf("%q", want)); len(got) != 1 {
			t.Errorf("the audit does not hold the text: %s", r.rows("landed", "MigrationAuditLog"))
		}
		r.run()
		r.agrees(rows)
		r.audit("1 Success", "1 Failed")
	})
}

// The queue took the message and answered with a time-out: the batch is sent
// again, and lands twice.
func TestEnqueueAnsweredWithATimeout(t *testing.T) {
	choose(t, tvmexport.Snapshot, func(r *rig) {
		rows := rowsFrom("ab", 150, day(r))
		r.source.Set(events, rows)
		r.fault(faults.Rule{Endpoint: faults.Queue, Count: 3, Status: 504, Apply: true})
		r.run()
		r.agrees(rows)
		r.audit("1 Success")
	})
}

// Only .show ingestion failures reports an ingestion that fails permanently.
func TestMappingErrorInIngestionFailures(t *testing.T) {
	choose(t, tvmexport.Snapshot, func(r *rig) {
		rows := rowsFrom("ab", 20, day(r))
		r.source.Set(events, rows)
		r.source.Before = func(tvmexport.Slice) error {
			r.source.Before = nil
			r.admin(".drop table " + events + `Landing ingestion json mapping "LandingMapV1"`)
			return nil
		}
		result, err := r.try()
		if err != nil || result.Err == nil || !strings.Contains(result.Err.Error(), "failed permanently") {
			t.Fatalf("got %v, %v", result.Err, err)
		}
		r.agrees(nil)
		r.setUp()
		r.run()
		r.agrees(rows)
		r.audit("1 Success", "1 Failed")
	})
}
