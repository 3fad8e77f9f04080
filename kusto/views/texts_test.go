package views

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
)

// TestTexts compares the functions for readers, and a count of theirs, with golden texts.
func TestTexts(t *testing.T) {
	keyed := kqltest.InventoryTable
	keyed.NaturalKey, keyed.Volatile = []string{"DeviceId", "kind"}, []string{"Score"}
	traced := kqltest.InventoryTable
	traced.NaturalKey, traced.Seen = []string{"DeviceId", "Id", "kind"}, []string{"EndOfSupportDate"}
	traced.Trace = tvmexport.Trace{
		Device: "DeviceId", Group: "Id", Software: []string{"kind"}, Version: "kind", Finding: "kind", LastSeen: "EndOfSupportDate",
		Paths: []string{"CveTags"}, UserDays: 7, DeviceDays: 30,
	}
	untraced := traced
	untraced.Shown = []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Id", Type: "guid"}}
	for name, text := range map[string]string{
		"read_function":              currentFunction("", kqltest.InventoryTable, rawOf(kqltest.InventoryTable)).Create(".create"),
		"read_function_records_only": currentFunction("hunt_", kqltest.EventsTable, rawOf(kqltest.EventsTable, kql.RawColumns[:1]...)).Create(".create"),
		"read_function_unknown":      currentFunction("", newTable, rawOf(newTable)).Create(".create-or-alter"),
		"read_function_typed":        currentFunction("", kqltest.InventoryTable, typedOf(kqltest.InventoryTable)).Create(".create"),
		"read_function_events":       currentFunction("", kqltest.EventsTable, typedOf(kqltest.EventsTable)).Create(".create"),
		"read_function_drifted":      currentFunction("", driftedTable, drifted).Create(".create"),
		"as_of":                      asOfFunction("", kqltest.InventoryTable, typedOf(kqltest.InventoryTable)).Create(".create"),
		"as_of_events":               asOfFunction("hunt_", kqltest.EventsTable, typedOf(kqltest.EventsTable)).Create(".create"),
		"as_of_drifted":              asOfFunction("", driftedTable, drifted).Create(".create"),
		"changes":                    changesFunction("", keyed, typedOf(keyed)).Create(".create"),
		"changes_reasons":            changesFunction("", traced, typedOf(traced)).Create(".create"),
		"changes_reasons_hidden":     changesFunction("", untraced, typedOf(untraced)).Create(".create"),
		"changes_events":             changesFunction("hunt_", kqltest.EventsTable, typedOf(kqltest.EventsTable)).Create(".create"),
		"changes_unkeyed":            changesFunction("", driftedTable, drifted).Create(".create"),
		"read_function_mixed":        currentFunction("", kqltest.InventoryTable, mixed(kqltest.InventoryTable, typedOf(kqltest.InventoryTable))).Create(".create"),
		"as_of_mixed":                asOfFunction("", kqltest.EventsTable, mixed(kqltest.EventsTable, rawOf(kqltest.EventsTable))).Create(".create"),
		"changes_mixed":              changesFunction("", keyed, mixed(keyed, typedOf(keyed))).Create(".create"),
		"drifted_table":              fmt.Sprintf(".create table %s (%s)", kql.Ident(drifted.Table), kql.Declaration(drifted.Columns)), // that the texts of drifted read
		"enriched":                   Enriched("").Create(".create"),
		"latest_view":                Latest().Create(".create"),
		"hours_shared":               hoursOf(kqltest.EventsTable, rawOf(kqltest.EventsTable, kqltest.RawDataColumns...)),
		"read_function_raw_data":     currentFunction("", kqltest.EventsTable, rawOf(kqltest.EventsTable, kqltest.RawDataColumns...)).Create(".create"),
	} {
		t.Run(name, func(t *testing.T) { kqltest.Golden(t, name, text) })
	}
}

// The enriched function has the prefix of the functions that it calls.
func TestEnrichedPrefix(t *testing.T) {
	plain, prefixed := Enriched(""), Enriched("hunt_")
	want := plain.Text()
	for _, name := range plain.Calls {
		want = strings.Replace(want, " "+name+"()", " hunt_"+name+"()", 1)
	}
	if prefixed.Name != "hunt_"+plain.Name || prefixed.Text() != want || len(prefixed.Calls) != 2 || prefixed.Calls[1] != "hunt_"+plain.Calls[1] {
		t.Errorf("%s calls %q:\n%s\nwant\n%s", prefixed.Name, prefixed.Calls, prefixed.Text(), want)
	}
}

// rawOf is a table's Raw with columns, those that init gives it if none are named.
func rawOf(t tvmexport.Table, columns ...kql.Column) Source {
	if len(columns) == 0 {
		columns = kql.RawColumns
	}
	return Source{Table: t.Destination, Columns: columns}
}

func typedOf(t tvmexport.Table) Source {
	return Source{Table: t.Typed(), Columns: TypedColumns(t.Visible()), Typed: true}
}

// mixed is a published table where some runs are only in the other one.
func mixed(t tvmexport.Table, s Source) Source {
	return s.With(t, map[string][]kql.Column{t.Destination: kql.RawColumns, t.Typed(): TypedColumns(t.Visible())}, MissingRuns{Raw: true, Typed: true})
}

func hoursOf(t tvmexport.Table, from Source) string {
	lets, rows := from.State(t, "")
	return lets + rows + CountByHour(t, from)
}

var newTable = tvmexport.Table{Name: "NewTable", Destination: "NewTableRaw"}

// driftedTable has a column that changed its type, and drifted is a typed table
// that holds one more, which is gone.
var (
	driftedTable = tvmexport.Table{
		Name: "DeviceTvmSoftwareVulnerabilities", Destination: "DeviceTvmSoftwareVulnerabilitiesRaw", LoadType: tvmexport.Snapshot,
		Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "CvssScore", Type: "real"}, {Name: "Tags", Type: "string"}},
	}
	drifted = Source{Table: "DeviceTvmSoftwareVulnerabilitiesTyped", Typed: true, Columns: append([]kql.Column{
		{Name: "DeviceId", Kind: "string"}, {Name: "CvssScore", Kind: "int"}, {Name: "Tags", Kind: "dynamic"}, {Name: "Gone", Kind: "string"},
	}, append(append([]kql.Column{}, LineageColumns...), kql.Column{Name: "CvssScore_real", Kind: "real"}, kql.Column{Name: "Tags_string", Kind: "string"})...)}
)
