//go:build !noemulator

package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/test/reliability/check"
)

// A database that an earlier version of the program made, and in which its processes died, says the same to today's program.
// A run finishes the publications, reuses the batches that landed, and writes the missing audit. test/older/make has the story.
func TestOlderDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it restores a database of an older version; make test runs it")
	}
	t.Parallel()
	d := restoreOlder(t, filepath.Join("testdata", "older"))
	d.sameSource()
	d.same(d.record.Stored)
	d.same(d.record.Queries)
	d.says("status", 0, "ageSeconds", "lastError")
	d.says("verify", 3, "why", "error", "notes", "from", "to") // from and to are new
	d.names("plan")
	d.names("tables")

	words := d.rows(ledgerWords)
	// The lease of the dead process holds the table until it expires.
	d.exits(11, "run", "--json", "--table", olderHalf)
	d.pass(5 * time.Minute)
	d.continues()
	for word := range d.rows(ledgerWords) {
		if !words[word] && !slices.Contains(addedWords, word) {
			t.Errorf("the ledger has a word, or a name in Detail, that the earlier version did not write: %s", word)
		}
	}

	var list []check.Table
	for table, query := range d.tables {
		if readers, truth := d.landed(query), d.truth(query); readers != truth {
			t.Errorf("%s: readers see %d rows, other ones than the %d of the source", table, readers.Rows, truth.Rows)
		}
		if slices.Contains(olderTakenOver, table) {
			continue // its old rows are no run of ours
		}
		if n := d.landed(strings.ReplaceAll(unlike, "TABLE", table)).Rows; n > 0 {
			t.Errorf("%s: records and typed rows differ in %d runs", table, n)
		}
		list = append(list, check.Table{Name: table})
	}
	for _, what := range check.Ledger(t.Context(), ownTables{d.server}, list) {
		t.Error(what)
	}
	past := maps.Clone(d.record.Queries)
	maps.DeleteFunc(past, func(query string, _ emulator.Digest) bool { return !strings.Contains(query, "(") })
	d.same(past)
	d.exits(0, "verify", "--json")
}

// The tables of the database, by what became of their last run.
const (
	olderHalf     = "DeviceTvmSoftwareInventory" // killed between the publications of records and of typed rows
	olderClaimed  = "DeviceTvmHardwareFirmware"  // killed before the publication that it had announced in the ledger
	olderLanded   = "DeviceTvmCertificateInfo"   // killed when all batches had landed
	olderArriving = "DeviceTvmBrowserExtensions" // killed when a part of the batches had landed
	olderWindow   = "DeviceProcessEvents"        // Incr: killed when all batches had landed
	olderSilent   = "DeviceNetworkEvents"        // FullThenIncr: killed after the commit, before the audit
)

// olderTakenOver are the tables that another exporter had filled before, events and a state.
var olderTakenOver = []string{"DeviceInfo", "DeviceTvmInfoGathering"}

// ownTables is a database without what it says of the tables that were taken over.
type ownTables struct{ *emulator.Server }

// Landed implements check.Server.
func (o ownTables) Landed(ctx context.Context, database, query string) (emulator.Digest, error) {
	names := `"` + strings.Join(olderTakenOver, `", "`) + `"`
	for table, column := range map[string]string{"ExportRuns": "Table", "MigrationAuditLog": `replace_regex(TableName, "Raw$", "")`} {
		query = strings.ReplaceAll(query, table, fmt.Sprintf("(%s | where %s !in (%s))", table, column, names))
	}
	return o.Server.Landed(ctx, database, query)
}

// ledgerWords are the words of the ledger, and the names in its column Detail.
const ledgerWords = `ExportRuns
| extend Names = iff(isnull(bag_keys(Detail)), dynamic([""]), bag_keys(Detail))
| mv-expand Name = Names to typeof(string)
| distinct State, Kind, LoadType, Name`

// addedWords are rows of ledgerWords that later versions write on purpose. The earlier version reads rows of its own states only.
var addedWords = []string{
	`{"Kind":"","LoadType":"","Name":"shape","State":"shape"}`, // the number of the stored shape
	// What a run has done to its table, and how long it took.
	`{"Kind":"delta","LoadType":"Snapshot","Name":"effect","State":"committed"}`, `{"Kind":"full","LoadType":"Snapshot","Name":"effect","State":"committed"}`,
	`{"Kind":"delta","LoadType":"Incr","Name":"effect","State":"committed"}`, `{"Kind":"delta","LoadType":"FullThenIncr","Name":"effect","State":"committed"}`,
	`{"Kind":"full","LoadType":"FullThenIncr","Name":"effect","State":"committed"}`, `{"Kind":"","LoadType":"","Name":"seconds","State":"ended"}`,
	// When the source made the state.
	`{"Kind":"delta","LoadType":"Snapshot","Name":"stateAt","State":"committed"}`, `{"Kind":"full","LoadType":"Snapshot","Name":"stateAt","State":"committed"}`,
}

// unlike is a query for the runs whose records are not as many as their typed rows.
const unlike = `TABLERaw | summarize Records = count() by RunId
| join kind=fullouter (TABLETyped | summarize Typed = count() by RunId) on RunId
| where coalesce(Records, 0) != coalesce(Typed, 0)`

// continues lets today's program export all tables, and looks at what it says and does.
func (d *olderDatabase) continues() {
	d.Helper()
	planned := byTable(d.record.Printed["plan"])
	clear(d.fetches)
	said := byTable(d.exits(0, "run", "--json"))
	for _, c := range []struct {
		table             string
		finished, resumed bool
	}{
		{olderHalf, true, false},
		{olderClaimed, true, false},
		{olderLanded, false, true},
		{olderArriving, false, true},
		{olderWindow, false, true},
		{olderSilent, false, false},
	} {
		line, plan := said[c.table], planned[c.table]
		if line["status"] != "committed" || (line["finished"] != nil) != c.finished || (line["resumed"] != nil) != c.resumed {
			d.Errorf("%s: the run says %v, want finished %t and resumed %t", c.table, line, c.finished, c.resumed)
		}
		if c.resumed && line["resumed"] != plan["resumed"] {
			d.Errorf("%s: %v rows of batches that had landed are reused, want %v", c.table, line["resumed"], plan["resumed"])
		}
		if !c.finished {
			continue
		}
		if n := d.landed(fmt.Sprintf(`ExportRuns | where State == "committed" and RunId == %q`, plan["finishes"])).Rows; n != 1 {
			d.Errorf("%s: the publication of run %v has %d commits, want 1", c.table, plan["finishes"], n)
		}
		if n := d.fetches[c.table]; n > 0 {
			d.Errorf("%s: %d calls fetch rows of a publication again", c.table, n)
		}
	}
	// Partitions without rows have no batches: they are asked for again.
	if line := said[olderLanded]; line["resumed"] != line["rows"] {
		d.Errorf("%s: %v of %v rows come from batches that had landed", olderLanded, line["resumed"], line["rows"])
	}
	if n := d.landed(fmt.Sprintf(`MigrationAuditLog | where TableName in (%q, %q) and Status == "Success"`, olderSilent, olderSilent+"Raw")).Rows; n != 4 {
		d.Errorf("%s: the audit has %d rows, want one for each of 4 runs", olderSilent, n)
	}
}

// byTable returns lines by their table.
func byTable(lines []map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, line := range lines {
		if table, ok := line["table"].(string); ok {
			out[table] = line
		}
	}
	return out
}

// sameSource checks that the tenant has the rows of the tenant of the older version's emulator.
func (d *olderDatabase) sameSource() {
	d.Helper()
	for query, want := range d.record.Source {
		if d.truth(query) != want {
			d.Fatalf("the emulated tenant has other rows than when the database was made (%s); make it again as test/older/README.md says, with %s and the emulator of today", query, d.record.Revision)
		}
	}
}

// same checks that queries have the rows that they had for the earlier version.
func (d *olderDatabase) same(queries map[string]emulator.Digest) {
	d.Helper()
	for query, want := range queries {
		if got := d.landed(query); got != want {
			d.Errorf("%s: %d rows, other ones than the %d of %s", query, got.Rows, want.Rows, d.record.Revision)
		}
	}
}

// says compares what a command prints with what the earlier version printed, except for the named members.
func (d *olderDatabase) says(command string, code int, except ...string) {
	d.Helper()
	args := []string{command, "--json"}
	if command == "status" {
		args = append(args, "--wait", "10m")
	}
	got, want := d.exits(code, args...), d.record.Printed[command]
	if len(got) != len(want) {
		d.Fatalf("%s --json prints %d lines, %s printed %d", command, len(got), d.record.Revision, len(want))
	}
	for i := range want {
		if got, want := without(got[i], except), without(want[i], except); !reflect.DeepEqual(got, want) {
			d.Errorf("%s --json differs from what %s printed:\ngot  %v\nwant %v", command, d.record.Revision, got, want)
		}
	}
}

// without is a value of a JSON document without the named members of its objects.
func without(value any, names []string) any {
	switch value := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, v := range value {
			if !slices.Contains(names, name) {
				out[name] = without(v, names)
			}
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, v := range value {
			out[i] = without(v, names)
		}
		return out
	}
	return value
}

// names checks that a command prints all names that the earlier version printed. Its values depend on the time or on the
// catalogue.
func (d *olderDatabase) names(command string) {
	d.Helper()
	printed := map[string]bool{}
	for _, line := range d.exits(0, command, "--json") {
		for name := range line {
			printed[name] = true
		}
	}
	for _, line := range d.record.Printed[command] {
		for name := range line {
			if !printed[name] {
				d.Errorf("%s --json does not print %q, as %s did", command, name, d.record.Revision)
			}
		}
	}
}
