package kusto

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/internal/promised"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// recorder writes the texts that a test sends where kqlcheck looks for them.
func recorder(t *testing.T) func(string) { return recorderIn(t, t.Name()) }

// recorderIn is recorder with a file of that name.
func recorderIn(t *testing.T, name string) func(string) {
	bothServices := func(text string) {
		if only := promised.OneOnly(text); only != "" {
			t.Errorf("a text is %s: %s", only, text)
		}
	}
	folder := os.Getenv("TVMEXPORT_RECORD_KQL")
	if folder == "" {
		return bothServices
	}
	name = strings.NewReplacer("/", "_").Replace("kusto_" + name + ".ndjson")
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	var mu sync.Mutex
	return func(text string) {
		bothServices(text)
		mu.Lock()
		defer mu.Unlock()
		kind := "query"
		if strings.HasPrefix(text, ".") {
			kind = "command"
		}
		_ = json.NewEncoder(f).Encode(map[string]string{"kind": kind, "text": text})
	}
}

var softwareTable = tvmexport.Table{
	Name: "DeviceTvmSoftwareInventory", Destination: "DeviceTvmSoftwareInventoryRaw", LoadType: tvmexport.Snapshot,
	Columns: []tvmexport.Column{
		{Name: "DeviceId", Type: "string"},
		{Name: "EndOfSupportDate", Type: "datetime"},
		{Name: "IsOld", Type: "bool"},
		{Name: "Count", Type: "long"},
		{Name: "Score", Type: "real"},
		{Name: "CveTags", Type: "dynamic"},
	},
}

// TestEmulatorSetUp: init works with user and ingestor alone, and the second
// one finds everything done.
func TestEmulatorSetUp(t *testing.T) {
	onStage(t, func(s stage) {
		tables := []tvmexport.Table{softwareTable, eventsTable}
		first, err := s.client.Setup().Init(s.Context(), tables, setup.Options{})
		s.must(err)
		commands, err := setup.Script(tables, setup.Options{})
		s.must(err)
		if len(first.Made) != len(commands)-1 || len(first.Notes) != 0 {
			s.Errorf("%d of %d commands were carried out, notes %q", len(first.Made), len(commands)-1, first.Notes)
		}
		second, err := s.client.Setup().Init(s.Context(), tables, setup.Options{})
		s.must(err)
		if len(second.Made) != 0 || len(second.Notes) != 0 {
			s.Errorf("the second init made %v, notes %q", second.Made, second.Notes)
		}
		for range 2 {
			s.must(s.client.Configuration().Configure(s.Context(), tables))
		}
		orders, err := s.client.Orders(s.Context())
		s.must(err)
		want := []tvmexport.Order{
			{Table: "DeviceProcessEvents", Into: "DeviceProcessEventsRaw", Load: tvmexport.Incremental, Column: "Timestamp", Active: true},
			{Table: "DeviceTvmSoftwareInventory", Into: "DeviceTvmSoftwareInventoryRaw", Load: tvmexport.Snapshot, Active: true},
		}
		if diff := cmp.Diff(want, orders); diff != "" {
			s.Errorf("orders (-want +got):\n%s", diff)
		}
		if n := s.ask(kql.ConfigurationTable + " | count"); n[0] != "2" {
			s.Errorf("%s configuration rows, want 2", n[0])
		}
		failed, err := s.client.CheckTables(s.Context(), tables)
		s.must(err)
		if len(failed) != 0 {
			s.Errorf("not ready: %v", failed)
		}
	})
}

// TestEmulatorExport is the life of a snapshot table: first state, second
// state with duplicate and late deliveries, audit, status.
func TestEmulatorExport(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		run1 := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		one := batch(run1, 1,
			`{"DeviceId":"3f01","EndOfSupportDate":"2026-05-28T07:06:58.4340352Z","IsOld":true,"Count":9007199254740993,"Score":5.5,"CveTags":["a",{"b":null}]}`,
			`{"DeviceId":"3f02","EndOfSupportDate":null,"IsOld":null,"Count":null,"Score":null,"CveTags":null}`)
		two := batch(run1, 2, `{"DeviceId":"3f03 \"q\" Zürich"}`)
		s.must(s.client.Land(s.Context(), one)) // delivered twice
		s.export(run1, one, two)
		if got := s.ask("DeviceTvmSoftwareInventory | getschema | project strcat(ColumnName, ':', ColumnType)"); strings.Join(got, " ") !=
			"DeviceId:string EndOfSupportDate:datetime IsOld:bool Count:long Score:real CveTags:dynamic" {
			s.Errorf("columns %q", got)
		}
		got := s.ask(`DeviceTvmSoftwareInventory | order by DeviceId asc | project strcat_delim("|", DeviceId, tostring(EndOfSupportDate), tostring(isnull(IsOld)), tostring(Count), tostring(Score), tostring(isnull(CveTags)), tostring(CveTags[0]))`)
		want := []string{
			"3f01|2026-05-28T07:06:58.4340352Z|False|9007199254740993|5.5|False|a",
			"3f02||True|||True|",
			`3f03 "q" Zürich||True|||True|`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			s.Errorf("rows (-want +got):\n%s", diff)
		}
		if n := s.ask("DeviceTvmSoftwareInventoryRaw | count"); n[0] != "3" {
			s.Errorf("%s published rows, want 3", n[0])
		}

		// Everything again, and a late delivery: nothing changes.
		s.must(s.client.Land(s.Context(), two))
		time.Sleep(time.Minute)
		s.export(run1, one, two)
		if n := s.ask("DeviceTvmSoftwareInventoryRaw | count"); n[0] != "3" {
			s.Errorf("after a repetition %s published rows, want 3", n[0])
		}

		// Another run on the same base comes too late.
		late := runOfTable(softwareTable, "20261123T050001Z-bbbbbbbbbbbb", "", tvmexport.FullRun)
		lateBatch := batch(late, 1, `{"DeviceId":"3f09"}`)
		s.land(late, lateBatch)
		if _, err := s.client.Publish(s.Context(), publicationOf(late, lateBatch)); !errors.Is(err, tvmexport.ErrSuperseded) {
			s.Errorf("a second run on one base: %v, want ErrSuperseded", err)
		}

		// The next state replaces what readers see; a run without commit does not.
		run2 := runOfTable(softwareTable, "20261124T050000Z-cccccccccccc", string(run1.ID), tvmexport.FullRun)
		next := batch(run2, 1, `{"DeviceId":"3f02"}`, `{"DeviceId":"3f04"}`)
		s.land(run2, next)
		_, err := s.client.Publish(s.Context(), publicationOf(run2, next))
		s.must(err)
		if n := s.ask("DeviceTvmSoftwareInventory | count"); n[0] != "3" {
			s.Errorf("before the commit readers see %s rows, want 3", n[0])
		}
		h, err := s.client.History(s.Context(), []tvmexport.Table{softwareTable})
		s.must(err)
		if at := h[softwareTable.Name]; at.Last == nil || at.Last.ID != run1.ID || at.Last.Rows != 3 || at.Publishing == nil || at.Publishing.Run.ID != run2.ID ||
			at.Publishing.Rows != 2 || len(at.Publishing.Partitions) != 1 || len(at.Partitions) != 1 || at.Partitions[0].Rows != 3 || at.Now.IsZero() {
			s.Errorf("history %+v, last %+v, publishing %+v", at, at.Last, at.Publishing)
		}
		resumed := *h[softwareTable.Name].Publishing
		out, err := s.client.Publish(s.Context(), resumed)
		s.must(err)
		rows := out.Rows
		s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: resumed.Run, Owner: "invocation", Rows: rows, Partitions: resumed.Partitions}))
		if got := s.ask("DeviceTvmSoftwareInventory | project DeviceId | order by DeviceId asc"); strings.Join(got, " ") != "3f02 3f04" {
			s.Errorf("after the second run readers see %q", got)
		}
		if got := s.ask(kql.RunsTable + ` | where State == "committed" | count`); got[0] != "2" {
			s.Errorf("%s commits, want 2", got[0])
		}

		outcomes := []tvmexport.Outcome{
			{Table: softwareTable.Name, Run: run2.ID, Rows: 2, At: time.Now().Add(-time.Minute)},
			{Table: eventsTable.Name, Err: errors.New("DNS: no such host"), At: time.Now()},
		}
		for range 2 {
			s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: "invocation", Outcomes: outcomes}))
		}
		audits, err := s.client.Reports().AuditLog(s.Context(), 10)
		s.must(err)
		if len(audits) != 2 || audits[0].Status != "Failed" || audits[0].Reason != "DNS: no such host" || audits[1].Status != "Success" || audits[1].Rows != 2 ||
			audits[0].At.Sub(audits[1].At).Round(time.Second) != time.Minute {
			s.Errorf("audit %+v", audits)
		}
		status, err := s.client.Reports().Status(s.Context())
		s.must(err)
		if len(status.Tables) != 1 || status.Tables[0].Last.ID != run2.ID || status.Tables[0].Audit.Rows != 2 || status.Tables[0].Publishing != "" || status.Tables[0].Holder != nil {
			s.Errorf("status %+v", status)
		}
	})
}

// TestEmulatorIncrements: a full run, then deltas, then a full one again.
// Watermarks are copied in every shape of the configuration.
func TestEmulatorIncrements(t *testing.T) {
	for name, shape := range map[string]string{
		"six": "SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LoadType:string, IsActive:bool",
		"ten": "Ordered:string, IsActive:bool, LoadType:string, LastRefreshedTimeInString:string, Began:long, SourceTable:string, WrittenAt:datetime, LastRefreshedTime:datetime, WatermarkColumn:string, DestinationTable:string",
		"":    "",
	} {
		t.Run(name, func(t *testing.T) { increments(t, shape) })
	}
}

// increments uses a configuration of the given columns, or that of init.
func increments(t *testing.T, shape string) {
	onStage(t, func(s stage) {
		if shape != "" {
			s.asAdmin(".create table MigrationConfiguration (" + shape + ")")
		}
		s.setUp(eventsTable)
		see := func(want string) {
			s.Helper()
			if got := strings.Join(s.ask("DeviceProcessEvents | project DeviceId | order by DeviceId asc"), " "); got != want {
				s.Errorf("readers see %q, want %q", got, want)
			}
		}
		previous := ""
		for _, step := range []struct {
			id   string
			kind tvmexport.RunKind
			row  string
			want string
		}{
			{"20261123T050000Z-aaaaaaaaaaaa", tvmexport.DeltaRun, "a", "a"},
			{"20261123T060000Z-bbbbbbbbbbbb", tvmexport.DeltaRun, "b", "a b"},
			{"20261123T070000Z-cccccccccccc", tvmexport.FullRun, "c", "c"},
			{"20261123T080000Z-dddddddddddd", tvmexport.DeltaRun, "d", "c d"},
		} {
			run := runOfTable(eventsTable, step.id, previous, step.kind)
			run.Watermark = time.Date(2026, 11, 23, 5, 0, 0, 1200, time.UTC)
			s.export(run, batch(run, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"`+step.row+`"}`))
			see(step.want)
			previous = step.id
			time.Sleep(time.Minute)
			s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: newOwner(), Outcomes: []tvmexport.Outcome{{Table: eventsTable.Name, Run: run.ID, Rows: 1, Watermark: run.Watermark, At: time.Now()}}}))
		}
		got := s.ask(kql.LatestView + ` | project strcat_delim("|", SourceTable, DestinationTable, WatermarkColumn, tostring(LastRefreshedTime), column_ifexists("LastRefreshedTimeInString", tostring(LastRefreshedTime)), LoadType, tostring(IsActive))`)
		want := []string{"DeviceProcessEvents|DeviceProcessEventsRaw|Timestamp|2026-11-23T05:00:00.0000012Z|2026-11-23T05:00:00.0000012Z|Incr|True"}
		if diff := cmp.Diff(want, got); diff != "" {
			s.Errorf("configuration (-want +got):\n%s", diff)
		}
		// An operator switches the table off; the next copy keeps it so.
		time.Sleep(time.Minute)
		s.asAdmin(`.set-or-append MigrationConfiguration <| MigrationConfiguration | top 1 by ingestion_time() desc | extend LastRefreshedTime = datetime(2026-11-23), IsActive = false`)
		time.Sleep(time.Minute)
		s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: newOwner(), Outcomes: []tvmexport.Outcome{{Table: eventsTable.Name, Run: "x", Watermark: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), At: time.Now()}}}))
		orders, err := s.client.Orders(s.Context())
		s.must(err)
		if len(orders) != 1 || orders[0].Active || !orders[0].From.Equal(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)) {
			s.Errorf("orders %+v, want one, switched off", orders)
		}
	})
}

// TestEmulatorRecordsOnly: the published table is somebody else's and has only
// Records, together with rows that are not ours.
func TestEmulatorRecordsOnly(t *testing.T) {
	onStage(t, func(s stage) {
		for _, text := range []string{
			".create table DeviceTvmSoftwareInventoryRaw (Records:dynamic)",
			`.set-or-append DeviceTvmSoftwareInventoryRaw <| print Records = dynamic({"DeviceId":"old"})`,
		} {
			_, err := s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: text})
			s.must(err)
		}
		setup, err := s.client.Setup().Init(s.Context(), []tvmexport.Table{softwareTable}, setup.Options{})
		s.must(err)
		if len(setup.Notes) != 1 || !strings.Contains(setup.Notes[0], kql.RecordsMapping) {
			s.Errorf("notes %q, want one on the mapping that is missing", setup.Notes)
		}
		s.setUp(softwareTable)
		run1 := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		s.export(run1, batch(run1, 1, `{"DeviceId":"3f01"}`), batch(run1, 2, `{"DeviceId":"3f02"}`))
		run2 := runOfTable(softwareTable, "20261124T050000Z-bbbbbbbbbbbb", string(run1.ID), tvmexport.FullRun)
		s.export(run2, batch(run2, 1, `{"DeviceId":"3f03"}`))
		if got := s.ask("DeviceTvmSoftwareInventory | project DeviceId"); strings.Join(got, " ") != "3f03" {
			s.Errorf("readers see %q, want the newest state alone", got)
		}
		if n := s.ask("DeviceTvmSoftwareInventoryRaw | count"); n[0] != "4" {
			s.Errorf("%s rows in the published table, want 4", n[0])
		}
	})
}

func TestEmulatorLeases(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable, eventsTable)
		both := []tvmexport.Table{softwareTable, eventsTable}
		acquire := func(owner string, want int, tables ...tvmexport.Table) {
			s.Helper()
			held, err := s.client.Acquire(s.Context(), tvmexport.Lease{Owner: owner, Tables: tables, Term: 5 * time.Minute})
			s.must(err)
			if len(held) != want {
				s.Errorf("%s: held %v, want %d tables", owner, held, want)
			}
			for _, by := range held {
				if by.Owner == owner || !by.Expires.After(time.Now()) {
					s.Errorf("%s: holder %+v", owner, by)
				}
			}
		}
		acquire("a", 0, softwareTable)
		acquire("b", 1, both...) // has the other table
		acquire("a", 1, both...)
		time.Sleep(4 * time.Minute)
		acquire("a", 0, softwareTable) // extended
		time.Sleep(2 * time.Minute)
		acquire("c", 1, both...) // b has expired, a has not
		s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: "a", Tables: both}))
		acquire("c", 0, both...)
	})
}

// TestEmulatorBadInput: what is not as it should be is one clear sentence and
// changes nothing.
func TestEmulatorBadInput(t *testing.T) {
	onStage(t, func(s stage) {
		_, err := s.client.Orders(s.Context())
		if tvmexport.CauseOf(err) != tvmexport.Rejected || !strings.Contains(err.Error(), "tvmexport init") {
			s.Errorf("an empty database: %v", err)
		}
		s.setUp(softwareTable)
		_, err = s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: `.set-or-append MigrationConfiguration <| print "T | take 1; .drop table X", "XRaw", "None", datetime(null), "", "Snapshot", true`})
		s.must(err)
		orders, err := s.client.Orders(s.Context())
		s.must(err)
		if len(orders) != 2 || orders[1].Err == nil || orders[0].Err != nil {
			s.Errorf("orders %+v", orders)
		}
		s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: newOwner(), Outcomes: []tvmexport.Outcome{{Table: orders[1].Table, Err: orders[1].Err, At: time.Now()}}}))
		if got := s.ask(kql.AuditTable + " | project TableName"); len(got) != 1 || got[0] != "XRaw" {
			s.Errorf("audit %q", got)
		}

		_, err = s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: `.create-or-alter table DeviceTvmSoftwareInventoryLanding ingestion json mapping "LandingMapV1" '[{"column":"Records","Properties":{"Path":"$.x"}}]'`})
		s.must(err)
		failed, err := s.client.CheckTables(s.Context(), []tvmexport.Table{softwareTable})
		s.must(err)
		if err := failed[softwareTable.Name]; err == nil || !strings.Contains(err.Error(), "was changed") {
			s.Errorf("a changed mapping: %v", err)
		}

		// The mapping is gone: the ingestion fails permanently, and that shows at once.
		_, err = s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: `.drop table DeviceTvmSoftwareInventoryLanding ingestion json mapping "LandingMapV1"`})
		s.must(err)
		run := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		run.StartedAt = time.Now().Add(-time.Hour)
		s.must(s.client.Land(s.Context(), batch(run, 1, `{"DeviceId":"3f01"}`)))
		for range 10 {
			delivery, derr := s.client.Landed(s.Context(), run)
			s.must(derr)
			if err = delivery.Failed; err != nil {
				break
			}
			time.Sleep(10 * time.Second)
		}
		if tvmexport.ActionOf(err) != tvmexport.Stop || err == nil || !strings.Contains(err.Error(), "failed permanently") {
			s.Errorf("a mapping that is gone: %v", err)
		}
	})
}

// TestContract runs the suite that every Destination passes.
func TestContract(t *testing.T) {
	contract.TestDestination(t, func(t *testing.T) contract.Harness {
		s := connected(t, emulatortest.New(t, emulatortest.Devices(1), emulatortest.CVEs(1), emulatortest.History(1)).Services())
		snapshot := softwareTable
		snapshot.Key.Column = "DeviceId"
		s.setUp(snapshot, eventsTable)
		return contract.Harness{
			Destination: s.client, Table: snapshot, Events: eventsTable, Wait: 5 * time.Minute,
			Published: func(t *testing.T, run tvmexport.RunID) int {
				n, err := strconv.Atoi(s.ask("DeviceTvmSoftwareInventoryRaw | where RunId == " + kql.Literal(string(run)) + " | count")[0])
				if err != nil {
					t.Fatal(err)
				}
				return n
			},
			Configure: func(_ *testing.T, row contract.ConfigRow) {
				s.asAdmin(fmt.Sprintf(`.set-or-append %s <| print SourceTable = %s, DestinationTable = %s, WatermarkColumn = %s,
    LastRefreshedTime = %s, LastRefreshedTimeInString = "", LoadType = %s, IsActive = %t`, kql.ConfigurationTable,
					kql.Literal(row.Table), kql.Literal(row.Into), kql.Literal(row.Watermark), kql.Datetime(row.From), kql.Literal(row.Load), row.Active))
			},
			Lose: func(_ *testing.T, run tvmexport.RunID) {
				s.asAdmin(fmt.Sprintf(".drop extents <| .show table %s extents where tags has %s", snapshot.Destination, kql.Literal(kql.RunTag(run))))
			},
			Raise: func(_ *testing.T, to tvmexport.StoredShape) { s.raise(to) },
		}
	})
}

// asAdmin sends a command that a database's administrator may give.
func (s stage) asAdmin(text string) {
	s.Helper()
	_, err := s.emulator.Command(s.Context(), "", text)
	s.must(err)
}
