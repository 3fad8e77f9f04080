package kusto

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// TestAuditIsTheOriginals: a row has the name of the published table and the end of the
// table's run. An int holds no larger number than it can, and the reason says so; a long
// of an earlier version holds it.
func TestAuditIsTheOriginals(t *testing.T) {
	const many = int64(3_000_000_000)
	for name, c := range map[string]struct{ made, count, reason string }{
		"made by init":               {"", "2147483647", "3000000000 rows were published, more than RecordCount can hold"},
		"made by the original":       {"RecordCount:int", "2147483647", "3000000000 rows were published, more than RecordCount can hold"},
		"made by an earlier version": {"RecordCount:long", "3000000000", ""},
		"made with another column":   {"RecordCount:int, Extra:string", "2147483647", "3000000000 rows were published, more than RecordCount can hold"},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(s stage) {
				if c.made != "" {
					s.asAdmin(".create table MigrationAuditLog (TableName:string, Timestamp:datetime, Status:string, FailureReason:string, " + c.made + ")")
				}
				s.setUp(eventsTable)
				run := tvmexport.Run{ID: "R1", Table: eventsTable, Kind: tvmexport.FullRun, StartedAt: time.Now().UTC()}
				s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: run, Owner: "one", Rows: many, Partitions: []tvmexport.PartitionRecord{{Rows: many}}}))
				s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: "one", Outcomes: []tvmexport.Outcome{
					{Table: eventsTable.Name, Into: eventsTable.Destination, Run: run.ID, Rows: many, At: time.Now().Add(-time.Hour)},
					{Table: softwareTable.Name, Into: "Elsewhere", Err: errors.New("refused\nby the source"), At: time.Now()},
				}}))
				got := s.ask(kql.AuditTable + " | order by Timestamp asc | project strcat_delim('|', TableName, Status, RecordCount, FailureReason)")
				want := []string{"DeviceProcessEventsRaw|Success|" + c.count + "|" + c.reason, "Elsewhere|Failed|0|refused by the source"}
				if !slices.Equal(got, want) {
					s.Errorf("audit %q, want %q", got, want)
				}
				if got := s.ask(kql.AuditTable + " | summarize (max(Timestamp) - min(Timestamp)) / 1m"); got[0] != "60" {
					s.Errorf("the ends of the two runs are %s minutes apart, want 60", got[0])
				}
			})
		})
	}
}

// TestAuditNamesOfEarlierVersions: rows under the source's name are read too, and an
// invocation that died is audited under the name that the configuration says.
func TestAuditNamesOfEarlierVersions(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(eventsTable)
		row := func(name, reason string) {
			s.Helper()
			s.asAdmin(".set-or-append MigrationAuditLog <| print TableName = " + kql.Literal(name) + ", Timestamp = now(), Status = 'Failed', FailureReason = " + kql.Literal(reason) + ", RecordCount = int(0)")
			time.Sleep(time.Minute)
		}
		last := func(want string) {
			s.Helper()
			status, err := s.client.Reports().Status(s.Context())
			s.must(err)
			if a := status.Tables[0].Audit; a == nil || a.Reason != want {
				s.Errorf("the last row is %+v, want %q", a, want)
			}
		}
		row(eventsTable.Name, "of an earlier version")
		last("of an earlier version")
		row(eventsTable.Destination, "of this version")
		last("of this version")
		row(eventsTable.Name, "of an earlier version again")
		last("of an earlier version again")

		s.asAdmin(`.set-or-append MigrationConfiguration <| MigrationConfiguration | extend DestinationTable = " Elsewhere\n"`)
		_, err := s.client.Acquire(s.Context(), tvmexport.Lease{Owner: "dead", Tables: []tvmexport.Table{eventsTable}, Term: time.Minute})
		s.must(err)
		time.Sleep(time.Hour)
		pending, err := s.client.PendingAudits(s.Context(), "another")
		s.must(err)
		for _, p := range pending {
			s.must(s.client.EndInvocation(s.Context(), p))
		}
		if got := s.ask(kql.AuditTable + " | where TableName !startswith 'DeviceProcessEvents' | project strcat(TableName, ' ', FailureReason)"); len(got) != 1 || !strings.HasPrefix(got[0], "Elsewhere the run was interrupted") {
			s.Errorf("the audit of the dead invocation is %q", got)
		}
	})
}
