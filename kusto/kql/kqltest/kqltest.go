// Package kqltest has what the tests of several packages make queries and commands
// of, and compares such texts with golden ones.
package kqltest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

var update = flag.Bool("update", false, "rewrite the golden texts; then read the difference")

// What texts are made of: a table that is current state, with a column of each type, an event table, a run of that,
// and its publication.
var (
	InventoryTable = tvmexport.Table{
		Name: "DeviceTvmSoftwareInventory", Destination: "DeviceTvmSoftwareInventoryRaw", LoadType: tvmexport.Snapshot,
		Columns: []tvmexport.Column{
			{Name: "DeviceId", Type: "string"},
			{Name: "EndOfSupportDate", Type: "datetime"},
			{Name: "Count", Type: "long"},
			{Name: "IsOld", Type: "bool"},
			{Name: "Score", Type: "real"},
			{Name: "Level", Type: "int"},
			{Name: "Took", Type: "timespan"},
			{Name: "Exact", Type: "decimal"},
			{Name: "Id", Type: "guid"},
			{Name: "CveTags", Type: "dynamic"},
			{Name: "kind", Type: "string"},
		},
	}
	EventsTable = tvmexport.Table{
		Name: "DeviceProcessEvents", Destination: "DeviceProcessEventsRaw", LoadType: tvmexport.Incremental, Watermark: "Timestamp",
		Columns: []tvmexport.Column{{Name: "Timestamp", Type: "datetime"}, {Name: "DeviceId", Type: "string"}},
	}
	Run = tvmexport.Run{
		ID: "20261123T051955Z-0a1b2c3d4e5f", Table: EventsTable, Previous: "20261122T051955Z-ffeeddccbbaa", Kind: tvmexport.DeltaRun,
		Window:    tvmexport.Window{From: time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 23, 5, 0, 0, 1200, time.UTC)},
		Watermark: time.Date(2026, 11, 23, 5, 0, 0, 1200, time.UTC),
		StartedAt: time.Date(2026, 11, 23, 5, 19, 55, 0, time.UTC),
	}
	Publication = tvmexport.Publication{
		Run: Run, Rows: 5, Bytes: 4096, Calls: 3,
		Steps: []tvmexport.PublicationStep{
			{Batches: []tvmexport.BatchID{"20261123T051955Z-0a1b2c3d4e5f.0001", "20261123T051955Z-0a1b2c3d4e5f.0002"}, Rows: 3},
			{Batches: []tvmexport.BatchID{"20261123T051955Z-0a1b2c3d4e5f.0003"}, Rows: 2},
		},
		Partitions: []tvmexport.PartitionRecord{
			{Partition: "3f", Window: Run.Window, Rows: 5},
			{Partition: "~", Window: tvmexport.Window{Null: true}},
			{Partition: "3f#a0", Rows: 0},
		},
	}
)

// Columns are columns by their names and types, in turn.
func Columns(names ...string) []tvmexport.Column {
	var out []tvmexport.Column
	for i := 0; i < len(names); i += 2 {
		out = append(out, tvmexport.Column{Name: names[i], Type: names[i+1]})
	}
	return out
}

// RawDataColumns are those of a published table as another exporter makes it.
var RawDataColumns = []kql.Column{{Name: "Timestamp", Kind: "datetime"}, {Name: "RawData", Kind: "dynamic"}}

// Golden compares a text with testdata/NAME.kql. With the flag -update, it writes
// the text there.
func Golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name+".kql")
	text += "\n"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == text {
		return
	}
	wanted, got := strings.Split(string(want), "\n"), strings.Split(text, "\n")
	n := 0
	for n < min(len(wanted), len(got))-1 && wanted[n] == got[n] {
		n++
	}
	t.Errorf("%s differs from line %d on:\n-%s\n+%s", file, n+1, strings.Join(wanted[n:], "\n-"), strings.Join(got[n:], "\n+"))
}
