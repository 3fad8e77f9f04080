package kusto

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/views"
)

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
		functions[f.Name] = conn.FunctionInfo{Folder: kql.Folder, Text: f.Text()}
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
	// Outdated functions of ours are updated; those worded differently, and those of
	// others, are not changed.
	current := full.Functions["DeviceProcessEvents"]
	full.Functions["DeviceProcessEvents"] = conn.FunctionInfo{Folder: kql.Folder, Text: reworded(current.Text)}
	if s := setup.Missing(commands, full, set); current.Text == reworded(current.Text) || len(s.Made) != 0 {
		t.Errorf("a function that is worded differently: %q", list(s))
	}
	full.Functions["DeviceProcessEvents"] = conn.FunctionInfo{Folder: kql.Folder, Text: "() { Older }"}
	delete(set.Policies, [2]string{"DeviceProcessEventsLanding", "ingestionbatching"})
	s := setup.Missing(commands, full, set)
	if diff := cmp.Diff([]string{"policy DeviceProcessEventsLanding ingestionbatching", "function  DeviceProcessEvents"}, list(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(s.Made[1].Text, ".create-or-alter function") {
		t.Errorf("the function is not altered: %.60s", s.Made[1].Text)
	}
	full.Functions["DeviceProcessEvents"] = conn.FunctionInfo{Folder: "somebody's", Text: "() { Their }"}
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
