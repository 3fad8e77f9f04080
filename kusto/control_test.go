package kusto

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// database answers as one that holds the tables and mappings does.
type database struct {
	tables   map[string][]kql.Column
	mappings map[string]string // of landing tables: LandingMapV1
	folders  map[string]string
}

func (d database) serve(text string) conntest.Reply {
	switch {
	case strings.HasPrefix(text, ".show database ['security'] schema as json"):
		type wireType struct{ Name, CslType string }
		type table struct {
			Folder         string
			OrderedColumns []wireType
		}
		all := map[string]table{}
		for name, columns := range d.tables {
			t := table{Folder: d.folders[name]}
			for _, c := range columns {
				t.OrderedColumns = append(t.OrderedColumns, wireType{c.Name, c.Kind})
			}
			all[name] = t
		}
		schema := conntest.Marshal(map[string]any{"Databases": map[string]any{"security": map[string]any{"Name": "security", "Tables": all}}})
		return conntest.Reply{Columns: []kql.Column{{Name: "DatabaseSchema", Kind: "string"}}, Rows: [][]any{{schema}}}
	case strings.HasSuffix(text, " ingestion json mappings"):
		name := strings.Fields(text)[2]
		out := conntest.Reply{Columns: []kql.Column{{Name: "Name", Kind: "string"}, {Name: "Kind", Kind: "string"}, {Name: "Mapping", Kind: "string"}}}
		if m, ok := d.mappings[name]; ok {
			out.Rows = [][]any{{kql.LandingMapping, "Json", m}}
		}
		return out
	case strings.HasPrefix(text, ".show functions"):
		return conntest.Reply{Columns: []kql.Column{{Name: "Name", Kind: "string"}, {Name: "Folder", Kind: "string"}, {Name: "Text", Kind: "string"}}}
	case strings.Contains(text, " policy ") && strings.HasPrefix(text, ".show"):
		return conntest.Reply{Columns: []kql.Column{{Name: "Policy", Kind: "string"}}, Rows: [][]any{{"null"}}}
	}
	return conntest.Reply{}
}

func sound() database {
	return database{
		tables: map[string][]kql.Column{
			kql.ConfigurationTable: kql.ConfigurationColumns, kql.AuditTable: kql.AuditColumns, kql.RunsTable: kql.RunsColumns, kql.PartitionsTable: kql.PartitionsColumns,
			"DeviceProcessEventsRaw": {{Name: "Records", Kind: "dynamic"}}, "DeviceProcessEventsLanding": kql.LandingColumns,
		},
		mappings: map[string]string{"DeviceProcessEventsLanding": kql.MappingJSON(kql.LandingPaths)},
	}
}

func TestReady(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(database)
		all    string // error of the whole
		one    string // error of the table
		fix    string
	}{
		{"sound", func(database) {}, "", "", ""},
		{"no ledger", func(d database) { delete(d.tables, kql.RunsTable) }, "there is no table ExportRuns", "", "tvmexport init"},
		{"another ledger", func(d database) { d.tables[kql.RunsTable] = kql.RunsColumns[:3] }, "has no column At:datetime", "", "tvmexport init"},
		{"an audit of an earlier version", func(d database) {
			d.tables[kql.AuditTable] = append(append([]kql.Column{}, kql.AuditColumns[:4]...), kql.Column{Name: "RecordCount", Kind: "long"})
		}, "", "", ""},
		{"another audit", func(d database) { d.tables[kql.AuditTable] = kql.AuditColumns[:4] }, "has no column RecordCount:int", "", "tvmexport init"},
		{"no published table", func(d database) { delete(d.tables, "DeviceProcessEventsRaw") }, "", "there is no table DeviceProcessEventsRaw", "tvmexport init"},
		{"no Records", func(d database) { d.tables["DeviceProcessEventsRaw"] = []kql.Column{{Name: "Records", Kind: "string"}} }, "", "no dynamic column for the record", "DestinationTable"},
		{"no landing table", func(d database) { delete(d.tables, "DeviceProcessEventsLanding") }, "", "there is no table DeviceProcessEventsLanding", "tvmexport init"},
		{"another landing table", func(d database) { d.tables["DeviceProcessEventsLanding"] = kql.LandingColumns[:6] }, "", "not as tvmexport init makes it", "drop it"},
		{"no mapping", func(d database) { delete(d.mappings, "DeviceProcessEventsLanding") }, "", "has no JSON mapping LandingMapV1", "tvmexport init"},
		{"changed mapping", func(d database) { d.mappings["DeviceProcessEventsLanding"] = kql.MappingJSON(kql.LandingPaths[1:]) }, "", "LandingMapV1 of table DeviceProcessEventsLanding was changed", "drop table"},
		{"unreadable mapping", func(d database) { d.mappings["DeviceProcessEventsLanding"] = "x" }, "", "was changed", "drop table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := sound()
			c.change(d)
			f := &conntest.Fake{Answer: d.serve}
			failed, err := connect(t, f).CheckTables(t.Context(), []tvmexport.Table{eventsTable})
			check := func(what string, err error, says string) {
				t.Helper()
				if says == "" {
					if err != nil {
						t.Errorf("%s: %v", what, err)
					}
					return
				}
				var e *tvmexport.Error
				if !errors.As(err, &e) || !strings.Contains(e.Err.Error(), says) || !strings.Contains(e.Hint, c.fix) || e.Cause != tvmexport.Rejected {
					t.Errorf("%s: %v, want %q with the fix %q", what, err, says, c.fix)
				}
			}
			check("all", err, c.all)
			check("table", failed["DeviceProcessEvents"], c.one)
		})
	}
}

func TestReadyRefusesNames(t *testing.T) {
	bad := tvmexport.Table{Name: "T | take 1; .drop table X", Destination: "XRaw"}
	f := &conntest.Fake{Answer: sound().serve}
	failed, err := connect(t, f).CheckTables(t.Context(), []tvmexport.Table{bad, eventsTable})
	if err != nil || tvmexport.CauseOf(failed[bad.Name]) != tvmexport.Usage || failed[eventsTable.Name] != nil {
		t.Errorf("%v, %v: want a usage error for the first table alone", failed, err)
	}
	for _, text := range f.Sent() {
		if strings.Contains(text, ".drop") {
			t.Errorf("sent %q", text)
		}
	}
}

// TestInit: each missing thing is one command; a refusal stops what builds on
// it and nothing else.
func TestInit(t *testing.T) {
	d := sound()
	delete(d.tables, "DeviceProcessEventsLanding")
	d.folders = map[string]string{kql.RunsTable: kql.Folder}
	f := &conntest.Fake{Answer: d.serve}
	result, err := connect(t, f).Setup().Init(t.Context(), []tvmexport.Table{eventsTable}, setup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, c := range result.Made {
		made = append(made, string(c.Kind)+" "+c.Table+" "+c.Name)
	}
	want := []string{
		"policy ExportRuns retention", "function  VwLatestMigrationConfiguration",
		"table  DeviceProcessEventsTyped", "policy DeviceProcessEventsTyped retention",
		"policy DeviceProcessEventsTyped caching", "policy DeviceProcessEventsTyped extent_tags_retention",
		"table  DeviceProcessEventsLanding", "policy DeviceProcessEventsLanding retention", "policy DeviceProcessEventsLanding ingestionbatching",
		"mapping DeviceProcessEventsLanding LandingMapV1", "function  DeviceProcessEvents",
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	read := slices.IndexFunc(result.Made, func(c setup.Command) bool { return c.Name == "DeviceProcessEvents" })
	if !strings.Contains(result.Made[read].Text, "extent_tags()") {
		t.Error("the published table has only Records, so its read function must use tags")
	}

	f = &conntest.Fake{Answer: func(text string) conntest.Reply {
		if strings.HasPrefix(text, ".create table DeviceProcessEventsLanding (") {
			return conntest.Refusal(403, "Forbidden", "Principal is not authorized to create a table", true)
		}
		if strings.HasPrefix(text, ".create function") {
			return conntest.Refusal(400, "BadRequest_EntityAlreadyExists", "Entity 'F' of kind 'Function' already exists.", true)
		}
		return d.serve(text)
	}}
	result, err = connect(t, f).Setup().Init(t.Context(), []tvmexport.Table{eventsTable}, setup.Options{})
	if tvmexport.CauseOf(err) != tvmexport.Permission || !strings.Contains(err.Error(), "DeviceProcessEventsLanding") {
		t.Errorf("%v, want a permission error that names the table", err)
	}
	if len(result.Made) != 7 { // the policy, the typed table, and the functions that somebody made meanwhile
		t.Errorf("%d commands, want 7", len(result.Made))
	}
}

func TestOrdersReadsRows(t *testing.T) {
	f := &conntest.Fake{Answer: func(string) conntest.Reply {
		return conntest.Reply{Columns: append(slices.Clone(kql.NeededColumns), kql.Column{Name: "Undated", Kind: "long"}, kql.Column{Name: "OfState", Kind: "bool"}, kql.Column{Name: "Untrue", Kind: "bool"}), Rows: [][]any{
			{"DeviceProcessEvents", "DeviceProcessEventsRaw", "Timestamp", "2026-11-22T05:00:00.1234567Z", "Incr", true, 0, false, false},
			{"T | take 1; .drop table X", "XRaw", "None", nil, "Snapshot", nil, 0, false, false},
		}}
	}}
	got, err := connect(t, f).Orders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []tvmexport.Order{
		{Table: "DeviceProcessEvents", Into: "DeviceProcessEventsRaw", Load: tvmexport.Incremental, Column: "Timestamp", From: goldenRun.Window.From.Add(123456700), Active: true},
		{Table: "T | take 1; .drop table X", Into: "XRaw"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(tvmexport.Order{}, "Err")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got[0].Err != nil || got[1].Err == nil {
		t.Errorf("errors %v and %v, want one for the second alone", got[0].Err, got[1].Err)
	}
}

// TestFinishSendsOnce: the keys of the commands are made of the invocation, so a
// repetition carries the same ones.
func TestFinishSendsOnce(t *testing.T) {
	f := &conntest.Fake{Answer: sound().serve}
	c := connect(t, f)
	closing := tvmexport.InvocationEnd{Owner: "host, process 7", Outcomes: []tvmexport.Outcome{
		{Table: eventsTable.Name, Run: goldenRun.ID, Rows: 5, Watermark: goldenRun.Watermark, At: goldenRun.StartedAt},
		{Table: inventoryTable.Name, Err: errors.New("refused"), At: goldenRun.StartedAt},
	}}
	keys := func() (list []string) {
		t.Helper()
		before := len(f.Sent())
		if err := c.EndInvocation(t.Context(), closing); err != nil {
			t.Fatal(err)
		}
		for _, text := range f.Sent()[before:] {
			if m := tagsOf.FindStringSubmatch(text); m != nil {
				list = append(list, strings.Fields(text)[1]+" "+m[2])
			}
		}
		return list
	}
	first := keys()
	var into []string
	for _, k := range first {
		into = append(into, strings.Fields(k)[0])
	}
	if d := cmp.Diff([]string{kql.RunsTable, kql.ConfigurationTable, kql.AuditTable}, into); d != "" {
		t.Errorf("guarded commands (-want +got):\n%s", d)
	}
	if d := cmp.Diff(first, keys()); d != "" {
		t.Errorf("the second time (-first +second):\n%s", d)
	}
	closing.Owner = "host, process 8"
	for i, k := range keys() {
		if k == first[i] {
			t.Errorf("another invocation has the key %s", k)
		}
	}
}
