package defects_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
)

// raised writes the number of a stored shape as a newer program does.
const raised = `.set-or-append ExportRuns <| print Table = "", RunId = "", State = "shape", At = now(), Previous = "", Kind = "", LoadType = "",
    WatermarkFrom = datetime(null), Watermark = datetime(null), Rows = long(null), Bytes = long(null), Calls = long(null),
    Owner = "v9.9.9", Expires = datetime(null), Detail = dynamic({"shape": 9})`

// TestNewerProgramInMidRun raises the number of the stored shape before each command
// by which a run appends rows. From then on the run adds no row to a control table,
// and publishes nothing unless it has claimed its base before. The next run of a
// program that understands what is there takes it up without a loss.
func TestNewerProgramInMidRun(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, load := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental} {
		t.Run(string(load), func(t *testing.T) {
			reached := true
			for n := 1; reached; n++ {
				t.Run(fmt.Sprintf("before command %d", n), func(t *testing.T) {
					choose(t, load, func(r *rig) { reached = r.newerBefore(n) })
				})
			}
		})
	}
}

// newerBefore is one story of TestNewerProgramInMidRun. It is false if the run sends
// fewer commands.
func (r *rig) newerBefore(n int) bool {
	began := day(r).Add(-3 * time.Hour)
	rows := append(rowsFrom("ab", 50, began), rowsFrom("cd", 50, began)...)
	r.export(rows, began.Add(time.Hour))
	time.Sleep(time.Hour)
	rows = append(rows, rowsFrom("12", 30, began.Add(61*time.Minute))...)
	r.source.Set(events, rows)
	r.source.SetNow(began.Add(4*time.Hour + r.exporter.Lag))

	control := func() []string {
		return r.rows("landed", "union withsource = Of ExportRuns, ExportPartitions, MigrationConfiguration, MigrationAuditLog | summarize Rows = count() by Of")
	}
	published := func() []string { return r.rows("landed", events+"Raw | summarize Rows = count()") }
	var before, visible []string
	var claimed, committed bool
	var seen atomic.Int64 // some commands are sent at once
	r.emulator.Faults().Observe(func(e faults.Event) {
		if e.Done || e.Endpoint != faults.KustoMgmt || !strings.Contains(e.Text, ".set-or-append") {
			return
		}
		if seen.Add(1) != int64(n) {
			return
		}
		r.asAdmin(raised)
		before, visible = control(), published()
		const own = `ExportRuns | where Previous != "" and State == `
		claimed = len(r.rows("landed", own+`"publishing"`)) > 0
		committed = len(r.rows("landed", own+`"committed"`)) > 0
	})
	report, err := r.exporter.Run(r.Context(), engine.Request{})
	r.emulator.Faults().Observe(func(faults.Event) {})
	if seen.Load() < int64(n) {
		r.must(err)
		return false
	}
	if !committed && tvmexport.CodeOf(err) != tvmexport.NewerShape {
		r.Errorf("the run ends with %v %q, want that it names the version to use", err, outcomes(report))
	}
	if after := control(); !slices.Equal(before, after) {
		r.Errorf("the control tables have %q, and before %q", after, before)
	}
	if after := published(); !claimed && !slices.Equal(visible, after) {
		r.Errorf("the published table has %q, and before %q", after, visible)
	}

	r.asAdmin(`.delete table ExportRuns records <| ExportRuns | where State == "shape" and tolong(Detail.shape) == 9`)
	time.Sleep(10 * time.Minute)
	r.run()
	r.agrees(rows)
	return true
}
