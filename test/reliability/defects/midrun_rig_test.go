package defects_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
)

// isStep says whether a request publishes a step or commits.
func isStep(e faults.Event) bool {
	if e.Done {
		return false
	}
	return strings.Contains(e.Text, ".set-or-append async") ||
		e.Endpoint == faults.KustoMgmt && strings.Contains(e.Text, `State = "committed"`)
}

// disturbed makes two runs, and a third one in the midst of which published
// rows are taken away. It gives what the source holds then, and whether the run
// came to the moment.
func (r *rig) disturbed(layout tvmexport.Layout, taken taking, m when) (rows []contract.Row, report engine.Report, came bool) {
	r.Helper()
	r.table.Layout = layout
	r.setUp()
	r.exporter.StepBytes = 1 // a step for each batch
	began := day(r).Add(-3 * time.Hour)
	rows = append(rowsFrom("ab", 50, began), rowsFrom("cd", 50, began)...)
	r.export(rows, began.Add(time.Hour))
	time.Sleep(time.Hour)
	rows = append(rows, rowsFrom("12", 30, began.Add(61*time.Minute))...)
	r.export(rows, began.Add(2*time.Hour))
	time.Sleep(10 * time.Minute)
	if m.late {
		rows = append(rows, rowsFrom("ef", 20, began.Add(30*time.Minute))...)
	}
	rows = append(rows, rowsFrom("0a", 80, began.Add(121*time.Minute))...)
	r.source.Set(events, rows)
	r.source.SetNow(began.Add(4*time.Hour + r.exporter.Lag))

	through := &dying{to: r.http.Transport}
	r.http.Transport = through
	var steps atomic.Int64 // some are sent at once
	r.emulator.Faults().Observe(func(e faults.Event) {
		if !isStep(e) {
			return
		}
		n := int(steps.Add(1))
		if n == m.at {
			for _, c := range taken.commands {
				r.asAdmin(c)
			}
		}
		if n == m.dies {
			through.dead.Store(true)
		}
	})
	ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
	defer cancel()
	report, _ = r.exporter.Run(ctx, engine.Request{}) // how it ended, the ledger says
	r.emulator.Faults().Observe(func(faults.Event) {})
	through.dead.Store(false)
	return rows, report, int(steps.Load()) >= max(m.at, m.dies)
}

// export makes a run that succeeds, when the source holds rows up to now.
func (r *rig) export(rows []contract.Row, now time.Time) {
	r.Helper()
	r.source.Set(events, rows)
	r.source.SetNow(now.Add(r.exporter.Lag))
	r.run()
}

// once wants each row to be there once.
func (r *rig) once(what string, rows []contract.Row) {
	r.Helper()
	r.noneDoubled(what)
	got := r.rows("landed", events+" | project DeviceId, N, Timestamp")
	if want := texts(rows); !slices.Equal(want, got) {
		r.Errorf("%s: readers see %d rows of %d", what, len(got), len(want))
	}
}

func outcomes(report engine.Report) (out []string) {
	for _, o := range report.Outcomes {
		out = append(out, fmt.Sprintf("%s %v", o.Run.Kind, o.Err))
	}
	return out
}

// texts are rows as readers see them, sorted.
func texts(rows []contract.Row) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = row.JSON
	}
	slices.Sort(out)
	return out
}

// noneDoubled wants no row more than once, even if rows are missing; of events
// also in the records of committed runs.
func (r *rig) noneDoubled(what string) {
	r.Helper()
	got := r.rows("landed", events+" | project DeviceId, N, Timestamp")
	if n := len(got) - len(slices.Compact(slices.Clone(got))); n > 0 {
		r.Errorf("%s: %d rows are duplicated", what, n)
	}
	if r.table.Layout.Raw() && r.table.LoadType != tvmexport.Snapshot {
		r.none(what+": the records of committed runs hold a row twice", `let Commits = ExportRuns | where State == "committed";
let Full = toscalar(Commits | where Kind == "full" | summarize max(At));
`+events+`Raw | join kind=inner (Commits | where isnull(Full) or At >= Full | project RunId) on RunId
| summarize Copies = count() by Record = tostring(Records) | where Copies > 1`)
	}
}

// asAdmin carries out a command as the database's administrator, not through
// the front ends.
func (r *rig) asAdmin(text string) {
	r.Helper()
	_, err := r.emulator.Command(r.Context(), "", text)
	r.must(err)
}

// dying is a connection of a process that can die.
type dying struct {
	to   http.RoundTripper
	dead atomic.Bool
}

func (d *dying) RoundTrip(q *http.Request) (*http.Response, error) {
	if d.dead.Load() {
		return nil, errDead
	}
	answer, err := d.to.RoundTrip(q)
	if d.dead.Load() {
		if err == nil {
			answer.Body.Close()
		}
		return nil, errDead
	}
	return answer, err
}

var errDead = errors.New("the process has died")
