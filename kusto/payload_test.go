package kusto

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
)

// TestEmulatorRawData: the published table is somebody else's, calls the record
// RawData, and has a column for the watermark, which is filled from the record.
func TestEmulatorRawData(t *testing.T) {
	onStage(t, func(s stage) {
		_, err := s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: ".create table DeviceProcessEventsRaw (Timestamp:datetime, RawData:dynamic)"})
		s.must(err)
		s.setUp(eventsTable)
		run1 := runOfTable(eventsTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.DeltaRun)
		s.export(run1, batch(run1, 1,
			`{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`, `{"Timestamp":"2026-11-23T04:30:00.1234567Z","DeviceId":"b"}`))
		got := s.ask(`DeviceProcessEventsRaw | order by Timestamp asc | project strcat(Timestamp, " ", RawData.DeviceId)`)
		if diff := cmp.Diff([]string{"2026-11-23T04:00:00.0000000Z a", "2026-11-23T04:30:00.1234567Z b"}, got); diff != "" {
			s.Errorf("published rows (-want +got):\n%s", diff)
		}
		if got := s.ask("DeviceProcessEvents | project DeviceId | order by DeviceId asc"); strings.Join(got, " ") != "a b" {
			s.Errorf("readers see %q", got)
		}
		w := tvmexport.Window{To: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)}
		hours, err := s.client.HourlyCounts(s.Context(), eventsTable, w)
		s.must(err)
		if len(hours) != 1 || hours[0].Rows != 2 {
			s.Errorf("hours %+v, want one of 2 rows", hours)
		}

		// Of late rows those come in that readers lack.
		run2 := runOfTable(eventsTable, "20261123T060000Z-bbbbbbbbbbbb", string(run1.ID), tvmexport.DeltaRun)
		late := batch(run2, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`, `{"Timestamp":"2026-11-23T04:10:00Z","DeviceId":"c"}`)
		s.land(run2, late)
		lacking, err := s.client.CountMissing(s.Context(), run2, []tvmexport.BatchInfo{{ID: late.ID, Slice: tvmexport.Slice{Window: w}}})
		s.must(err)
		if lacking[late.ID] != 1 {
			s.Errorf("missing rows %v, want 1", lacking)
		}
		p := tvmexport.Publication{Run: run2, Rows: 1, Steps: []tvmexport.PublicationStep{{Batches: []tvmexport.BatchID{late.ID}, Rows: 1, Late: &w}}}
		out, err := s.client.Publish(s.Context(), p)
		s.must(err)
		s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: run2, Owner: "o", Rows: out.Rows}))
		if got := s.ask("DeviceProcessEvents | project DeviceId | order by DeviceId asc"); strings.Join(got, " ") != "a b c" {
			s.Errorf("readers see %q", got)
		}
	})
}
