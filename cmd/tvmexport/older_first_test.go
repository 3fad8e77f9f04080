//go:build !noemulator

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// The first versions of the program made landing tables whose records are dynamic, and a
// ledger without fingerprints. Today's init migrates both: history and landed rows stay,
// and the next run finishes the publication of a process that was killed.
func TestFirstDatabases(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it restores databases of the first versions; make test runs it")
	}
	for _, c := range []struct {
		revision string
		dynamic  bool // records are landed as dynamic
	}{{"52e26af", true}, {"6a10ebb", false}} {
		t.Run(c.revision, func(t *testing.T) {
			t.Parallel()
			d := restoreOlder(t, filepath.Join("testdata", "first", c.revision))
			d.ownsAll()
			d.sameSource()
			d.same(d.record.Stored)
			d.same(d.record.Queries)
			for _, line := range d.exits(1, "run", "--json") {
				if text := fmt.Sprint(line); !strings.Contains(text, "tvmexport init") || strings.Contains(text, "rename") {
					t.Errorf("a run before init does not say what to do: %s", text)
				}
			}
			history := map[string]map[string]bool{}
			for _, query := range historyFirst {
				history[query] = d.rows(query)
			}
			if c.dynamic {
				d.refusesInit()
				d.pass(10 * time.Minute)
				d.interruptInit()
			} else {
				d.pass(10 * time.Minute)
			}
			args := []string{"init", "--json"}
			for table := range d.tables {
				args = append(args, "--table", table)
			}
			d.exits(0, args...)
			d.same(d.record.Queries)
			if made := d.exits(0, args...); len(made) != 1 {
				t.Errorf("a second init makes something: %v", made)
			}
			d.continuesFirst()
			for query, rows := range history {
				kept := d.rows(query)
				for row := range rows {
					if !kept[row] {
						t.Errorf("%s: a row of %s is not there any more: %.300s", query, c.revision, row)
					}
				}
			}
		})
	}
}

// The example configurations of earlier versions, which have each of their keys, are valid.
func TestEarlierConfigurations(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "first", "*", "tvmexport.yaml"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files (%v), want 2", len(files), err)
	}
	for _, file := range append(files, filepath.Join("testdata", "older", "tvmexport.yaml")) {
		var out, log bytes.Buffer
		p := process{args: []string{"config", "validate", "--config", file}, stdout: &out, stderr: &log, env: func(string) (string, bool) { return "", false }}
		if code := p.run(t.Context()); code != 0 {
			t.Errorf("%s is not valid (exit code %d): %s", file, code, &log)
		}
	}
}

// ownsAll gives the program the role that it has in tables and functions that it created itself.
func (d *olderDatabase) ownsAll() {
	d.Helper()
	program := fmt.Sprintf("('aadapp=%s;%s')", d.server.Ready.ClientID, d.server.Ready.TenantID)
	for kind, list := range map[string]string{"table": ".show tables | project Name = TableName", "function": ".show functions | project Name"} {
		answer, err := d.server.Command(d.Context(), "", list)
		if err != nil {
			d.Fatal(err)
		}
		for _, row := range answer.Rows {
			name := strings.Trim(string(row[0]), `"`)
			if _, err := d.server.Command(d.Context(), "", fmt.Sprintf(".add %s %s admins %s", kind, name, program)); err != nil {
				d.Fatal(err)
			}
		}
	}
}

// initialise is the command that prepares the table whose landing table the tests watch.
var initialise = []string{"init", "--json", "--table", olderClaimed}

// refusesInit checks that init leaves a table alone while a process holds its lease.
func (d *olderDatabase) refusesInit() {
	d.Helper()
	d.exits(11, initialise...)
	d.same(d.record.Queries)
}

// interruptInit lets init fail before and after each step of the migration of a landing table.
func (d *olderDatabase) interruptInit() {
	d.Helper()
	for _, c := range []struct {
		step  string
		after bool // it can also fail when the command has been executed
	}{
		{".create-merge table " + olderClaimed + "LandingKept", true},
		{".set-or-replace " + olderClaimed + "LandingKept", true},
		{".drop table " + olderClaimed + "Landing ", true},
		{".create table " + olderClaimed + "Landing (", false}, // else init goes on
		{".set-or-append " + olderClaimed + "Landing", true},
		{".drop table " + olderClaimed + "LandingKept", true},
	} {
		for _, apply := range []bool{false, true} {
			if apply && !c.after {
				continue
			}
			ids, err := d.server.Faults().Add(faults.Rule{Endpoint: faults.KustoMgmt, Match: c.step, Status: http.StatusForbidden, Apply: apply})
			if err != nil {
				d.Fatal(err)
			}
			if code, out, log := d.execute(initialise...); code != 4 {
				d.Errorf("%q is refused (executed: %t), and init ends with %d:\n%s%s", c.step, apply, code, log, out)
			}
			d.server.Faults().Remove(ids[0])
		}
	}
}

// historyFirst are queries whose rows the migration and later runs must keep.
var historyFirst = []string{
	"ExportRuns", "MigrationAuditLog", "ExportPartitions | project Table, RunId, Partition, WindowFrom, WindowTo, Rows, WindowNull",
	olderClaimed + "Raw", olderLanded + "Raw", olderArriving + "Raw",
}

// continuesFirst lets today's program export the tables, and compares what readers see with the source.
func (d *olderDatabase) continuesFirst() {
	d.Helper()
	said := byTable(d.exits(0, "run", "--json"))
	for table := range d.tables {
		if line := said[table]; line["status"] != "committed" || (line["finished"] != nil) != (table == olderClaimed) {
			d.Errorf("%s: the run says %v", table, line)
		}
	}
	for table, query := range d.tables {
		if readers, truth := d.landed(query), d.truth(query); readers != truth {
			d.Errorf("%s: readers see %d rows, other ones than the %d of the source", table, readers.Rows, truth.Rows)
		}
	}
	if n := d.landed(`ExportRuns | where State == "committed" | summarize Runs = count() by Table, Previous | where Runs > 1`).Rows; n > 0 {
		d.Errorf("%d runs have several successors", n)
	}
	d.exits(0, "verify", "--json")
}
