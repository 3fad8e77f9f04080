package kusto

import (
	"errors"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// TestClearLanding: a commit empties the landing table of the rows from before the
// run's publication, of every run.
func TestClearLanding(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		left := runOfTable(softwareTable, "20250101T000000.000-left", "", tvmexport.FullRun)
		s.land(left, batch(left, 1, `{"DeviceId":"given up"}`))
		run := runOfTable(softwareTable, "20250101T010000.000-aaaa", "", tvmexport.FullRun)
		s.export(run, batch(run, 1, `{"DeviceId":"a"}`))
		if got := s.ask(kql.Ident(softwareTable.Landing()) + " | distinct BatchId"); len(got) != 0 {
			s.Errorf("after the commit the landing table holds %v", got)
		}
	})
}

// TestOutrun: a run that waits for batches which another's commit has cleared
// away learns that the other one holds its base, and waits no longer.
func TestOutrun(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		waiting := runOfTable(softwareTable, "20250101T010000.000-wait", "", tvmexport.FullRun)
		s.must(s.admin.Land(s.Context(), batch(waiting, 1, `{"DeviceId":"w"}`)))
		_, err := s.admin.Landed(s.Context(), waiting)
		s.must(err)
		other := runOfTable(softwareTable, "20250101T020000.000-fast", "", tvmexport.FullRun)
		time.Sleep(time.Minute)
		s.export(other, batch(other, 1, `{"DeviceId":"f"}`))
		d, err := s.admin.Landed(s.Context(), waiting)
		if !errors.Is(err, tvmexport.ErrSuperseded) {
			t.Errorf("the run that waits sees %v, %v", d, err)
		}
	})
}
