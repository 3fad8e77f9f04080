package kusto

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/publish"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/views"
)

func TestOrder(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	row := func(source, into, watermark, load string) ledger.Configured {
		return ledger.Configured{Source: source, Destination: into, Watermark: watermark, Load: load, Active: true}
	}
	for _, c := range []struct {
		name string
		row  ledger.Configured
		want tvmexport.Order
		err  string
	}{
		{"snapshot", row("T", "TRaw", "None", "Snapshot"), tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Snapshot, Active: true}, ""},
		{"increment", ledger.Configured{Source: "T", Destination: "TRaw", Watermark: "Timestamp", Load: "Incr", Refreshed: at, Active: false}, tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Incremental, Column: "Timestamp", From: at}, ""},
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
		got := ledger.Order(c.row)
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
	commit := ledger.Entry{Now: now, At: now.Add(-time.Hour), Table: "T", State: kql.CommittedState, Run: "r1", Kind: tvmexport.FullRun, Rows: 5, Bytes: 50, Watermark: now.Add(-2 * time.Hour)}
	last := &tvmexport.Committed{ID: "r1", Kind: tvmexport.FullRun, At: now.Add(-time.Hour), Watermark: now.Add(-2 * time.Hour), Rows: 5, Bytes: 50}
	open := func(run tvmexport.RunID, at time.Time) ledger.Entry {
		return ledger.Entry{Now: now, At: at, Table: "T", State: kql.PublishingState, Run: run, Previous: "r1", Detail: detail(run)}
	}
	gaveUp := ledger.Entry{Now: now, At: now, Table: "T", State: kql.AbandonedState, Run: "r2", Previous: "r1"}
	resume := func(run tvmexport.RunID) *tvmexport.Publication {
		return &tvmexport.Publication{Run: tvmexport.Run{ID: run, Previous: "r1", Table: table}, Rows: 9}
	}
	for _, c := range []struct {
		name    string
		entries []ledger.Entry
		want    tvmexport.History
	}{
		{"nothing yet", []ledger.Entry{{Now: now, Table: "T"}}, tvmexport.History{Now: now}},
		{"of another table", []ledger.Entry{{Now: now, Table: "U", State: kql.CommittedState, Run: "u1"}, {Now: now, Table: "T"}}, tvmexport.History{Now: now}},
		{"committed", []ledger.Entry{commit}, tvmexport.History{Now: now, Last: last}},
		{"interrupted", []ledger.Entry{open("r2", now), commit}, tvmexport.History{Now: now, Last: last, Publishing: resume("r2")}},
		{"given up", []ledger.Entry{commit, open("r2", now), gaveUp}, tvmexport.History{Now: now, Last: last}},
		{"given up, then another", []ledger.Entry{gaveUp, open("r2", now), open("r3", now), commit}, tvmexport.History{Now: now, Last: last, Publishing: resume("r3")}},
		{"two on one base: the earlier", []ledger.Entry{open("r3", now), open("r2", now.Add(-time.Minute)), commit}, tvmexport.History{Now: now, Last: last, Publishing: resume("r2")}},
	} {
		got, err := ledger.History(table, c.entries)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	broken := open("r2", now)
	broken.Detail = []byte(`{"rows":1}`)
	if _, err := ledger.History(table, []ledger.Entry{broken}); err == nil || !strings.Contains(err.Error(), "r2") {
		t.Errorf("a publication without a run: %v", err)
	}
}

func FuzzReadPublication(f *testing.F) {
	f.Add([]byte(`{"run":{"id":"r"},"steps":[{"batches":["r.1"],"rows":2}]}`))
	f.Fuzz(func(t *testing.T, detail []byte) {
		if p, err := ledger.ReadPublication(detail); err == nil && p.Run.ID == "" {
			t.Error("a publication without a run was read")
		}
	})
}

func TestHolderOf(t *testing.T) {
	for _, c := range []struct {
		name            string
		list            []publish.Claimed
		holder, instead tvmexport.RunID
	}{
		{"free", nil, "", ""},
		{"taken", []publish.Claimed{{Run: "a", State: kql.PublishingState}}, "a", ""},
		{"two: the first", []publish.Claimed{{Run: "a", State: kql.PublishingState}, {Run: "b", State: kql.PublishingState}}, "a", ""},
		{"given up", []publish.Claimed{{Run: "a", State: kql.PublishingState}, {Run: "a", State: kql.AbandonedState}}, "", "a"},
		{"given up and taken", []publish.Claimed{{Run: "a", State: kql.PublishingState}, {Run: "a", State: kql.AbandonedState}, {Run: "b", State: kql.PublishingState}}, "b", "a"},
		{"given up twice", []publish.Claimed{{Run: "a", State: kql.PublishingState}, {Run: "a", State: kql.AbandonedState}, {Run: "b", State: kql.PublishingState}, {Run: "b", State: kql.AbandonedState}}, "", "b"},
	} {
		if holder, instead := publish.HolderOf(c.list); holder != c.holder || instead != c.instead {
			t.Errorf("%s: %q, %q, want %q, %q", c.name, holder, instead, c.holder, c.instead)
		}
	}
}

func TestBaseKeys(t *testing.T) {
	for _, c := range []struct {
		base publish.Base
		want string
	}{
		{publish.Base{Table: "T"}, "tvmexport:T:none:2"},
		{publish.Base{Table: "T", Previous: "r1"}, "tvmexport:T:r1:2"},
		{publish.Base{Table: "T", Previous: "r1", Instead: "r2"}, "tvmexport:T:r1~r2:2"},
	} {
		if got := c.base.Key(2); got != c.want {
			t.Errorf("key: %s, want %s", got, c.want)
		}
	}
}

func TestSettle(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 23, 5, 0, s, 0, time.UTC) }
	mine := func(table string, since int) ledger.Claim {
		return ledger.Claim{Table: table, Owner: "me", Since: at(since), Until: at(300)}
	}
	hers := func(table string, since int) ledger.Claim {
		return ledger.Claim{Table: table, Owner: "her", Since: at(since), Until: at(299)}
	}
	for _, c := range []struct {
		name     string
		claims   []ledger.Claim
		held     map[string]tvmexport.LeaseHolder
		withdraw map[string]bool
	}{
		{"alone", []ledger.Claim{mine("T", 1)}, map[string]tvmexport.LeaseHolder{}, map[string]bool{}},
		{"held", []ledger.Claim{hers("T", 1), mine("U", 1)}, map[string]tvmexport.LeaseHolder{"T": {Owner: "her", Expires: at(299)}}, map[string]bool{}},
		{"second", []ledger.Claim{mine("T", 2), hers("T", 1)}, map[string]tvmexport.LeaseHolder{"T": {Owner: "her", Expires: at(299)}}, map[string]bool{"T": true}},
		{"first", []ledger.Claim{hers("T", 2), mine("T", 1)}, map[string]tvmexport.LeaseHolder{}, map[string]bool{}},
		{"same moment", []ledger.Claim{mine("T", 1), hers("T", 1)}, map[string]tvmexport.LeaseHolder{"T": {Owner: "her", Expires: at(299)}}, map[string]bool{"T": true}},
	} {
		held, withdraw := ledger.Settle("me", c.claims)
		if diff := cmp.Diff(c.held, held) + cmp.Diff(c.withdraw, withdraw); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// TestMissing: init makes what is not there and leaves alone what is not ours.
func TestMissing(t *testing.T) {
	table := eventsTable
	table.Layout = tvmexport.RawOnly
	commands, err := setup.Script([]tvmexport.Table{table}, setup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	list := func(s setup.Result) []string {
		var out []string
		for _, c := range s.Made {
			out = append(out, string(c.Kind)+" "+c.Table+" "+c.Name)
		}
		return out
	}
	empty := conn.Schema{Tables: map[string]conn.TableInfo{}, Functions: map[string]conn.FunctionInfo{}}
	fresh := setup.Missing(commands, empty, setup.Details{})
	if len(fresh.Made) != len(commands)-1 || fresh.There != 0 || len(fresh.Notes) != 0 { // all but the rows
		t.Errorf("an empty database: %q, %d there, %q", list(fresh), fresh.There, fresh.Notes)
	}
	raw := rawOf(table)
	functions := map[string]conn.FunctionInfo{kql.LatestView: {}}
	for _, f := range views.ReadFunctions("", table, raw) {
		functions[f.Name] = conn.FunctionInfo{Folder: kql.Folder, Doc: f.Doc}
	}
	full := conn.Schema{
		Tables: map[string]conn.TableInfo{
			kql.ConfigurationTable: {Folder: ""}, kql.AuditTable: {Folder: ""}, kql.RunsTable: {Columns: kql.RunsColumns, Folder: kql.Folder}, kql.PartitionsTable: {Columns: kql.PartitionsColumns, Folder: kql.Folder},
			"DeviceProcessEventsRaw": {Folder: "theirs"}, "DeviceProcessEventsLanding": {Columns: kql.LandingColumns, Folder: kql.Folder},
		},
		Functions: functions,
	}
	set := setup.Details{
		Mappings: map[string][]string{"DeviceProcessEventsLanding": {kql.LandingMapping}},
		Policies: map[[2]string]bool{{kql.RunsTable, "retention"}: true, {kql.PartitionsTable, "retention"}: true, {"DeviceProcessEventsLanding", "retention"}: true, {"DeviceProcessEventsLanding", "ingestionbatching"}: true},
	}
	if s := setup.Missing(commands, full, set); len(s.Made) != 0 || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], kql.RecordsMapping) {
		t.Errorf("a complete database: %q, notes %q; want nothing made and one note on the mapping", list(s), s.Notes)
	}
	// Outdated functions of ours are updated; those of others are not changed.
	full.Functions["DeviceProcessEvents"] = conn.FunctionInfo{Folder: kql.Folder, Doc: "of an older version"}
	delete(set.Policies, [2]string{"DeviceProcessEventsLanding", "ingestionbatching"})
	s := setup.Missing(commands, full, set)
	if diff := cmp.Diff([]string{"policy DeviceProcessEventsLanding ingestionbatching", "function  DeviceProcessEvents"}, list(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(s.Made[1].Text, ".create-or-alter function") {
		t.Errorf("the function is not altered: %.60s", s.Made[1].Text)
	}
	full.Functions["DeviceProcessEvents"] = conn.FunctionInfo{Folder: "somebody's", Doc: "their own"}
	if s := setup.Missing(commands, full, set); len(s.Notes) != 2 || !strings.Contains(s.Notes[1], "functions.prefix") || len(s.Made) != 1 {
		t.Errorf("a function of somebody else: %q, notes %q", list(s), s.Notes)
	}
	full.Tables[kql.PartitionsTable] = conn.TableInfo{Columns: kql.PartitionsColumns[:5], Folder: kql.Folder}
	if s := setup.Missing(commands, full, set); s.Made[0].Text != ".alter-merge table ExportPartitions (Rows:long, WindowNull:bool, Fingerprint:string)" {
		t.Errorf("a ledger of an older version: %q", s.Made[0].Text)
	}
	full.Tables["DeviceProcessEvents"] = conn.TableInfo{}
	if s := setup.Missing(commands, full, set); len(s.Notes) != 2 || !strings.Contains(s.Notes[1], "taken by a table") {
		t.Errorf("a table of that name: notes %q", s.Notes)
	}
}
