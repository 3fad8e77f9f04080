package ledger

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

func TestOrder(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	row := func(source, into, watermark, load string) Configured {
		return Configured{Source: source, Destination: into, Watermark: watermark, Load: load, Active: true}
	}
	for _, c := range []struct {
		name string
		row  Configured
		want tvmexport.Order
		err  string
	}{
		{"snapshot", row("T", "TRaw", "None", "Snapshot"), tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Snapshot, Active: true}, ""},
		{"increment", Configured{Source: "T", Destination: "TRaw", Watermark: "Timestamp", Load: "Incr", Refreshed: at, Active: false}, tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Incremental, Column: "Timestamp", From: at}, ""},
		{"a time of it as a snapshot", Configured{Source: "T", Destination: "TRaw", Watermark: "Timestamp", Load: "incr", Refreshed: at, Active: true, OfState: true}, tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Incremental, Column: "Timestamp", Active: true}, ""},
		{"a snapshot's own time", Configured{Source: "T", Destination: "TRaw", Load: "snapshot", Refreshed: at, Active: true, OfState: true}, tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Snapshot, From: at, Active: true}, ""},
		{"two times", Configured{Source: "T", Destination: "TRaw", Watermark: "Timestamp", Load: "Incr", Refreshed: at, Active: true, Untrue: true}, tvmexport.Order{
			Table: "T", Into: "TRaw", Load: tvmexport.Incremental, Column: "Timestamp", From: at, Active: true,
			Note: "LastRefreshedTimeInString and LastRefreshedTime in MigrationConfiguration say different times: LastRefreshedTime counts",
		}, ""},
		{"original full", row("T", "TRaw", "None", "Full"), tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.FullThenIncr, Active: true}, ""},
		{"no watermark column", row("T", "", " none ", "incr"), tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Incremental, Active: true}, ""},
		{"ingestion time", row("T", "TRaw", "Ingestion_Time()", "Incr"), tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Incremental, Column: tvmexport.IngestionTime, Active: true}, ""},
		{"empty load type", row("T", "TRaw", "", ""), tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Snapshot, Active: true}, ""},
		{"load type", row("T", "TRaw", "None", "Sometimes"), tvmexport.Order{Table: "T", Into: "TRaw", Active: true}, `"Sometimes"`},
		{"table", row("T | take 1; .drop table X", "TRaw", "None", "Snapshot"), tvmexport.Order{Table: "T | take 1; .drop table X", Into: "TRaw", Active: true}, "is not an identifier"},
		{"destination", row("T", "X] ; .drop", "None", "Snapshot"), tvmexport.Order{Table: "T", Into: "X] ; .drop", Active: true}, "is not an identifier"},
		{"watermark", row("T", "TRaw", "A, B", "Incr"), tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Incremental, Column: "A, B", Active: true}, "is not an identifier"},
		{"control table", row("T", "ExportRuns", "None", "Snapshot"), tvmexport.Order{Table: "T", Into: "ExportRuns", Active: true}, "is reserved for tvmexport"},
	} {
		got := Order(c.row)
		if c.err == "" && got.Err != nil || c.err != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), c.err) || tvmexport.CauseOf(got.Err) != tvmexport.Usage) {
			t.Errorf("%s: error %v, want %q", c.name, got.Err, c.err)
		}
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(tvmexport.Order{}, "Err")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestHistoryOfEntries(t *testing.T) {
	now := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	detail := func(run tvmexport.RunID) []byte {
		b, err := json.Marshal(tvmexport.Publication{Run: tvmexport.Run{ID: run, Previous: "r1"}, Rows: 9})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	table := tvmexport.Table{Name: "T", Destination: "TRaw"}
	commit := entry{Now: now, At: now.Add(-time.Hour), Table: "T", State: kql.CommittedState, Run: "r1", Kind: tvmexport.FullRun, Rows: 5, Bytes: 50, Watermark: now.Add(-2 * time.Hour)}
	last := &tvmexport.Committed{RunHeader: tvmexport.RunHeader{ID: "r1", Kind: tvmexport.FullRun}, At: now.Add(-time.Hour), Watermark: now.Add(-2 * time.Hour), Rows: 5, Bytes: 50}
	open := func(run tvmexport.RunID, at time.Time) entry {
		return entry{Now: now, At: at, Table: "T", State: kql.PublishingState, Run: run, Previous: "r1", Detail: detail(run)}
	}
	gaveUp := entry{Now: now, At: now, Table: "T", State: kql.AbandonedState, Run: "r2", Previous: "r1"}
	resume := func(run tvmexport.RunID) *tvmexport.Publication {
		return &tvmexport.Publication{Run: tvmexport.Run{ID: run, Previous: "r1", Table: table}, Rows: 9}
	}
	for _, c := range []struct {
		name    string
		entries []entry
		want    tvmexport.History
	}{
		{"nothing yet", []entry{{Now: now, Table: "T"}}, tvmexport.History{Now: now}},
		{"of another table", []entry{{Now: now, Table: "U", State: kql.CommittedState, Run: "u1"}, {Now: now, Table: "T"}}, tvmexport.History{Now: now}},
		{"committed", []entry{commit}, tvmexport.History{Now: now, Last: last}},
		{"interrupted", []entry{open("r2", now), commit}, tvmexport.History{Now: now, Last: last, Publishing: resume("r2")}},
		{"given up", []entry{commit, open("r2", now), gaveUp}, tvmexport.History{Now: now, Last: last}},
		{"given up, then another", []entry{gaveUp, open("r2", now), open("r3", now), commit}, tvmexport.History{Now: now, Last: last, Publishing: resume("r3")}},
		{"two on one base: the earlier", []entry{open("r3", now), open("r2", now.Add(-time.Minute)), commit}, tvmexport.History{Now: now, Last: last, Publishing: resume("r2")}},
	} {
		got, err := history(table, c.entries)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	broken := open("r2", now)
	broken.Detail = []byte(`{"rows":1}`)
	if _, err := history(table, []entry{broken}); err == nil || !strings.Contains(err.Error(), "r2") {
		t.Errorf("a publication without a run: %v", err)
	}
}

func FuzzReadPublication(f *testing.F) {
	f.Add([]byte(`{"run":{"id":"r"},"steps":[{"batches":["r.1"],"rows":2}]}`))
	f.Fuzz(func(t *testing.T, detail []byte) {
		if p, err := readPublication(detail); err == nil && p.Run.ID == "" {
			t.Error("a publication without a run was read")
		}
	})
}

func TestSettle(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 23, 5, 0, s, 0, time.UTC) }
	mine := func(table string, since int) claim {
		return claim{Table: table, Owner: "me", Since: at(since), Until: at(300)}
	}
	hers := func(table string, since int) claim {
		return claim{Table: table, Owner: "her", Since: at(since), Until: at(299)}
	}
	for _, c := range []struct {
		name     string
		claims   []claim
		held     map[string]tvmexport.LeaseHolder
		withdraw map[string]bool
	}{
		{"alone", []claim{mine("T", 1)}, map[string]tvmexport.LeaseHolder{}, map[string]bool{}},
		{"held", []claim{hers("T", 1), mine("U", 1)}, map[string]tvmexport.LeaseHolder{"T": {Owner: "her", Expires: at(299)}}, map[string]bool{}},
		{"second", []claim{mine("T", 2), hers("T", 1)}, map[string]tvmexport.LeaseHolder{"T": {Owner: "her", Expires: at(299)}}, map[string]bool{"T": true}},
		{"first", []claim{hers("T", 2), mine("T", 1)}, map[string]tvmexport.LeaseHolder{}, map[string]bool{}},
		{"same moment", []claim{mine("T", 1), hers("T", 1)}, map[string]tvmexport.LeaseHolder{"T": {Owner: "her", Expires: at(299)}}, map[string]bool{"T": true}},
	} {
		held, withdraw := settle("me", c.claims)
		if diff := cmp.Diff(c.held, held) + cmp.Diff(c.withdraw, withdraw); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}
