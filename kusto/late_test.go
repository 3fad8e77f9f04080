package kusto

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// TestEmulatorLateInBoth: both published tables get the same late rows: those that
// readers lack, each as often as it is missing.
func TestEmulatorLateInBoth(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(eventsTable)
		run1 := runOfTable(eventsTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.DeltaRun)
		s.export(run1, batch(run1, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"b"}`))
		run2 := runOfTable(eventsTable, "20261123T060000Z-bbbbbbbbbbbb", string(run1.ID), tvmexport.DeltaRun)
		late := batch(run2, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`, `{"Timestamp":"2026-11-23T04:10:00Z","DeviceId":"c"}`,
			`{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"b"}`, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"b"}`)
		s.land(run2, late)
		w := tvmexport.Window{From: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)}
		lacking, err := s.client.CountMissing(s.Context(), run2, []tvmexport.BatchInfo{{ID: late.ID, Slice: tvmexport.Slice{Window: w}}})
		s.must(err)
		if lacking[late.ID] != 2 {
			s.Errorf("missing rows %v, want 2", lacking)
		}
		p := publicationOf(run2, late)
		p.Rows, p.Steps[0].Rows, p.Steps[0].Late = 2, 2, &w
		for range 2 { // the second time it is found done
			out, err := s.client.Publish(s.Context(), p)
			s.must(err)
			if out.Rows != 2 {
				s.Errorf("%d rows were published, want 2", out.Rows)
			}
		}
		s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: run2, Owner: "o", Rows: 2}))
		for _, of := range []string{"DeviceProcessEvents", "DeviceProcessEventsTyped", "DeviceProcessEventsRaw | extend DeviceId = tostring(Records.DeviceId)"} {
			if d := cmp.Diff("a b b c", strings.Join(s.ask(of+" | project DeviceId | order by DeviceId asc"), " ")); d != "" {
				s.Errorf("%s (-want +got):\n%s", of, d)
			}
		}
	})
}
