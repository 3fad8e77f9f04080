package kusto

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// Rows that a policy hides since the policies were last read are not taken for
// rows that are gone.
func TestHiddenRowsAreNotLosses(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(eventsTable)
		run := runOfTable(eventsTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.DeltaRun)
		s.export(run, batch(run, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"b"}`))
		tables := []tvmexport.Table{eventsTable}
		history := func() (tvmexport.Losses, error) {
			h, err := s.client.History(s.Context(), tables)
			return h[eventsTable.Name].Losses, err
		}
		if l, err := history(); err != nil || l.Any() {
			t.Fatal(l, err)
		}
		secured(s, eventsTable.Typed(), "false")
		_, err := history()
		if want := "the policy row_level_security of table " + eventsTable.Typed() + " hides 2 of its 2 rows"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		s.mustAdmin(".delete table " + eventsTable.Typed() + " policy row_level_security")
		s.mustAdmin(".clear table " + eventsTable.Typed() + " data")
		time.Sleep(2 * visibility.HidingAge)
		if l, err := history(); err != nil || l.Rows != 2 {
			t.Errorf("of a cleared table %v, %v; want 2 rows", l, err)
		}
	})
}
