package kusto

import (
	"errors"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

func TestRunsAndTheirRecords(t *testing.T) {
	onStage(t, func(s stage) {
		table := tvmexport.Table{Name: "DeviceTvmSoftwareInventory", Destination: "DeviceTvmSoftwareInventoryRaw", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"}}
		s.setUp(table)
		previous := tvmexport.RunID("")
		for i, id := range []tvmexport.RunID{"R1", "R2", "R3"} {
			run := tvmexport.Run{ID: id, Previous: previous, Table: table, Kind: tvmexport.FullRun, StartedAt: time.Now().UTC()}
			time.Sleep(time.Minute)
			s.must(s.client.Commit(s.Context(), tvmexport.Commit{
				Run: run, Owner: "one", Rows: int64(10 * (i + 1)), Bytes: 100, Calls: 2,
				Partitions: []tvmexport.PartitionRecord{{Partition: "a", Rows: 4}, {Partition: "b", Rows: 6}},
			}))
			previous = id
		}
		s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: "one", Outcomes: []tvmexport.Outcome{{Table: table.Name, Run: "R3", Rows: 30}}}))
		time.Sleep(time.Minute)
		s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: "two", Outcomes: []tvmexport.Outcome{{Table: table.Name, Run: "R4", Err: errors.New("out of luck")}}}))

		now, runs, err := s.client.Reports().Runs(s.Context(), 3)
		s.must(err)
		if len(runs) != 3 || now.IsZero() {
			s.Fatalf("%d runs at %s: %+v", len(runs), now, runs)
		}
		if r := runs[0]; r.Committed || r.Run != "R4" || r.Reason != "out of luck" || r.Owner != "two" {
			s.Errorf("the failed run is %+v", r)
		}
		if r := runs[1]; !r.Committed || r.Run != "R3" || r.Previous != "R2" || r.Rows != 30 || r.Calls != 2 || r.At.Sub(r.Began).Round(time.Second) != time.Minute {
			s.Errorf("the last commit is %+v", r)
		}
		rows, parts, err := s.client.Reports().Record(s.Context(), table.Name, "R3")
		s.must(err)
		if len(rows) != 2 || rows[0].State != kql.CommittedState || rows[1].State != kql.EndedState || len(parts) != 2 || parts[1].Rows != 6 {
			s.Errorf("the record of R3 is %+v with %+v", rows, parts)
		}
		if rows, _, err := s.client.Reports().Record(s.Context(), table.Name, "nobody"); err != nil || rows != nil {
			s.Errorf("of a run that never was: %+v, %v", rows, err)
		}
		if _, _, err := s.client.Reports().Record(s.Context(), "x | take 1", "R3"); tvmexport.CauseOf(err) != tvmexport.Usage {
			s.Errorf("a name that is none: %v", err)
		}
	})
}
