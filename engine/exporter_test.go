package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // tests have small heaps and much garbage
	goleak.VerifyTestMain(m)
}

const software = "DeviceTvmSoftwareInventory"

func gzipFast(w io.Writer) io.WriteCloser {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}

// device makes n rows of one device.
func device(key string, n int, at time.Time) []contract.Row {
	rows := make([]contract.Row, n)
	for i := range rows {
		rows[i] = contract.Row{Key: key, Time: at, JSON: fmt.Sprintf(`{"DeviceId":%q,"N":%d,"T":%q}`, key, i, at.Format(time.RFC3339Nano))}
	}
	return rows
}

func fleet(devices, each int) []contract.Row {
	var rows []contract.Row
	for d := range devices {
		rows = append(rows, device(fmt.Sprintf("%016x", uint64(d)*0x9e3779b97f4a7c15+uint64(d)+1<<60), each, time.Time{})...)
	}
	return rows
}

func records(rows []contract.Row) []string {
	var out []string
	for _, r := range rows {
		out = append(out, r.JSON)
	}
	slices.Sort(out)
	return out
}

func sorted(s []string) []string { slices.Sort(s); return s }

type world struct {
	*engine.Exporter
	source      *contract.Source
	destination *contract.Destination
}

func newWorld(load tvmexport.LoadType, column string) world {
	w := world{source: &contract.Source{}, destination: &contract.Destination{}}
	w.destination.List = []tvmexport.Order{{Table: software, Into: software + "Raw", Load: load, Column: column, Active: true}}
	w.Exporter = &engine.Exporter{
		Source: w.source, Destination: w.destination, Compress: gzipFast, Owner: "test",
		Describe: func(name string) (tvmexport.Table, bool) {
			return tvmexport.Table{Name: name, Key: tvmexport.Key{Column: "DeviceId"}}, name == software
		},
	}
	return w
}

// export runs once and wants success.
func (w world) export(t *testing.T) engine.Result {
	t.Helper()
	report, err := w.Run(t.Context(), engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if r := report.Outcomes[0]; r.Err != nil {
		t.Fatal(r.Err)
	}
	return report.Outcomes[0]
}

func (w world) agrees(t *testing.T, want []contract.Row) {
	t.Helper()
	if d := cmp.Diff(records(want), sorted(w.destination.Current(software))); d != "" {
		t.Fatalf("published rows differ:\n%.2000s", d)
	}
	if commits := w.destination.Commits(software); len(commits) > 0 {
		if last := commits[len(commits)-1].Effect; last.TableRows != int64(len(want)) {
			t.Fatalf("the newest commit says that readers see %d rows; they see %d", last.TableRows, len(want))
		}
	}
}

func bubble(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

func TestSnapshotPublishesEveryRowOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		rows := append(fleet(60, 30), device("", 3, time.Time{})...)
		rows = append(rows, device("UPPER-CASE", 2, time.Time{})...)
		rows = append(rows, rows[0]) // an identical row is a row
		w.source.Set(software, rows)
		if r := w.export(t); r.Rows != int64(len(rows)) || r.Calls != 2 {
			t.Errorf("%d rows in %d calls, want %d in 2", r.Rows, r.Calls, len(rows))
		}
		w.agrees(t, rows)

		rows = append(rows[:900], device("0000abcd", 5, time.Time{})...)
		w.source.Set(software, rows)
		w.export(t)
		w.agrees(t, rows)
		if n := len(w.destination.Commits(software)); n != 2 {
			t.Errorf("%d commits, want 2", n)
		}
	})
}

func TestVanishedPartitionIsRecordedWithoutRows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
		w.source.Set(software, append(device("a1", 40, time.Time{}), device("b2", 40, time.Time{})...))
		w.export(t)
		w.source.Set(software, device("a1", 40, time.Time{}))
		w.export(t)
		c := w.destination.Commits(software)
		gone := slices.IndexFunc(c[1].Partitions, func(p tvmexport.PartitionRecord) bool {
			return p.Partition.Contains("b2") && p.Rows == 0
		})
		if gone < 0 {
			t.Errorf("partitions of the second run: %v", c[1].Partitions)
		}
	})
}

func TestCallsStayNearTheLeastPossible(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, devices := range []int{1, 40, 500, 2000} {
			if devices > 500 && testing.Short() {
				continue // it takes a second; make test runs it
			}
			w := newWorld(tvmexport.Snapshot, "")
			w.Limits = tvmexport.Limits{Rows: 1000, Bytes: 50_000}
			rows := fleet(devices, 10)
			w.source.Set(software, rows)
			w.export(t) // learns the size of a row
			r := w.export(t)
			w.agrees(t, rows)
			var bytes int64
			for _, row := range rows {
				bytes += int64(len(row.JSON))
			}
			least := max((int64(len(rows))+999)/1000, (bytes+49_999)/50_000)
			if most := (5*least+3)/4 + 2; int64(r.Calls) > most {
				t.Errorf("%d devices: %d calls, at most %d wanted (least possible %d)", devices, r.Calls, most, least)
			}
		}
	})
}

// One device with three times the rows that an answer may hold is divided by
// the hash of its rows.
func TestDeviceLargerThanAnAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 1000, Bytes: 1 << 30}
		w.source.Limits = w.Limits
		rows := append(device("abcdef0123", 3000, time.Time{}), fleet(20, 10)...)
		rows = append(rows, device("", 1500, time.Time{})...)
		w.source.Set(software, rows)
		w.export(t)
		w.agrees(t, rows)
	})
}

func TestIdenticalRowsBeyondAnAnswerFailClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
		w.source.Limits = w.Limits
		w.source.Set(software, slices.Repeat(device("ab", 1, time.Time{}), 150))
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Outcomes[0].Err; err == nil || !strings.Contains(err.Error(), "identical rows") {
			t.Errorf("got %v", err)
		}
		if n := len(w.destination.Current(software)); n != 0 {
			t.Errorf("%d rows were published", n)
		}
	})
}

func TestTooLargeAnswersAreSplit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 100_000, Bytes: 1 << 40} // knows nothing of the bytes
		w.source.Limits = tvmexport.Limits{Rows: 100_000, Bytes: 20_000}
		rows := fleet(300, 10)
		w.source.Set(software, rows)
		w.export(t)
		w.agrees(t, rows)
	})
}

// The source gains rows between the count and the call: the answer is cut, which
// shows, and is asked for in parts.
func TestCutAnswerShows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 1000, Bytes: 1 << 30}
		w.source.Limits = w.Limits
		few, many := fleet(90, 10), fleet(180, 10)
		w.source.Set(software, few)
		moved := false
		w.source.Before = func(tvmexport.Slice) error {
			if !moved {
				moved = true
				w.source.Set(software, many)
				return &tvmexport.Error{Action: tvmexport.Retry, Err: errors.New("cut connection")}
			}
			return nil
		}
		w.export(t)
		w.agrees(t, many)
	})
}

func TestAnswerThatContradictsItselfIsAskedForAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		rows := fleet(5, 5)
		w.source.Set(software, rows)
		spoiled := 0
		w.source.Corrupt = func(_ tvmexport.Slice, a *tvmexport.Answer) {
			if spoiled++; spoiled == 1 {
				a.Counted++
			}
		}
		w.export(t)
		w.agrees(t, rows)
		if spoiled != 2 {
			t.Errorf("%d calls, want 2", spoiled)
		}
		w.source.Corrupt = func(_ tvmexport.Slice, a *tvmexport.Answer) { a.Counted = tvmexport.Missing }
		report, err := w.Run(t.Context(), engine.Request{Full: true})
		if err != nil {
			t.Fatal(err)
		}
		if tvmexport.CauseOf(report.Outcomes[0].Err) != tvmexport.Integrity {
			t.Errorf("got %v", report.Outcomes[0].Err)
		}
		w.agrees(t, rows)
	})
}

func TestValuesThatDoNotFitAreReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(3, 3))
		w.source.Corrupt = func(_ tvmexport.Slice, a *tvmexport.Answer) { a.Nulled = 2 }
		if r := w.export(t); r.Nulled != 2 {
			t.Errorf("%d values reported, want 2", r.Nulled)
		}
	})
}

func TestDeliveriesLostAndDoubled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
		rows := fleet(40, 10)
		w.source.Set(software, rows)
		n := 0
		w.destination.OnLand = func(tvmexport.Batch) int { n++; return []int{1, 0, 2}[n%3] }
		w.export(t)
		w.agrees(t, rows)

		w.destination.OnLand = func(tvmexport.Batch) int { return 0 }
		report, err := w.Run(t.Context(), engine.Request{Full: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Outcomes[0].Err; tvmexport.CauseOf(err) != tvmexport.Integrity {
			t.Errorf("batches that never land: %v", err)
		}
		w.agrees(t, rows)
	})
}

// What began to be published is finished by the next run, not published twice.
func TestPublicationIsFinishedByTheNextRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		rows := fleet(20, 10)
		w.source.Set(software, rows)
		fail := true
		var ended []time.Time // of publications
		w.destination.OnPublish = func(tvmexport.Publication, int) error {
			if fail {
				return &tvmexport.Error{Op: "publish", Err: errors.New("timed out")}
			}
			time.Sleep(10 * time.Second) // the lease is renewed each minute
			ended = append(ended, time.Now())
			return nil
		}
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil || report.Outcomes[0].Err == nil {
			t.Fatal(err, report.Outcomes[0].Err)
		}
		fail = false
		w.source.Set(software, rows[:100])
		w.export(t)
		w.agrees(t, rows[:100])
		commits := w.destination.Commits(software)
		if len(commits) != 2 || commits[1].Run.Previous != commits[0].Run.ID || commits[0].Rows != 200 {
			t.Errorf("commits: %+v", commits)
		}
		if began := commits[1].Run.StartedAt; began.Before(ended[0]) {
			t.Errorf("the second run began at %s, before the first one ended at %s", began, ended[0])
		}
	})
}

func TestIncrementalFollowsTheWatermark(t *testing.T) {
	for _, load := range []tvmexport.LoadType{tvmexport.Incremental, tvmexport.FullThenIncr} {
		t.Run(string(load), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(load, "Timestamp")
				w.Limits = tvmexport.Limits{Rows: 50, Bytes: 1 << 30}
				w.source.Limits = w.Limits
				day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
				var rows []contract.Row
				for range 3 {
					for h := range 24 {
						moment := day.Add(time.Duration(h) * time.Hour)
						rows = append(rows, device("ab", 7, moment)...) // on the boundary
						rows = append(rows, device("cd", 3, moment.Add(-time.Nanosecond*100))...)
					}
					rows = append(rows, device("ef", 120, day.Add(7*time.Minute))...) // a burst at one instant
					day = day.Add(24 * time.Hour)
					w.source.Set(software, rows)
					w.source.SetNow(day.Add(-30 * time.Minute)) // all of the day's rows are earlier
					w.export(t)
					w.agrees(t, rows)
				}
				if r := w.export(t); r.Rows != 0 {
					t.Errorf("%d rows published where nothing is new", r.Rows)
				}
			})
		})
	}
}

// Rows without a watermark come again with each run, and count once.
func TestRowsWithoutWatermark(t *testing.T) {
	for name, dated := range map[string]int{"some": 50, "all": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Incremental, "Timestamp")
				w.Limits = tvmexport.Limits{Rows: 40, Bytes: 1 << 30}
				w.source.Limits = w.Limits
				day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
				rows := fleet(30, 4)
				for i := range dated {
					rows = append(rows, device("ab", 1, day.Add(time.Duration(i)*time.Minute))...)
				}
				for range 3 {
					w.source.Set(software, rows)
					day = day.Add(24 * time.Hour)
					w.source.SetNow(day)
					w.export(t)
					w.agrees(t, rows)
					rows = append(rows[7:], device("00", 2, time.Time{})...)
				}
			})
		})
	}
}

// A table without any key is divided by the hash of its rows.
func TestTableWithoutKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
		w.source.Limits = w.Limits
		w.Describe = func(name string) (tvmexport.Table, bool) { return tvmexport.Table{Name: name}, true }
		rows := fleet(60, 10)
		w.source.Set(software, rows)
		w.export(t)
		w.agrees(t, rows)
	})
}

func TestLeasedTableIsLeftAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(3, 3))
		if _, err := w.destination.Acquire(t.Context(), tvmexport.Lease{Owner: "someone", Tables: []tvmexport.Table{{Name: software}}, Term: time.Minute}); err != nil {
			t.Fatal(err)
		}
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if tvmexport.CauseOf(report.Outcomes[0].Err) != tvmexport.LeaseHeld {
			t.Errorf("got %v", report.Outcomes[0].Err)
		}
		if len(w.source.Calls) != 0 {
			t.Error("the source was asked")
		}
		time.Sleep(2 * time.Minute)
		w.export(t)
	})
}

func TestOversizeRecordIsReportedNotSpoiled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		rows := fleet(3, 3)
		big := contract.Row{Key: "ff", JSON: `{"X":"` + strings.Repeat("x", tvmexport.MaxRecord) + `"}`}
		w.source.Set(software, append(rows, big))
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Outcomes[0].Err; err == nil || !strings.Contains(err.Error(), "1 MiB") {
			t.Errorf("got %v", err)
		}
		if w.destination.Audit[0].Err == nil {
			t.Error("the audit says success")
		}
	})
}

func TestOneTableDoesNotStopAnother(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(3, 3))
		w.destination.List = append([]tvmexport.Order{
			{Table: "NoSuchTable", Into: "NoSuchTableRaw", Load: tvmexport.Snapshot, Active: true},
			{Table: "T | take 1; .drop table X", Active: true, Err: errors.New("not an identifier")},
		}, w.destination.List...)
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for i, ok := range []bool{false, false, true} {
			if (report.Outcomes[i].Err == nil) != ok {
				t.Errorf("table %d: %v", i, report.Outcomes[i].Err)
			}
		}
		w.agrees(t, fleet(3, 3))
	})
}

func TestCancelledRunPublishesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
		w.source.Set(software, fleet(40, 10))
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		w.source.Before = func(tvmexport.Slice) error {
			if n++; n == 3 {
				cancel()
			}
			return nil
		}
		w.Calls = 1
		report, err := w.Run(ctx, engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(report.Outcomes[0].Err, context.Canceled) {
			t.Errorf("got %v", report.Outcomes[0].Err)
		}
		if len(w.destination.Current(software)) != 0 || len(w.destination.Audit) != 1 {
			t.Error("a cancelled run publishes nothing and leaves an audit row")
		}
	})
}
