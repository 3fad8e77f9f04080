//go:build !noemulator

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator"
)

// testDatabase is a database of an emulator, and a program that is configured for it.
type testDatabase struct {
	*testing.T
	server *emulator.Server
	config string
}

// program runs the program, which must have an exit code, and returns what it prints.
func (d testDatabase) program(code int, args ...string) (stdout, stderr string) {
	d.Helper()
	var out, log bytes.Buffer
	p := process{args: append(args, "--config", d.config), stdout: &out, stderr: &log, env: emulated(d.server.Ready, os.LookupEnv)}
	if got := p.run(d.Context()); got != code {
		d.Fatalf("%q exits with %d, want %d:\n%s%s", args, got, code, &log, &out)
	}
	return out.String(), log.String()
}

// principal is the exporter as Kusto names it.
func (d testDatabase) principal() string {
	return "aadapp=" + d.server.Ready.ClientID + ";" + d.server.Ready.TenantID
}

// admin runs commands as the database's administrator.
func (d testDatabase) admin(commands ...string) {
	d.Helper()
	for _, text := range commands {
		if _, err := d.server.Command(d.Context(), "", text); err != nil {
			d.Fatalf("%.100s: %v", text, errors.Unwrap(err))
		}
	}
}

// shown is what a command shows, a line for each row.
func (d testDatabase) shown(text string) []string {
	d.Helper()
	answer, err := d.server.Command(d.Context(), "", text)
	if err != nil {
		d.Fatalf("%s: %v", text, err)
	}
	var out []string
	for _, row := range answer.Rows {
		var line []string
		for _, cell := range row {
			var text string
			if json.Unmarshal(cell, &text) != nil {
				text = string(cell)
			}
			line = append(line, text)
		}
		out = append(out, strings.Join(line, " | "))
	}
	return out
}

// described is all that init decides of a database: tables with their columns in order,
// mappings, policies, functions, and the configuration. Views of others are in it too.
func (d testDatabase) described() []string {
	d.Helper()
	var out []string
	add := func(what string, lines []string) {
		for _, l := range lines {
			out = append(out, what+" "+l)
		}
	}
	for _, table := range d.shown(".show tables | order by TableName asc | project TableName") {
		add("table "+table, d.shown(".show table "+table+" cslschema | project Schema, Folder, DocString"))
		add("mapping of "+table, d.shown(".show table "+table+" ingestion json mappings | order by Name asc | project Name, Mapping"))
	}
	for _, policy := range []string{"retention", "caching", "ingestionbatching", "extent_tags_retention"} {
		add(policy, d.shown(".show table * policy "+policy+" | order by EntityName asc | project EntityName, Policy"))
	}
	add("view", d.shown(".show materialized-views | project Name, SourceTable, Query"))
	add("function", d.shown(".show functions | order by Name asc | project Name, Folder, DocString, Parameters, Body"))
	var rows []string
	for row, err := range d.server.LandedRows(d.Context(), "", "MigrationConfiguration") {
		if err != nil {
			d.Fatal(err)
		}
		rows = append(rows, string(row))
	}
	slices.Sort(rows)
	add("row", rows)
	return out
}

// columns are the columns, the folder and the docstring of each table.
func (d testDatabase) columns() map[string]string {
	d.Helper()
	out := map[string]string{}
	for _, table := range d.shown(".show tables | project TableName") {
		out[table] = strings.Join(d.shown(".show table "+table+" cslschema | project Schema, Folder, DocString"), "\n")
	}
	return out
}

// fresh is an emulator's database in which nothing is.
func fresh(t *testing.T) testDatabase {
	t.Helper()
	quota := emulator.NoQuota()
	server, err := emulator.Start(emulator.Options{
		Devices: 3, CVEs: 200, History: 1, Seed: 7, Quota: &quota, Batching: 20 * time.Millisecond, Dir: t.TempDir(),
	}, emulator.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return testDatabase{t, server, writeConfig(t, server, "")}
}

// sixColumns is a database with a configuration of six columns, in which an operator
// has decided some things.
func sixColumns(t *testing.T) testDatabase {
	d := fresh(t)
	d.admin(
		".create table MigrationConfiguration (SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LoadType:string, IsActive:bool)",
		`.set-or-append MigrationConfiguration <| print "DeviceTvmHardwareFirmware", "Firmware", "None", datetime(null), "snapshot", false`,
	)
	d.program(0, "init", "--table", "DeviceTvmSoftwareInventory")
	d.admin(
		".alter-merge table DeviceTvmSoftwareInventoryRaw policy retention softdelete = 90d",
		`.alter table DeviceTvmSoftwareInventoryLanding policy ingestionbatching '{"MaximumBatchingTimeSpan":"00:00:10","MaximumNumberOfItems":500,"MaximumRawDataSizeMB":1024}'`,
		".create table DeviceTvmCertificateInfoTyped (X:string)",
		".create function DeviceTvmBrowserExtensions() { print 1 }",
	)
	return d
}

// originals is a database as the original system prepares it, with rows of two tables.
func originals(t *testing.T) testDatabase {
	d := fresh(t)
	d.admin(
		".create-merge table MigrationConfiguration (SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LoadType:string, IsActive:bool) with (folder='ExportConfig')",
		".create-merge table MigrationAuditLog (TableName:string, Timestamp:datetime, Status:string, FailureReason:string, RecordCount:int) with (folder='ExportConfig')",
		".create-or-alter materialized-view VwLatestMigrationConfiguration on table MigrationConfiguration { MigrationConfiguration | where IsActive == true | extend LastRefreshedTimeInString = tostring(LastRefreshedTime) | summarize arg_max(LastRefreshedTime, *) by SourceTable }",
	)
	for table, watermark := range map[string]string{"DeviceTvmSoftwareInventory": "None", "DeviceTvmSecureConfigurationAssessment": "Timestamp", "DeviceTvmHardwareFirmware": "None"} {
		d.admin(
			".create-merge table "+table+"Raw (Records:dynamic) with (folder='Raw')",
			".create-or-alter table "+table+`Raw ingestion json mapping 'DynamicJsonMap' '[{"Properties":{"Path":"$"},"column":"Records","datatype":"dynamic"}]'`,
			fmt.Sprintf(`.ingest inline into table MigrationConfiguration <| "%s","%sRaw","%s",null,"Full",1`, table, table, watermark),
		)
	}
	d.admin(`.ingest inline into table DeviceTvmSoftwareInventoryRaw with (format = 'multijson', ingestionMappingReference = 'DynamicJsonMap') <| {"DeviceId":"old"}`)
	return d
}

// versionBefore is a database that an earlier version made. Its functions belong to the
// principal that made them, as the service has it.
func versionBefore(t *testing.T) testDatabase {
	older := restoreOlder(t, filepath.Join("testdata", "older"))
	d := testDatabase{t, older.server, older.config}
	for _, name := range d.shown(".show functions | project Name") {
		d.admin(fmt.Sprintf(".add function %s admins ('%s')", name, d.principal()))
	}
	return d
}

// The script makes what init makes, in a database with nothing in it and in databases that exist. The second time it
// changes nothing. What existed keeps its columns.
func TestPastedScript(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it prepares eight databases; make test runs it")
	}
	for name, c := range map[string]struct {
		prepare func(*testing.T) testDatabase
		args    []string
	}{
		"empty":              {fresh, nil},
		"six columns":        {sixColumns, nil},
		"the original's":     {originals, nil},
		"the version before": {versionBefore, nil},
		"one table":          {fresh, []string{"--table", "DeviceProcessEvents"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made, pasted := c.prepare(t), c.prepare(t)
			before := pasted.columns()
			made.program(0, append([]string{"init"}, c.args...)...)
			script, _ := pasted.program(0, append([]string{"init", "--print", "--principal", pasted.principal()}, c.args...)...)
			pasted.admin(script)
			once := pasted.described()
			if d := cmp.Diff(made.described(), once); d != "" {
				t.Errorf("the script makes something else than init (-init +script):\n%s", d)
			}
			after := pasted.columns()
			for table, columns := range before {
				if after[table] != columns && !strings.HasPrefix(table, "Export") {
					t.Errorf("table %s was %s, and is %s", table, columns, after[table])
				}
			}
			pasted.admin(script)
			if d := cmp.Diff(once, pasted.described()); d != "" {
				t.Errorf("the second time the script changes something (-once +twice):\n%s", d)
			}
			again, _ := pasted.program(0, append([]string{"init", "--print", "--principal", pasted.principal()}, c.args...)...)
			pasted.admin(again)
			if d := cmp.Diff(once, pasted.described()); d != "" {
				t.Errorf("printed and pasted again, the script changes something:\n%s", d)
			}
		})
	}
}

// An exporter without any role prints the script for an empty database. With the roles that it gives, of the database or of
// tables, the exporter works.
func TestPastedScriptIsEnough(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it exports tables; make test runs it")
	}
	for _, roles := range []string{"database", "table"} {
		t.Run(roles, func(t *testing.T) {
			t.Parallel()
			d := fresh(t)
			for _, role := range []string{"users", "ingestors", "viewers", "admins"} {
				d.admin(fmt.Sprintf(".drop database ['%s'] %s ('%s')", d.server.Ready.Database, role, d.principal()))
			}
			const table = "DeviceTvmHardwareFirmware"
			script, remarks := d.program(0, "init", "--print", "--table", table, "--roles", roles, "--principal", d.principal())
			if !strings.Contains(remarks, "could not be read, so the script is for one in which none of the tables exists") {
				t.Errorf("remarks %q", remarks)
			}
			d.admin(script, script)
			d.program(0, "run")
			d.server.Tenant().Advance(1)
			d.program(0, "run")
			truth, err := d.server.Truth(t.Context(), table)
			if err != nil {
				t.Fatal(err)
			}
			if landed, err := d.server.Landed(t.Context(), "", table); err != nil || landed != truth || truth.Rows == 0 {
				t.Errorf("readers see %+v, the source has %+v, %v", landed, truth, err)
			}
			if landed, err := d.server.Landed(t.Context(), "", table+"Landing | where BatchRows > 0 or Line > 0"); err != nil || landed.Rows != 0 {
				t.Errorf("the landing table has %d rows, %v: the exporter may not clear it", landed.Rows, err)
			}
			d.program(0, "init", "--table", table)
		})
	}
}

// Without a configuration the script is for an empty database. Pasted into one with a configuration of six columns, it adds
// the rows in the columns that are there.
func TestPastedScriptWithoutALook(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it prepares three databases; make test runs it")
	}
	made := fresh(t)
	made.program(0, "init")
	for name, columns := range map[string]string{
		"empty": "",
		"six":   "SourceTable:string,DestinationTable:string,WatermarkColumn:string,LastRefreshedTime:datetime,LoadType:string,IsActive:bool",
		"other": "Note:string,IsActive:bool,LoadType:string,SourceTable:string,LastRefreshedTime:datetime,LastRefreshedTimeInString:string,WatermarkColumn:string,DestinationTable:string",
	} {
		d := fresh(t)
		if columns != "" {
			d.admin(".create table MigrationConfiguration (" + columns + ")")
		}
		var script, log bytes.Buffer
		p := process{args: []string{"init", "--print", "--principal", d.principal()}, stdout: &script, stderr: &log, env: func(name string) (string, bool) {
			return d.server.Ready.Database, name == "TVMEXPORT_KUSTO_DATABASE"
		}}
		if code := p.run(t.Context()); code != 0 {
			t.Fatalf("%s: exits with %d: %s", name, code, &log)
		}
		d.admin(script.String(), script.String())
		const rows = `MigrationConfiguration | project SourceTable, DestinationTable, WatermarkColumn, LastRefreshedTime, LoadType, IsActive`
		want, err := made.server.Landed(t.Context(), "", rows)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.server.Landed(t.Context(), "", rows); err != nil || got != want {
			t.Errorf("%s: the configuration has %+v, want %+v, %v", name, got, want, err)
		}
		if shape := d.shown(".show table MigrationConfiguration cslschema | project Schema"); columns != "" && shape[0] != columns {
			t.Errorf("%s: the columns are %s", name, shape[0])
		}
		if columns == "" {
			if diff := cmp.Diff(made.described(), d.described()); diff != "" {
				t.Errorf("the script makes something else than init (-init +script):\n%s", diff)
			}
		}
	}
}

// The tables that the original system has are those of its guide, and its ingestion and queries work in them. Rows that
// others ingest are not what readers of the tables see.
func TestTablesOfTheOriginal(t *testing.T) {
	d := fresh(t)
	d.program(0, "init", "--table", "DeviceTvmHardwareFirmware")
	for table, columns := range map[string]string{
		"MigrationConfiguration":       "SourceTable:string,DestinationTable:string,WatermarkColumn:string,LastRefreshedTime:datetime,LastRefreshedTimeInString:string,LoadType:string,IsActive:bool",
		"MigrationAuditLog":            "TableName:string,Timestamp:datetime,Status:string,FailureReason:string,RecordCount:int",
		"DeviceTvmHardwareFirmwareRaw": "Records:dynamic,RunId:string,Partition:string,ExportedAt:datetime",
	} {
		if got := d.shown(".show table " + table + " cslschema | project Schema"); len(got) != 1 || got[0] != columns {
			t.Errorf("%s has the columns %q, want %s", table, got, columns)
		}
	}
	d.admin(
		`.ingest inline into table DeviceTvmHardwareFirmwareRaw with (format = 'multijson', ingestionMappingReference = 'DynamicJsonMap') <| {"DeviceId":"theirs","ComponentName":"x"}`,
		`.set-or-append MigrationAuditLog <| datatable (TableName:string, Timestamp:datetime, Status:string, FailureReason:string, RecordCount:int) ['DeviceTvmHardwareFirmwareRaw', datetime('2026-11-29 18:00:00.123456'), 'Success', '', 1]`,
	)
	for query, rows := range map[string]int64{
		"DeviceTvmHardwareFirmwareRaw | where Records.DeviceId == 'theirs' and Records.ComponentName == 'x'": 1,
		"MigrationAuditLog | where Status == 'Success'":                                                      1,
		"VwLatestMigrationConfiguration | where SourceTable == 'DeviceTvmHardwareFirmware' and DestinationTable == 'DeviceTvmHardwareFirmwareRaw' and LastRefreshedTimeInString == '' and IsActive": 1,
	} {
		if got, err := d.server.Landed(t.Context(), "", query); err != nil || got.Rows != rows {
			t.Errorf("%s: %d rows, %v, want %d", query, got.Rows, err, rows)
		}
	}
	d.program(0, "run")
	truth, err := d.server.Truth(t.Context(), "DeviceTvmHardwareFirmware")
	if err != nil {
		t.Fatal(err)
	}
	if landed, err := d.server.Landed(t.Context(), "", "DeviceTvmHardwareFirmware"); err != nil || landed != truth {
		t.Errorf("readers see %+v, the source has %+v, %v", landed, truth, err)
	}
	// A reader of the original's view finds the fraction of a second behind a dot.
	const view = `VwLatestMigrationConfiguration | where isnotnull(LastRefreshedTime) and LastRefreshedTimeInString == tostring(LastRefreshedTime) and array_length(split(LastRefreshedTimeInString, ".")) == 2`
	if got, err := d.server.Landed(t.Context(), "", view); err != nil || got.Rows != 1 {
		t.Errorf("the view has %d rows of the run's time, %v", got.Rows, err)
	}
}
