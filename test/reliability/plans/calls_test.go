package plans_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/engine"
)

// Calls are scarcer than rows: a tenant may make 45 a minute. The nine tables of a
// tenant of 200 devices are planned together, so that a run takes few calls besides
// those that fetch rows. The calls are those that the emulated service has counted.
func TestCallsOfATenant(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 200, catalog.Default()...)
		r.exporter.Limits = tvmexport.Limits{} // the documented ones
		for _, story := range []struct {
			name  string
			days  int
			whole bool
			most  int // besides one for each table that changed
		}{
			{"a first run", 0, true, 12},
			{"nothing has changed", 0, false, 3},
			{"a day later", 1, false, 3},
			{"the next day", 1, false, 3},
		} {
			r.emulator.Tenant().Advance(story.days)
			before := r.calls()
			report, err := r.exporter.Run(t.Context(), engine.Request{})
			must(t, err)
			calls, counted, most := r.calls()-before, 0, story.most
			for _, o := range report.Outcomes {
				must(t, o.Err)
				counted += o.Calls
				if !story.whole && o.Rows > 0 {
					most++
				}
			}
			t.Logf("%-20s %d calls, at most %d; %s", story.name, calls, most, report.Took)
			if calls > most || counted != calls-1 { // the call for the schemas belongs to no table
				t.Errorf("%s: %d calls, want at most %d; the results have %d", story.name, calls, most, counted)
			}
			time.Sleep(2 * time.Hour)
		}
		before := r.calls()
		list, err := r.exporter.Verify(t.Context(), nil, "")
		must(t, err)
		for _, c := range list {
			must(t, c.Err)
			if len(c.Differences) > 0 {
				t.Errorf("%s differs: %v", c.Table.Name, c.Differences)
			}
		}
		if n := r.calls() - before; n > 2 {
			t.Errorf("a comparison takes %d calls", n)
		}
	})
}

// One table that the service does not know costs no more than a call at each
// question, and changes nothing for the others.
func TestCallsWithATableThatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 5, catalog.Default()...)
		r.exporter.Limits = tvmexport.Limits{}
		r.emulator.Services().Faults().Clear() // the delay, which is found first
		_, err := r.emulator.Inject(emulatortest.Fault{
			Endpoint: "graph", Match: "DeviceTvmCertificateInfo", Status: 400,
			Body: `{"error":{"code":"BadRequest","message":"'union' operator: Failed to resolve table or column expression named 'DeviceTvmCertificateInfo'. Fix semantic errors in your query."}}`,
		})
		must(t, err)
		before := r.calls()
		report, err := r.exporter.Run(t.Context(), engine.Request{})
		must(t, err)
		for _, o := range report.Outcomes {
			if failed := o.Err != nil; failed != (o.Table.Name == "DeviceTvmCertificateInfo") {
				t.Errorf("%s: %v", o.Table.Name, o.Err)
			}
		}
		if n := r.calls() - before; n > 13 { // two for the schemas, three for the counts, eight for rows
			t.Errorf("%d calls", n)
		}
	})
}
