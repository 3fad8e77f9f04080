//go:build !noemulator

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// oldExporter behaves like an exporter that import takes over: it asks the
// legacy API, pushes rows through the mapping of its own, and appends to a
// configuration of its own.
type oldExporter struct {
	config, mapping, payload string
	columns                  string // of the configuration
}

var oldExporters = map[string]oldExporter{
	"six": {
		config: "MigrationConfiguration", mapping: "DynamicJsonMap", payload: "Records",
		columns: "SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LoadType:string, IsActive:bool",
	},
	"seven": {
		config: "MigrationConfiguration", mapping: "DynamicJsonMap", payload: "Records",
		columns: "SourceTable:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, LastRefreshedTimeInString:string, LoadType:string, IsActive:bool",
	},
	"sibling": {
		config: "meta_MigrationConfiguration", mapping: "RawDataMap", payload: "RawData",
		columns: "SourceTable:string, DestinationFolder:string, DestinationTable:string, WatermarkColumn:string, LastRefreshedTime:datetime, HighWatermark:datetime, LoadType:string, IsActive:bool",
	},
}

// cmdOldExporter is oldexporter six|seven|sibling TABLE COLUMN LOADTYPE [KQL]:
// one run of an old exporter over the rows of the table that the operators KQL leave.
func cmdOldExporter(ts *testscript.TestScript, _ bool, args []string) {
	e := emulators.get(ts)
	kind, ok := oldExporters[args[0]]
	if !ok || len(args) < 4 {
		ts.Fatalf("oldexporter %q", args)
	}
	table, column, load := args[1], args[2], args[3]
	raw := table + "Raw"
	query := table
	mark := column
	switch column {
	case "None":
		query, mark = table+" | extend IngestionTime = ingestion_time()", "IngestionTime"
	case "Watermark_IngestionTime":
		query += " | extend Watermark_IngestionTime = ingestion_time()"
	}
	if len(args) > 4 {
		query += " " + args[4]
	}
	ts.Check(e.command(fmt.Sprintf(".create-merge table %s (%s)", kind.config, kind.columns)))
	ts.Check(e.command(".create-merge table MigrationAuditLog (TableName:string, Timestamp:datetime, Status:string, FailureReason:string, RecordCount:int)"))
	if kind.payload == "Records" {
		ts.Check(e.command(fmt.Sprintf(".create-merge table %s (Records:dynamic)", raw)))
		ts.Check(e.command(fmt.Sprintf(`.create-or-alter table %s ingestion json mapping 'DynamicJsonMap' '[{"column":"Records","Properties":{"path":"$"},"datatype":"dynamic"}]'`, raw)))
	} else {
		ts.Check(e.command(fmt.Sprintf(".create-merge table %s (%s:datetime, RawData:dynamic)", raw, column)))
		ts.Check(e.command(fmt.Sprintf(`.create-or-alter table %s ingestion json mapping 'RawDataMap' '[{"column":"%s","path":"$.%s","datatype":"datetime"},{"column":"RawData","path":"$","datatype":"dynamic"}]'`, raw, column, column)))
	}

	rows := e.legacyAPI(ts, query)
	newest := ""
	for page := range slices.Chunk(rows, 200) {
		var lines bytes.Buffer
		for _, r := range page {
			var row map[string]any
			ts.Check(json.Unmarshal(r, &row))
			if at, ok := row[mark].(string); ok && at > newest {
				newest = at
			}
			lines.Write(r)
			lines.WriteByte('\n')
		}
		ts.Check(e.command(fmt.Sprintf(".ingest inline into table %s with (format = 'multijson', ingestionMappingReference = '%s') <|\n%s", raw, kind.mapping, lines.String())))
	}
	at := "datetime(null)"
	if newest != "" {
		at = "datetime(" + newest + ")"
	}
	row := map[string]string{
		"six":     fmt.Sprintf(`"%s", "%s", "%s", %s, "%s", true`, table, raw, column, at, load),
		"seven":   fmt.Sprintf(`"%s", "%s", "%s", %s, "%s", "%s", true`, table, raw, column, at, newest, load),
		"sibling": fmt.Sprintf(`"%s", "raw", "%s", "%s", now(), %s, "%s", true`, table, raw, column, at, load),
	}[args[0]]
	ts.Check(e.command(fmt.Sprintf(".set-or-append %s <| print %s", kind.config, row)))
	ts.Check(e.command(fmt.Sprintf(`.set-or-append MigrationAuditLog <| print "%s", now(), "Success", "", int(%d)`, raw, len(rows))))
	ts.Logf("%s: %d rows, newest %s", raw, len(rows), newest)
}

// legacyAPI asks the legacy XDR API, which answers bools as numbers.
func (r *running) legacyAPI(ts *testscript.TestScript, query string) []json.RawMessage {
	token, err := r.Entra().Issue(r.Ready.ClientID, "https://api.security.microsoft.com", time.Hour)
	ts.Check(err)
	body, err := json.Marshal(map[string]string{"Query": query})
	ts.Check(err)
	request, err := http.NewRequest(http.MethodPost, r.Ready.XDR+"/api/advancedhunting/run", bytes.NewReader(body))
	ts.Check(err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := r.client.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	var answer struct {
		Results []json.RawMessage
		Error   json.RawMessage `json:"error"`
	}
	ts.Check(json.NewDecoder(response.Body).Decode(&answer))
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s: %s", query, response.Status, strings.TrimSpace(string(answer.Error)))
	}
	return answer.Results
}
