package kusto

import (
	"errors"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// TestAuditCountsRowsOfARevivedInvocation: an invocation pauses until its lease has
// expired, and another one writes its audit. Then it goes on and commits. The next
// audit of the table counts its rows.
func TestAuditCountsRowsOfARevivedInvocation(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(eventsTable)
		end := func(run tvmexport.Run, rows int64, err error) {
			s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{
				Owner: string(run.ID), Tables: []tvmexport.Table{eventsTable},
				Outcomes: []tvmexport.Outcome{{Table: eventsTable.Name, Run: run.ID, Rows: rows, Err: err, At: time.Now()}},
			}))
			time.Sleep(time.Minute)
		}
		paused := runOfTable(eventsTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		end(paused, 0, errors.New("its process terminated unexpectedly"))
		s.export(paused, batch(paused, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`, `{"Timestamp":"2026-11-23T04:00:01Z","DeviceId":"a"}`))
		end(paused, 2, nil)
		next := runOfTable(eventsTable, "20261123T060000Z-bbbbbbbbbbbb", string(paused.ID), tvmexport.DeltaRun)
		s.export(next, batch(next, 1, `{"Timestamp":"2026-11-23T05:00:00Z","DeviceId":"b"}`))
		end(next, 1, nil)
		last := runOfTable(eventsTable, "20261123T070000Z-cccccccccccc", string(next.ID), tvmexport.DeltaRun)
		s.export(last, batch(last, 1, `{"Timestamp":"2026-11-23T06:00:00Z","DeviceId":"c"}`))
		end(last, 1, nil)
		if got := s.ask(kql.AuditTable + " | order by Timestamp asc | project strcat(Status, ' ', RecordCount)"); len(got) != 3 || got[0] != "Failed 0" || got[1] != "Success 3" || got[2] != "Success 1" {
			s.Errorf("audit %q, want Failed 0, Success 3, Success 1", got)
		}
		if got := s.ask(kql.RunsTable + " | where State == 'audited' | summarize count() by Owner | where count_ > 1 | count"); got[0] != "0" {
			s.Errorf("%s invocations have more than one audited row", got[0])
		}
	})
}

// TestAuditOfAnInvocationWhoseLeasesAreDeleted: an invocation commits and dies, and
// somebody deletes its leases. Its commit still names it, so its audit is pending.
func TestAuditOfAnInvocationWhoseLeasesAreDeleted(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(eventsTable)
		run := runOfTable(eventsTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		_, err := s.client.Acquire(s.Context(), tvmexport.Lease{Owner: string(run.ID), Tables: []tvmexport.Table{eventsTable}, Term: time.Minute})
		s.must(err)
		s.export(run, batch(run, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`))
		s.mustAdmin(".delete table ExportRuns records <| ExportRuns | where State == 'lease'")
		pending, err := s.client.PendingAudits(s.Context(), "another")
		s.must(err)
		if len(pending) != 1 || pending[0].Owner != string(run.ID) || len(pending[0].Outcomes) != 1 {
			t.Fatalf("pending audits: %+v", pending)
		}
		if o := pending[0].Outcomes[0]; o.Table != eventsTable.Name || o.Run != run.ID || o.Rows != 1 || o.Err != nil {
			t.Errorf("outcome %+v", o)
		}
		s.must(s.client.EndInvocation(s.Context(), pending[0]))
		time.Sleep(time.Minute)
		if pending, err = s.client.PendingAudits(s.Context(), "another"); err != nil || len(pending) != 0 {
			t.Errorf("after its audit: %+v, %v", pending, err)
		}
	})
}
