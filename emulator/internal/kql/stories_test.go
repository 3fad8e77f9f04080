package kql_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

// The queries of exporters that page by row number, and of those that let an
// answer carry its own count.
func TestExporterQueries(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{
		"Events": `datatable(DeviceId:string, Timestamp:datetime, Action:string)[
			'3f01', datetime(2026-11-20 10:00:00.1234567), 'a', '3f02', datetime(2026-11-21), 'b', 'a001', datetime(2026-11-22), 'c', '', datetime(null), 'd']`,
		"MigrationConfiguration": `datatable(SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LoadType:string, IsActive:bool)[
			'Events', 'EventsRaw', 'Timestamp', datetime(2026-11-01), 'Incr', true, 'Events', 'EventsRaw', 'Timestamp', datetime(2026-11-02), 'Incr', false]`,
		"EventsRaw": `datatable(Records:dynamic, RunId:string)[
			dynamic({"DeviceId":"3f01","Timestamp":"2026-11-20T10:00:00.1234567Z","Count":9007199254740993}), 'r1', dynamic(null), 'r2']`,
	})}
	checkAll(t, c, []queryTest{
		{"a page by row number", `Events | where Timestamp > datetime(2026-11-19) | order by Timestamp desc | serialize rownum = row_number()
			| where rownum between (1 .. 2) | project-away rownum`, `
			DeviceId:string Timestamp:datetime Action:string
			a001 | 2026-11-22T00:00:00.0000000Z | c
			3f02 | 2026-11-21T00:00:00.0000000Z | b`},
		{"by ingestion time", `Events | extend IngestionTime = ingestion_time() | where isnull(IngestionTime) | count`, `
			Count:long
			4`},
		{"ascending", `Events | sort by Timestamp asc | extend rownum = row_number() | where rownum > 2 | project DeviceId, rownum`, `
			DeviceId:string rownum:long
			3f02 | 3
			a001 | 4`},
		{"an answer with its own count", `let answer = Events | where DeviceId startswith_cs "3f" | project DeviceId, Action;
			union (answer), (answer | summarize RowsOfAnswer = count() | project DeviceId = strcat("abc:", tostring(RowsOfAnswer)))`, `
			DeviceId:string Action:string
			3f01 | a
			3f02 | b
			abc:2 |`},
		{"a plan", `Events | extend PartitionKey = DeviceId | summarize Rows = count(), Low = min(PartitionKey), High = max(PartitionKey) by Part = substring(PartitionKey, 0, 2)
			| extend Now = now() | sort by Part asc`, `
			Part:string Rows:long Low:string High:string Now:datetime
			| 1 |  |  | 2026-11-23T12:00:00.0000000Z
			3f | 2 | 3f01 | 3f02 | 2026-11-23T12:00:00.0000000Z
			a0 | 1 | a001 | a001 | 2026-11-23T12:00:00.0000000Z`},
		{"the latest configuration", `MigrationConfiguration | summarize arg_max(LastRefreshedTime, *) by SourceTable | project SourceTable, IsActive`, `
			SourceTable:string IsActive:bool
			Events | false`},
		{"a read function", `EventsRaw | where RunId in ((datatable(RunId:string)['r1'])) | project DeviceId = tostring(Records.DeviceId),
			Timestamp = todatetime(Records["Timestamp"]), Count = tolong(Records.Count)`, `
			DeviceId:string Timestamp:datetime Count:long
			3f01 | 2026-11-20T10:00:00.1234567Z | 9007199254740993`},
		{"null records", `EventsRaw | summarize Copies = count(), Nulls = countif(isnull(Records)) by RunId | summarize sum(Copies), sumif(Nulls, RunId == "r2")`, `
			sum_Copies:long sumif_Nulls:long
			2 | 1`},
		{"days", `Events | where isnotnull(Timestamp) | summarize count() by bin(Timestamp, 1d) | count`, `
			Count:long
			3`},
		{"as JSON text", `EventsRaw | project r = dynamic_to_json(Records) | where r != "null" | project strlen(r) > 10`, `
			Column1:bool
			true`},
	})
}

func TestNowIsThatOfTheEnvironment(t *testing.T) {
	env := kql.Environment{Now: time.Date(2026, 1, 1, 0, 0, 0, 700, time.UTC)}
	q, err := kql.Compile("print now()", env)
	if err != nil {
		t.Fatal(err)
	}
	for row := range q.Statements[0].Rows(t.Context()) {
		if got := row[0].String(); got != "2026-01-01T00:00:00.0000007Z" {
			t.Errorf("now() is %s", got)
		}
	}
}
