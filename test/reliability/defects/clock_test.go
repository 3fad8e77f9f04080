package defects_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// TestClockOfTheClusterStopsOrGoesBack: each run follows the one it builds on,
// for readers and for the next run, even if the cluster's clock says otherwise.
func TestClockOfTheClusterStopsOrGoesBack(t *testing.T) {
	for _, load := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental, tvmexport.FullThenIncr} {
		for name, clock := range map[string]func(run int, began time.Time) time.Time{
			"stops":     func(_ int, began time.Time) time.Time { return began },
			"goes back": func(run int, began time.Time) time.Time { return began.Add(-time.Duration(run) * 5 * time.Minute) },
		} {
			t.Run(fmt.Sprintf("%s/%s", load, name), func(t *testing.T) {
				if load != tvmexport.Snapshot && testing.Short() {
					t.Skip("-short: one load type is enough; make test runs the others")
				}
				choose(t, load, func(r *rig) { runsUnder(r, load, clock) })
			})
		}
	}
}

// runsUnder makes runs that change, add and, of a Snapshot, remove rows. clock
// gives the cluster's time during a run.
func runsUnder(r *rig, load tvmexport.LoadType, clock func(run int, began time.Time) time.Time) {
	r.Helper()
	start := day(r)
	rows := rowsFrom("ab", 150, start)
	r.source.Set(events, rows)
	r.source.SetNow(start.Add(2 * time.Hour))
	r.run()
	began := r.now()
	for run := range 4 {
		now := clock(run, began)
		frozen := func() time.Time { return now }
		r.clock.Store(&frozen)
		r.connect() // the old token is not valid yet when the clock goes back
		if load == tvmexport.Snapshot {
			rows = append([]contract.Row(nil), rows[10:]...)
			rows[run] = row("ab", 1000+run, start.Add(time.Minute))
		}
		rows = append(rows, rowsFrom(fmt.Sprintf("c%d", run), 20, start.Add(time.Duration(3+3*run)*time.Hour))...)
		r.source.Set(events, rows)
		r.source.SetNow(start.Add(time.Duration(5+3*run) * time.Hour))
		if result := r.run(); result.Rows == 0 {
			r.Fatalf("run %d publishes nothing", run)
		}
		r.agrees(rows)
	}
	r.none("a commit is not later than the one before it", `let Commits = ExportRuns | where State == "committed";
Commits
| join kind=inner (Commits | project Previous = RunId, Earlier = At) on Previous
| where At <= Earlier`)
}
