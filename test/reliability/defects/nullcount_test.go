package defects_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// TestNullCountsDecideNothing: a null in the count of what readers lack is not
// taken for zero, which would leave late rows out of a run that succeeds.
func TestNullCountsDecideNothing(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		rows := rowsFrom("ab", 50, day(r))
		r.export(rows, day(r).Add(time.Hour))
		rows = append(rows, row("cd", 1, day(r).Add(30*time.Minute)))
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(2*time.Hour + r.exporter.Lag))
		r.fault(faults.Rule{Endpoint: faults.KustoQuery, Match: "sum(Lack)", Values: "null"})
		if result, err := r.try(); err != nil || result.Err == nil {
			t.Errorf("the run succeeds (%v)", err)
		}
		r.emulator.Faults().Clear()
		time.Sleep(time.Hour)
		r.run()
		r.agrees(rows)
	})
}
