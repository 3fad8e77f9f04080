package defects_test

import (
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
)

var grid = flag.Bool("grid", false, "take rows at each moment of a run, and let it die at each moment after it")

// TestPublishedRowsTakenInMidRun takes published rows away at a moment of a run,
// which ends by itself or dies. No later run doubles a row, and after each one
// that succeeds readers see every row once. The race detector sees a part of the
// stories: they differ in what is there, not in what happens at the same time.
func TestPublishedRowsTakenInMidRun(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	var cases sample
	for _, load := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental, tvmexport.FullThenIncr} {
		for _, layout := range []tvmexport.Layout{tvmexport.RawOnly, tvmexport.TypedOnly, tvmexport.Both} {
			if load == tvmexport.FullThenIncr && layout != tvmexport.Both && !*grid {
				continue
			}
			for _, taken := range takings(layout) {
				for _, m := range moments() {
					if !cases.takes() {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%s", load, layout, taken.name, m), func(t *testing.T) {
						midRun(t, load, layout, taken, m)
					})
				}
			}
		}
	}
}

// when is when rows are taken and when the run dies: before which of its
// publishing commands and its commit, counted from 1.
type when struct {
	at   int
	dies int  // 0: it ends by itself
	late bool // the run also publishes late rows
}

func (w when) String() string {
	return fmt.Sprintf("taken before step %d, death before step %d, late rows %t", w.at, w.dies, w.late)
}

func moments() (out []when) {
	if !*grid {
		return []when{{at: 1}, {at: 2, dies: 2}, {at: 2, late: true}}
	}
	for at := 1; at <= 8; at++ {
		for dies := range 9 {
			if dies == 0 || dies >= at {
				out = append(out, when{at, dies, false}, when{at, dies, true})
			}
		}
	}
	return out
}

// TestLossesAfterAPublicationIsFinished: a run whose commit is refused has
// published its rows after those of earlier runs were taken away. The next run
// finishes it, sees its rows among those that are there, and adds what is
// missing; it does not start over as if nothing were left.
func TestLossesAfterAPublicationIsFinished(t *testing.T) {
	for _, layout := range []tvmexport.Layout{tvmexport.RawOnly, tvmexport.TypedOnly, tvmexport.Both} {
		t.Run(string(layout), func(t *testing.T) {
			if layout != tvmexport.TypedOnly && testing.Short() {
				t.Skip("-short: one layout is enough; make test runs the others")
			}
			choose(t, tvmexport.Incremental, func(r *rig) {
				r.fault(faults.Rule{Endpoint: faults.KustoMgmt, Match: `State = "committed"`, After: 2, Status: http.StatusBadRequest})
				rows, report, _ := r.disturbed(layout, takings(layout)[0], when{at: 1})
				if report.Outcomes[0].Err == nil {
					t.Fatal("the commit was not refused")
				}
				r.emulator.Faults().Clear()
				time.Sleep(2 * time.Hour)
				result := r.run()
				if said := strings.Join(result.Notes, "\n"); result.Run.Kind != tvmexport.DeltaRun || result.Finished != 80 || !strings.Contains(said, "holds 80 of 210 rows of committed runs") {
					t.Errorf("a %s run that finished %d rows and says %q", result.Run.Kind, result.Finished, said)
				}
				r.once("after it", rows)
			})
		})
	}
}

// taking takes published rows away.
type taking struct {
	name     string
	commands []string
}

func takings(layout tvmexport.Layout) []taking {
	raw, typed := ".clear table "+events+"Raw data", ".clear table "+events+"Typed data"
	part := func(kind string) string {
		return fmt.Sprintf(".drop extents <| .show table %s%s extents | where MinCreatedOn < ago(30m)", events, kind)
	}
	switch layout {
	case tvmexport.RawOnly:
		return []taking{{"all", []string{raw}}, {"a part", []string{part("Raw")}}}
	case tvmexport.TypedOnly:
		return []taking{{"all", []string{typed}}, {"a part", []string{part("Typed")}}}
	}
	return []taking{
		{"all", []string{raw, typed}},
		{"a part", []string{part("Raw"), part("Typed")}},
		{"Raw alone", []string{raw}},
		{"Typed alone", []string{typed}},
	}
}

// midRun is one story of TestPublishedRowsTakenInMidRun.
func midRun(t *testing.T, load tvmexport.LoadType, layout tvmexport.Layout, taken taking, m when) {
	choose(t, load, func(r *rig) {
		rows, report, came := r.disturbed(layout, taken, m)
		if !came {
			if !*grid {
				t.Errorf("%s: the run has fewer steps", m)
			}
			return
		}
		story := fmt.Sprintf("%s: %q", m, outcomes(report))
		r.noneDoubled(story)
		succeeded := 0
		for range 3 {
			time.Sleep(2 * time.Hour)
			result, err := r.try()
			r.must(err)
			story += fmt.Sprintf("\n%s %v %q", result.Run.Kind, result.Err, result.Notes)
			if result.Err == nil {
				succeeded++
				r.once(story, rows)
				continue
			}
			r.obey(result.Err)
			r.noneDoubled(story)
		}
		if succeeded < 2 {
			r.Errorf("only %d runs succeeded: %s", succeeded, story)
		}
	})
}

// obey does what the code of an error asks for.
func (r *rig) obey(err error) {
	r.Helper()
	switch tvmexport.CodeOf(err) {
	case tvmexport.TypedRowsLost:
		_, err := r.client.Backfill(r.Context(), r.table)
		r.must(err)
	case tvmexport.PublishedRowsLost, tvmexport.DestinationChanged:
		result, err := r.ask(r.Context(), engine.Request{Full: true})
		r.must(err)
		r.must(result.Err)
	}
}
