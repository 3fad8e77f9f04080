package kusto

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-kusto-go/azkustoingest"
	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/takeover"
	"github.com/tvmexport/tvmexport/kusto/views"
)

func describe(name string) (tvmexport.Table, bool) {
	for _, t := range []tvmexport.Table{softwareTable, eventsTable} {
		if t.Name == name {
			return t, true
		}
	}
	return tvmexport.Table{}, false
}

// old pushes rows the way other exporters do: queued, through their mapping.
func (s stage) old(table, mapping string, rows ...string) {
	s.Helper()
	queue, err := s.admin.landing.OpenQueue(s.Context(), table)
	s.must(err)
	_, err = queue.FromReader(s.Context(), strings.NewReader(strings.Join(rows, "\n")+"\n"),
		azkustoingest.Table(table), azkustoingest.IngestionMappingRef(mapping, azkustoingest.JSON))
	s.must(err)
	before := s.ask(table + " | count")[0]
	for range 400 {
		if s.ask(table + " | count")[0] != before {
			return
		}
		time.Sleep(time.Second) // in the bubble
	}
	s.Fatalf("%s stays at %s rows", table, before)
}

func (s stage) administer(texts ...string) {
	s.Helper()
	for _, text := range texts {
		_, err := s.admin.conn.Command(s.Context(), conn.Statement{Op: "test", Text: text})
		s.must(err)
	}
}

// TestEmulatorTakeOver is the life of two tables that the original system had
// filled, with the roles of user and ingestor alone.
func TestEmulatorTakeOver(t *testing.T) {
	onStage(t, func(s stage) {
		s.administer(
			".create table MigrationConfiguration (SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LoadType:string, IsActive:bool)",
			".create table MigrationAuditLog (TableName:string, Timestamp:datetime, Status:string, FailureReason:string, RecordCount:int)",
		)
		for _, table := range []string{"DeviceProcessEventsRaw", "DeviceTvmSoftwareInventoryRaw"} {
			s.administer(".create table "+table+" (Records:dynamic)",
				".create-or-alter table "+table+` ingestion json mapping 'DynamicJsonMap' '[{"column":"Records","Properties":{"path":"$"},"datatype":"dynamic"}]'`)
		}
		now := time.Now().UTC()
		at := func(hours int) string {
			return now.Add(time.Duration(hours) * time.Hour).Truncate(time.Second).Format(time.RFC3339)
		}
		s.old("DeviceProcessEventsRaw", "DynamicJsonMap",
			fmt.Sprintf(`{"Timestamp":%q,"DeviceId":"a","IngestionTime":%q}`, at(-30), at(-29)),
			fmt.Sprintf(`{"Timestamp":%q,"DeviceId":"b"}`, at(-5)), fmt.Sprintf(`{"Timestamp":%q,"DeviceId":"b"}`, at(-5)))
		s.old("DeviceTvmSoftwareInventoryRaw", "DynamicJsonMap", `{"DeviceId":"x","IsOld":1}`, `{"DeviceId":"x","IsOld":1}`)
		time.Sleep(3 * time.Hour)
		s.old("DeviceTvmSoftwareInventoryRaw", "DynamicJsonMap", `{"DeviceId":"x","IsOld":1}`)
		s.administer(fmt.Sprintf(`.set-or-append MigrationConfiguration <| datatable (SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LoadType:string, IsActive:bool) [
			"DeviceProcessEvents", "DeviceProcessEventsRaw", "Timestamp", datetime(%s), "Incr", true,
			"DeviceTvmSoftwareInventory", "DeviceTvmSoftwareInventoryRaw", "None", datetime(null), "Full", true]`, at(-4)))
		time.Sleep(time.Minute)

		list, err := s.client.Takeover().Takeovers(s.Context(), describe, nil)
		s.must(err)
		if len(list) != 2 || list[0].Rows != 3 || !list[0].Joined || list[0].Reconfigure || list[0].Watermark.Format(time.RFC3339) != at(-5) ||
			list[1].Rows != 3 || list[1].Joined || !list[1].Reconfigure {
			s.Fatalf("found %+v", list)
		}
		tables := []tvmexport.Table{list[0].Table, list[1].Table}
		_, err = s.client.Setup().Init(s.Context(), tables, setup.Options{})
		s.must(err)

		// Not while somebody exports a table.
		held := tvmexport.Lease{Owner: "somebody", Tables: tables[1:], Term: time.Minute}
		_, err = s.client.Acquire(s.Context(), held)
		s.must(err)
		if err := s.client.Takeover().TakeOver(s.Context(), newOwner(), list); tvmexport.CauseOf(err) != tvmexport.LeaseHeld {
			s.Errorf("with the lease held: %v", err)
		}
		s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: "somebody", Tables: held.Tables}))
		for range 2 {
			s.must(s.client.Takeover().TakeOver(s.Context(), newOwner(), list))
		}
		if got := strings.Join(s.ask(kql.RunsTable+` | where Kind == "legacy" | project strcat_delim(" ", Table, State, Rows) | order by Column1 asc`), "; "); got != "DeviceProcessEvents committed 3; DeviceTvmSoftwareInventory takenover 3" {
			s.Errorf("the ledger says %q", got)
		}
		if got := strings.Join(s.ask(kql.LatestView+` | project strcat_delim(" ", SourceTable, LoadType, WatermarkColumn) | order by Column1 asc`), "; "); got != "DeviceProcessEvents Incr Timestamp; DeviceTvmSoftwareInventory Snapshot None" {
			s.Errorf("the configuration says %q", got)
		}
		if got := strings.Join(s.ask("DeviceProcessEvents | project DeviceId | order by DeviceId asc"), " "); got != "a b b" {
			s.Errorf("readers see %q of the old rows", got)
		}
		if got := s.ask("DeviceTvmSoftwareInventory | count")[0]; got != "0" {
			s.Errorf("%s old rows are part of the current state", got)
		}

		// The report: a copy within an hour, and one within a load, not between loads.
		list, err = s.client.Takeover().Takeovers(s.Context(), describe, nil)
		s.must(err)
		for i, want := range []int64{1, 1} {
			if list[i].Since.IsZero() {
				s.Errorf("%s is not known as taken over", list[i].Table.Name)
			}
			days, err := s.client.Takeover().LegacyDays(s.Context(), list[i])
			s.must(err)
			var copies int64
			for _, d := range days {
				copies += d.Copies
			}
			if copies != want {
				s.Errorf("%s: %d copies, want %d: %+v", list[i].Table.Name, copies, want, days)
			}
		}

		// What the old audit says of a day, and what came in.
		s.administer(fmt.Sprintf(`.set-or-append MigrationAuditLog <| datatable (TableName:string, Timestamp:datetime, Status:string, FailureReason:string, RecordCount:int) [
			"DeviceProcessEventsRaw", datetime(%[1]s), "Success", "", 5, "DeviceProcessEventsRaw", datetime(%[1]s), "Failed", "429", 0, "DeviceTvmSoftwareInventoryRaw", datetime(%[1]s), "Success", "", 3]`, at(0)))
		runs, err := s.client.Takeover().LegacyAudit(s.Context(), list[0])
		s.must(err)
		if len(runs) != 1 || runs[0] != (takeover.LegacyRuns{Day: now.Truncate(24 * time.Hour), Runs: 2, Failed: 1, Sent: 5, Ingested: 3}) || !runs[0].Short() {
			s.Errorf("audit %+v", runs)
		}

		// A run continues: of the hour that is asked for again only what is missing comes in.
		h, err := s.client.History(s.Context(), tables)
		s.must(err)
		events := h[eventsTable.Name]
		if events.Last == nil || events.Last.Kind != tvmexport.LegacyRun || events.Last.Watermark.Format(time.RFC3339) != at(-5) || events.Legacy == nil || events.Legacy.Strays != 0 ||
			h[softwareTable.Name].Last != nil || h[softwareTable.Name].Legacy == nil {
			s.Fatalf("history %+v", h)
		}
		run := runOfTable(tables[0], "20261201T050000Z-aaaaaaaaaaaa", string(events.Last.ID), tvmexport.DeltaRun)
		late := batch(run, 1, fmt.Sprintf(`{"Timestamp":%q,"DeviceId":"b"}`, at(-5)), fmt.Sprintf(`{"Timestamp":%q,"DeviceId":"c"}`, at(-5)))
		s.land(run, late)
		hours, err := s.client.HourlyCounts(s.Context(), tables[0], tvmexport.Window{To: now})
		s.must(err)
		if len(hours) != 2 || hours[0].Rows != 1 || hours[1].Rows != 1 {
			s.Errorf("hours %+v, want two of one row: copies must not hide what is missing", hours)
		}
		lacking, err := s.client.CountMissing(s.Context(), run, []tvmexport.BatchInfo{{ID: late.ID, Slice: tvmexport.Slice{Window: tvmexport.Window{To: now}}}})
		s.must(err)
		if lacking[late.ID] != 1 {
			s.Errorf("missing rows %v, want the one row that is not there", lacking)
		}
		p := publicationOf(run, late)
		p.Rows, p.Steps[0].Rows, p.Steps[0].Late = 1, 1, &tvmexport.Window{To: now}
		out, err := s.client.Publish(s.Context(), p)
		s.must(err)
		s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: run, Owner: "o", Rows: out.Rows}))
		if got := strings.Join(s.ask("DeviceProcessEvents | project DeviceId | order by DeviceId asc"), " "); got != "a b b c" {
			s.Errorf("readers see %q", got)
		}

		// The old script still runs: its rows are not seen, and are counted.
		s.old("DeviceProcessEventsRaw", "DynamicJsonMap", fmt.Sprintf(`{"Timestamp":%q,"DeviceId":"d"}`, at(-1)))
		h, err = s.client.History(s.Context(), tables)
		s.must(err)
		if l := h[eventsTable.Name].Legacy; l.Strays != 1 || !l.StrayAt.After(l.Until) {
			s.Errorf("strays %+v, want one", l)
		}
		if l := h[softwareTable.Name].Legacy; l.Strays != 0 {
			s.Errorf("strays of the other table %+v", l)
		}
		if got := strings.Join(s.ask("DeviceProcessEvents | project DeviceId | order by DeviceId asc"), " "); got != "a b b c" {
			s.Errorf("readers see %q", got)
		}
	})
}

// TestEmulatorTakeOverSibling: eight columns, RawData, and a table that the
// other exporter never made.
func TestEmulatorTakeOverSibling(t *testing.T) {
	onStage(t, func(s stage) {
		s.administer(
			".create table meta_MigrationConfiguration (SourceTable:string, DestinationFolder:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, HighWatermark:datetime, LoadType:string, IsActive:bool)",
			".create-merge table DeviceTvmSoftwareInventoryRaw (Watermark_IngestionTime:datetime, RawData:dynamic) with (folder = 'raw')",
			`.create-or-alter table DeviceTvmSoftwareInventoryRaw ingestion json mapping 'RawDataMap' '[{"column":"Watermark_IngestionTime","path":"$.Watermark_IngestionTime","datatype":"datetime"},{"column":"RawData","path":"$","datatype":"dynamic"}]'`,
			`.set-or-append meta_MigrationConfiguration <| datatable (SourceTable:string, DestinationFolder:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, HighWatermark:datetime, LoadType:string, IsActive:bool) [
				"DeviceTvmSoftwareInventory", "raw", "DeviceTvmSoftwareInventoryRaw", "Watermark_IngestionTime", datetime(2026-11-20), datetime(2026-11-20), "Full", false,
				"DeviceProcessEvents", "raw", "DeviceProcessEventsRaw", "Timestamp", datetime(null), datetime(null), "Incr", true]`,
		)
		s.old("DeviceTvmSoftwareInventoryRaw", "RawDataMap", `{"DeviceId":"x","Watermark_IngestionTime":"2026-11-20T00:00:00Z"}`)
		list, err := s.client.Takeover().Takeovers(s.Context(), describe, nil)
		s.must(err)
		if len(list) != 2 || !list[0].Absent || list[0].Joined || list[1].Rows != 1 || list[1].Old.Active {
			s.Fatalf("found %+v", list)
		}
		tables := []tvmexport.Table{list[0].Table, list[1].Table}
		_, err = s.client.Setup().Init(s.Context(), tables, setup.Options{})
		s.must(err)
		s.must(s.client.Takeover().TakeOver(s.Context(), newOwner(), list))
		orders, err := s.client.Orders(s.Context())
		s.must(err)
		want := []tvmexport.Order{
			{Table: "DeviceProcessEvents", Into: "DeviceProcessEventsRaw", Load: tvmexport.Incremental, Column: "Timestamp", Active: true},
			{Table: "DeviceTvmSoftwareInventory", Into: "DeviceTvmSoftwareInventoryRaw", Load: tvmexport.Snapshot, From: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)},
		}
		if diff := cmp.Diff(want, orders); diff != "" {
			s.Errorf("orders (-want +got):\n%s", diff)
		}
		if got := s.ask(kql.RunsTable + ` | where Kind == "legacy" | project strcat_delim(" ", Table, State, Rows)`); strings.Join(got, "; ") != "DeviceTvmSoftwareInventory takenover 1" {
			s.Errorf("the ledger says %q", got)
		}
		failed, err := s.client.CheckTables(s.Context(), tables)
		s.must(err)
		if len(failed) != 0 {
			s.Errorf("not ready: %v", failed)
		}
		runs, err := s.client.Takeover().LegacyAudit(s.Context(), list[1])
		if err != nil || len(runs) != 0 {
			s.Errorf("without an audit: %+v, %v", runs, err)
		}
		s.administer(
			".create table meta_MigrationAudit (ingestion_id:string, ingestion_timestamp:datetime, folder:string, table:string, success:bool, records_processed:long, chunked:bool, chunks_processed:int, chunks_failed:int, chunk_results:dynamic, error:string)",
			`.set-or-append meta_MigrationAudit <| print "x", now(), "raw", "DeviceTvmSoftwareInventoryRaw", false, long(7), true, int(1), int(1), dynamic([]), "429"`,
		)
		if runs, err = s.client.Takeover().LegacyAudit(s.Context(), list[1]); err != nil || len(runs) != 1 || runs[0].Failed != 1 || runs[0].Sent != 7 || runs[0].Ingested != 1 {
			s.Errorf("audit %+v, %v", runs, err)
		}
	})
}

// TestEmulatorContent: records of equal content are recognised as equal, regardless
// of the exporter and the interface that wrote them.
func TestEmulatorContent(t *testing.T) {
	onStage(t, func(s stage) {
		ours := `{"DeviceId":"a","EndOfSupportDate":"2026-05-28T07:06:58.1000000Z","IsOld":true,"Count":7,"Score":5.0,"CveTags":["x",{"b":null}]}`
		for _, c := range []struct {
			theirs string
			equal  bool
		}{
			{ours, true},
			{`{"DeviceId":"a","EndOfSupportDate":"2026-05-28T07:06:58.1Z","IsOld":1,"Count":7,"Score":5,"CveTags":["x",{"b":null}],"IngestionTime":"2026-05-28T08:00:00Z"}`, true},
			{`{"DeviceId":"a","EndOfSupportDate":"2026-05-28T07:06:58.1Z","IsOld":1,"Count":7,"Score":5,"CveTags":"[\"x\",{\"b\":null}]"}`, true},
			{`{"DeviceId":"a","EndOfSupportDate":"2026-05-28T07:06:58.1Z","IsOld":0,"Count":7,"Score":5,"CveTags":["x",{"b":null}]}`, false},
			{`{"DeviceId":"a","EndOfSupportDate":"2026-05-28T07:06:58.1Z","IsOld":1,"Count":7,"Score":5,"CveTags":["y"]}`, false},
			{`{"DeviceId":"a"}`, false},
		} {
			got := s.ask(fmt.Sprintf("print Mine = parse_json(%s), Theirs = parse_json(%s) | project tostring(%s == %s)",
				kql.Literal(ours), kql.Literal(c.theirs), views.RecordContent(softwareTable, "Mine"), views.RecordContent(softwareTable, "Theirs")))
			if got[0] != map[bool]string{true: "True", false: "False"}[c.equal] {
				s.Errorf("%s: equal is %s, want %t", c.theirs, got[0], c.equal)
			}
		}
		null := s.ask(fmt.Sprintf(`print Mine = parse_json('{"DeviceId":"a","IsOld":null,"CveTags":null,"EndOfSupportDate":null}'), Theirs = parse_json('{"DeviceId":"a"}') | project tostring(%s == %s)`,
			views.RecordContent(softwareTable, "Mine"), views.RecordContent(softwareTable, "Theirs")))
		if null[0] != "True" {
			s.Errorf("nulls and missing members differ")
		}
		masked := softwareTable
		masked.Policy.Pseudonymise = []string{"DeviceId"}
		hidden := s.ask(fmt.Sprintf(`print Mine = parse_json('{"DeviceId":"k1:99","Count":1}'), Theirs = parse_json('{"DeviceId":"a","Count":1}') | project tostring(%s == %s)`,
			views.RecordContent(masked, "Mine"), views.RecordContent(masked, "Theirs")))
		if hidden[0] != "True" {
			s.Errorf("a pseudonym makes rows of equal content differ")
		}
	})
}
