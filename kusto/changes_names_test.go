package kusto

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// A column that is called like one of Changes keeps its values under a name of
// its own.
func TestChangesOfColumnsWithItsOwnNames(t *testing.T) {
	for _, load := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental} {
		onStage(t, func(s stage) {
			table := softwareTable
			table.LoadType, table.NaturalKey = load, []string{"DeviceId"}
			table.Columns = []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "At", Type: "string"}, {Name: "Before", Type: "long"}}
			if load != tvmexport.Snapshot {
				table.Watermark = tvmexport.IngestionTime
			}
			s.setUp(table)
			first := runOfTable(table, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
			s.export(first, batch(first, 1, `{"DeviceId":"3f01","At":"home","Before":1}`))
			second := runOfTable(table, "20261123T060000Z-bbbbbbbbbbbb", string(first.ID), tvmexport.FullRun)
			if load != tvmexport.Snapshot {
				second.Kind = tvmexport.DeltaRun
			}
			s.export(second, batch(second, 1, `{"DeviceId":"3f01","At":"work","Before":2}`))
			times := s.ask(`ExportRuns | where RunId == "` + string(first.ID) + `" and State == "committed" | summarize min(At) | project tostring(min_At)`)
			rows := s.ask(`DeviceTvmSoftwareInventoryChanges(datetime(` + times[0] + `), now()) | where RunId == "` + string(second.ID) + `" | project strcat_delim("|", Change, At_, Before_, tostring(isnotnull(At)), tostring(Before.At))`)
			if len(rows) != 1 || !strings.Contains(rows[0], "|work|2|True|") {
				s.Errorf("%s: %q", load, rows)
			}
		})
	}
}
