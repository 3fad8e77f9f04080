package kusto

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// TestEmulatorVersions: a version of the program that words comments, messages and
// docstrings differently has made the functions. No step replaces them, unless they
// do something else.
func TestEmulatorVersions(t *testing.T) {
	onStage(t, func(s stage) {
		table := softwareTable
		table.NaturalKey = []string{"DeviceId"}
		tables := []tvmexport.Table{table, eventsTable}
		s.setUp(tables...)
		names := []string{
			"DeviceProcessEvents", "DeviceProcessEventsAsOf", "DeviceProcessEventsChanges",
			"DeviceTvmSoftwareInventory", "DeviceTvmSoftwareInventoryAsOf", "DeviceTvmSoftwareInventoryChanges",
		}
		first := s.functions(names...)
		if n := s.functionCommands(); n != int64(len(names)+1) { // and that of the configuration
			t.Fatalf("%d commands have made functions", n)
		}

		runs, previous := 0, ""
		use := func(as string) {
			s.Helper()
			before, stored := s.functionCommands(), s.functions(names...)
			for range 2 {
				made, err := s.client.Setup().Init(s.Context(), tables, setup.Options{})
				s.must(err)
				if len(made.Made) != 0 || len(made.Notes) != 0 {
					s.Errorf("%s: init made %v, notes %q", as, made.Made, made.Notes)
				}
			}
			planned, err := s.client.Setup().Plan(s.Context(), tables, setup.Options{})
			s.must(err)
			if len(planned.Made) != 0 {
				s.Errorf("%s: a check finds %v to be made", as, planned.Made)
			}
			for _, t := range tables {
				changes, err := s.client.SyncSchema(s.Context(), t)
				s.must(err)
				if len(changes) != 0 {
					s.Errorf("%s: %q", as, changes)
				}
			}
			runs++
			run := runOfTable(table, fmt.Sprintf("2026112%dT050000Z-aaaaaaaaaaaa", runs), previous, tvmexport.FullRun)
			s.export(run, batch(run, 1, `{"DeviceId":"3f01"}`))
			previous = string(run.ID)
			_, err = s.client.Backfill(s.Context(), table)
			s.must(err)
			if n := s.functionCommands() - before; n != 0 {
				s.Errorf("%s: %d commands wrote functions, want none", as, n)
			}
			if d := cmp.Diff(stored, s.functions(names...)); d != "" {
				s.Errorf("%s: functions (-before +after):\n%s", as, d)
			}
		}
		use("the same version")
		for name, text := range first {
			if reworded(text) == text || strings.Contains(text, "assert(") != strings.Contains(reworded(text), "another message") {
				t.Fatalf("%s is not worded differently: %s", name, reworded(text))
			}
			s.define(name, "as another version describes it", reworded(text))
		}
		use("another version")
		if d := cmp.Diff([]string{"1"}, s.ask("DeviceTvmSoftwareInventory | count")); d != "" {
			s.Errorf("rows that readers see (-want +got):\n%s", d)
		}

		for _, change := range [][]string{{`"DeviceTvmSoftwareInventory"`, `"Another"`}, {"At <= t", "At < t"}, {"t: datetime", "at: datetime", "<= t", "<= at", "(t)", "(at)"}, {"Gone == 0", "Gone == 1"}} {
			s.define("DeviceTvmSoftwareInventoryAsOf", "", strings.NewReplacer(change...).Replace(first["DeviceTvmSoftwareInventoryAsOf"]))
			before := s.functionCommands()
			changes, err := s.client.SyncSchema(s.Context(), table)
			s.must(err)
			if d := cmp.Diff([]string{"function DeviceTvmSoftwareInventoryAsOf was updated"}, changes); d != "" {
				s.Errorf("%q (-want +got):\n%s", change, d)
			}
			if n := s.functionCommands() - before; n != 1 {
				s.Errorf("%q: %d commands wrote functions, want 1", change, n)
			}
			if got := s.functions("DeviceTvmSoftwareInventoryAsOf")["DeviceTvmSoftwareInventoryAsOf"]; got != first["DeviceTvmSoftwareInventoryAsOf"] {
				s.Errorf("%q is still in the function: %s", change, got)
			}
		}
	})
}

var messages = regexp.MustCompile(`(?m)^(.*assert\(.*, )".*"\)$`)

// reworded is the text of a function with other comments, messages and lines.
func reworded(text string) string {
	text = messages.ReplaceAllString(text, `$1'another message (with a "quote")' " // of two parts")`)
	text = strings.ReplaceAll(text, "\n    ", " // what comes next is's own line {\r\n  ")
	return strings.TrimSuffix(text, "}") + "// the end\n}"
}

// functions are the texts of stored functions by name.
func (s stage) functions(names ...string) map[string]string {
	s.Helper()
	inv, err := s.client.conn.Schema(s.Context(), "test", true)
	s.must(err)
	out := map[string]string{}
	for name, f := range inv.Functions {
		if slices.Contains(names, name) {
			out[name] = f.Text
		}
	}
	if len(out) != len(names) {
		s.Fatalf("%d functions of %q", len(out), names)
	}
	return out
}

// define stores a function as tvmexport does, with another docstring and text.
func (s stage) define(name, doc, text string) {
	s.Helper()
	_, err := s.client.conn.Command(s.Context(), conn.Statement{Op: "test", Text: fmt.Sprintf(
		".create-or-alter function with (docstring = %s, folder = %s, skipvalidation = 'true') %s%s", kql.Literal(doc), kql.Literal(kql.Folder), name, text)})
	s.must(err)
}

// functionCommands counts the commands that have written stored functions.
func (s stage) functionCommands() (n int64) {
	for command, count := range s.emulator.Stats().Kusto.Commands {
		if strings.Contains(command, "function") && !strings.HasPrefix(command, ".show") {
			n += count
		}
	}
	return n
}
