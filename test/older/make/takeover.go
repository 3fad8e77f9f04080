package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Tables that another exporter has filled. The program takes them over: of events the old rows are a run, of a state they are not.
const (
	oldEvents = "DeviceInfo"
	oldState  = "DeviceTvmInfoGathering"
)

// takeOver lets another exporter fill two tables, and the program take them over.
func (w *world) takeOver(ctx context.Context) error {
	for _, command := range []string{
		".create table MigrationConfiguration (SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LoadType:string, IsActive:bool)",
		".create table MigrationAuditLog (TableName:string, Timestamp:datetime, Status:string, FailureReason:string, RecordCount:int)",
	} {
		w.define("kusto-mgmt", command)
		if err := w.admin(ctx, command); err != nil {
			return err
		}
	}
	if err := w.oldExporter(ctx, oldEvents, "Timestamp", "Full"); err != nil {
		return err
	}
	if err := w.oldExporter(ctx, oldState, "None", "Incr"); err != nil {
		return err
	}
	return w.print("import", 0)
}

// oldExporter fills a table like the exporter that the program replaces.
func (w *world) oldExporter(ctx context.Context, table, column, load string) error {
	answer, err := w.server.State().Query(ctx, table)
	if err != nil {
		return err
	}
	var rows []map[string]json.RawMessage
	if err := answer.Decode(&rows); err != nil {
		return err
	}
	var lines strings.Builder
	const unknown = "null"
	newest := unknown
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
		if at := strings.Trim(string(r[column]), `"`); at != "" && at != "null" && (newest == unknown || at > newest) {
			newest = at
		}
	}
	for _, command := range []string{
		fmt.Sprintf(".create table %sRaw (Records:dynamic)", table),
		fmt.Sprintf(`.create-or-alter table %sRaw ingestion json mapping 'DynamicJsonMap' '[{"column":"Records","Properties":{"path":"$"},"datatype":"dynamic"}]'`, table),
		fmt.Sprintf(".ingest inline into table %sRaw with (format = 'multijson', ingestionMappingReference = 'DynamicJsonMap') <|\n%s", table, lines.String()),
		fmt.Sprintf(".set-or-append MigrationConfiguration <| print %q, %q, %q, datetime(%s), %q, true", table, table+"Raw", column, newest, load),
		fmt.Sprintf(`.set-or-append MigrationAuditLog <| print %q, now(), "Success", "", int(%d)`, table+"Raw", len(rows)),
	} {
		w.define("kusto-mgmt", command)
		if err := w.admin(ctx, command); err != nil {
			return err
		}
	}
	return nil
}
