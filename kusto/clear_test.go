package kusto

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// TestClearLanding: a commit empties the landing table of what came before the
// run's publication. A process that was paused and commits late, when another
// one has committed the run for it and goes on, leaves what that one has landed.
func TestClearLanding(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		landed := func() []string {
			return s.ask(ident(softwareTable.Landing()) + " | distinct BatchId | order by BatchId asc")
		}
		given := runOfTable(softwareTable, "20250101T000000.000-feed", "", tvmexport.FullRun)
		s.land(given, batch(given, 1, `{"DeviceId":"given up"}`))

		first := runOfTable(softwareTable, "20250101T010000.000-aaaa", "", tvmexport.FullRun)
		b := batch(first, 1, `{"DeviceId":"a"}`)
		s.land(first, b)
		p := publicationOf(first, b)
		_, err := s.client.Publish(s.Context(), p)
		s.must(err)
		c := tvmexport.Commit{Run: first, Owner: newOwner(), Rows: p.Rows, Partitions: p.Partitions}
		time.Sleep(time.Minute)
		s.must(s.client.Commit(s.Context(), c))
		if got := landed(); len(got) != 0 {
			s.Errorf("after the commit the landing table holds %v", got)
		}

		second := runOfTable(softwareTable, "20250101T020000.000-bbbb", string(first.ID), tvmexport.FullRun)
		s.land(second, batch(second, 1, `{"DeviceId":"b"}`))
		s.must(s.client.Commit(s.Context(), c))
		if diff := cmp.Diff([]string{fmt.Sprintf("%s.0001", second.ID)}, landed()); diff != "" {
			s.Errorf("the landing table after a late commit (-want +got):\n%s", diff)
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
