package kusto

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// TestEmulatorFitRefused: what somebody else made is his to alter; the sentence
// says what he has to do.
func TestEmulatorFitRefused(t *testing.T) {
	onStage(t, func(s stage) {
		_, err := s.admin.Setup().Init(s.Context(), []tvmexport.Table{softwareTable}, setup.Options{})
		s.must(err)
		changes, err := s.client.SyncSchema(s.Context(), softwareTable)
		s.must(err)
		if len(changes) != 0 {
			s.Errorf("nothing differs, and %q was changed", changes)
		}
		grown := softwareTable
		grown.Columns = append(grown.Columns[:len(grown.Columns):len(grown.Columns)], typed("Publisher", "string")...)
		_, err = s.client.SyncSchema(s.Context(), grown)
		var e *tvmexport.Error
		if !errors.As(err, &e) || e.Cause != tvmexport.Permission || !strings.Contains(e.Hint, ".alter-merge table DeviceTvmSoftwareInventoryTyped (Publisher:string)") {
			s.Errorf("a column of somebody else's table: %v, hint of %+v", err, e)
		}
		_, err = s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: ".alter-merge table DeviceTvmSoftwareInventoryTyped (Publisher:string)"})
		s.must(err)
		changes, err = s.client.SyncSchema(s.Context(), grown)
		s.must(err)
		if len(changes) != 3 || !strings.Contains(changes[0], "let its administrator run tvmexport init") {
			s.Errorf("functions of somebody else: %q", changes)
		}
	})
}

// TestEmulatorTakenName: init does not change a table or a function of a wanted name that is not ours.
func TestEmulatorTakenName(t *testing.T) {
	onStage(t, func(s stage) {
		for _, text := range []string{
			".create table DeviceTvmSoftwareInventoryTyped (Mine:string)",
			`.create function DeviceTvmSoftwareInventoryAsOf(t: datetime) { print t }`,
		} {
			_, err := s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: text})
			s.must(err)
		}
		tables := []tvmexport.Table{softwareTable}
		setup, err := s.client.Setup().Init(s.Context(), tables, setup.Options{})
		s.must(err)
		notes := strings.Join(setup.Notes, "\n")
		for _, says := range []string{
			"table DeviceTvmSoftwareInventoryTyped was not created by tvmexport", "rename it, or set layout to raw",
			"the function DeviceTvmSoftwareInventoryAsOf was not created by tvmexport and was not changed: set functions.prefix",
			"the function DeviceTvmSoftwareInventoryChanges was not changed either, because it reads from DeviceTvmSoftwareInventoryAsOf",
		} {
			if !strings.Contains(notes, says) {
				s.Errorf("notes %q do not say %q", setup.Notes, says)
			}
		}
		if d := cmp.Diff([]string{"Mine"}, s.ask("DeviceTvmSoftwareInventoryTyped | getschema | project ColumnName")); d != "" {
			s.Errorf("their table (-want +got):\n%s", d)
		}
		failed, err := s.client.CheckTables(s.Context(), tables)
		s.must(err)
		if err := failed[softwareTable.Name]; err == nil || !strings.Contains(err.Error(), "was not created by tvmexport") {
			s.Errorf("a run would begin: %v", err)
		}
		if _, err := s.client.SyncSchema(s.Context(), softwareTable); err == nil || !strings.Contains(err.Error(), "was not created by tvmexport") {
			s.Errorf("Fit: %v", err)
		}
	})
}

// TestEmulatorNulled counts what conversion makes null, and nothing else.
func TestEmulatorNulled(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		run := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		b := batch(run, 1, `{"DeviceId":"3f01","Count":"many","EndOfSupportDate":"soon","IsOld":true,"CveTags":"x"}`, `{"DeviceId":"3f02","Count":1.5,"EndOfSupportDate":"","Score":null}`, `{"DeviceId":"3f03","Count":7,"IsOld":0}`)
		want := []string{
			"1 values do not fit the type datetime of column EndOfSupportDate and are null in table DeviceTvmSoftwareInventoryTyped",
			"1 values do not fit the type long of column Count and are null in table DeviceTvmSoftwareInventoryTyped",
		}
		if d := cmp.Diff(want, s.export(run, b)); d != "" {
			s.Errorf("(-want +got):\n%s", d)
		}
	})
}
