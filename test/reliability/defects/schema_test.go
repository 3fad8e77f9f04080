package defects_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// The source's schema changes between two answers of a run: the run starts over,
// and every row has the columns of the new schema.
func TestSchemaThatChangesBetweenAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for name, d := range map[string]emulator.Drift{
		"added":               {Add: &emulator.NewColumn{Name: "AssetTag", Type: "string"}},
		"with a name of ours": {Add: &emulator.NewColumn{Name: "RunId", Type: "string"}},
		"dropped":             {Drop: "SoftwareVersion"},
		"of another type":     {Retype: &emulator.NewColumn{Name: "SoftwareVersion", Type: "dynamic"}},
	} {
		for _, after := range []int{1, 3} {
			if after > 1 && name != "added" {
				continue
			}
			t.Run(name, func(t *testing.T) {
				tenant(t, 2*time.Hour, func(r *rig) {
					answers := 0
					r.exporter.Hooks.Fetched = func(tvmexport.Run, tvmexport.Slice, tvmexport.Answer) {
						if answers++; answers == after {
							_, err := r.emulator.Tenant().Drift(inventory, d)
							r.must(err)
						}
					}
					result := r.run()
					if said := strings.Join(result.Notes, "; "); !strings.Contains(said, "the run started over: the schema of the source changed while the table was read") {
						t.Error(said)
					}
					r.agrees(nil)
				})
			})
		}
	}
}

// Answers to counts are corrupted in every way, on the first run and later: the
// run fails or is right. The race detector sees a part of the ways.
func TestCorruptCounts(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	var cases sample
	for _, way := range []struct {
		name string
		rule faults.Rule
	}{
		{"without rows", faults.Rule{DropRows: 1000}},
		{"one row less", faults.Rule{DropRows: 1}},
		{"three less", faults.Rule{DropRows: 3}},
		{"repeated", faults.Rule{RepeatRows: 2}},
		{"null", faults.Rule{Values: "null"}},
		{"of other type", faults.Rule{Values: "retyped"}},
		{"null results", faults.Rule{Status: 200, Body: `{"schema":null,"results":null}`}},
		{"no results", faults.Rule{Status: 200, Body: `{"schema":[],"results":[]}`}},
	} {
		for _, match := range []string{"summarize Rows = count()", "| take 0"} {
			if !cases.takes() {
				continue
			}
			rule := way.rule
			t.Run(way.name+" of "+match, func(t *testing.T) {
				tenant(t, 2*time.Hour, func(r *rig) {
					spoiled := func() {
						rule.Endpoint, rule.Match = faults.Graph, match
						r.fault(rule)
						if result, err := r.try(); err != nil || tvmexport.CauseOf(result.Err) != tvmexport.Integrity || r.emulator.Faults().List()[0].Hits == 0 {
							t.Fatalf("%d rows, %v, %v", result.Rows, result.Err, err)
						}
						r.emulator.Faults().Clear()
					}
					if rule.DropRows > 1 { // on the first run, too
						spoiled()
					}
					r.run()
					r.emulator.Tenant().Advance(1)
					spoiled()
					r.run()
					r.agrees(nil)
				})
			})
		}
	}
}
