package kusto

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// A second commit record of an older run does not make it the newest one: the
// next run builds on the run that readers see as the newest.
func TestARunThatIsCommittedTwice(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(eventsTable)
		run1 := runOfTable(eventsTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		s.export(run1, batch(run1, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`))
		run2 := runOfTable(eventsTable, "20261123T060000Z-bbbbbbbbbbbb", string(run1.ID), tvmexport.DeltaRun)
		s.export(run2, batch(run2, 1, `{"Timestamp":"2026-11-23T05:00:00Z","DeviceId":"b"}`))
		names := make([]string, len(kql.RunsColumns))
		for i, c := range kql.RunsColumns {
			names[i] = c.Name
		}
		time.Sleep(time.Hour)
		s.mustAdmin(".set-or-append ExportRuns <| ExportRuns | where RunId == '" + string(run1.ID) + "' and State == 'committed' | extend At = now() | project " + strings.Join(names, ", "))
		h, err := s.client.History(s.Context(), []tvmexport.Table{eventsTable})
		s.must(err)
		last := h[eventsTable.Name].Last
		if last == nil || last.ID != run2.ID {
			t.Fatalf("the newest run is %+v, want %s", last, run2.ID)
		}
		run3 := runOfTable(eventsTable, "20261123T070000Z-cccccccccccc", string(last.ID), tvmexport.DeltaRun)
		s.export(run3, batch(run3, 1, `{"Timestamp":"2026-11-23T06:00:00Z","DeviceId":"c"}`))
		if got := s.ask("DeviceProcessEvents | project DeviceId | order by DeviceId asc"); len(got) != 3 {
			t.Errorf("readers see %q, want three rows", got)
		}
	})
}
