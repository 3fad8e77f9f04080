package datamanagement

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A message that cannot be read is in the log and in .show ingestion failures. Where
// it names a table for its status, or a queue, it is reported there too.
func TestUnreadableMessagesLeaveTraces(t *testing.T) {
	const blob = `"BlobPath":"https://acct/temp/x.csv?sig=secret","DatabaseName":"db","TableName":"T"`
	tests := map[string]struct {
		message  string // STATUS is the member of a status table
		row      string // Database|Table|ErrorCode|IngestionSourcePath
		status   any
		notified int
	}{
		"no JSON":           {`<xml>`, "||BadRequest_CorruptedMessage|", nil, 1},
		"no database":       {`{"BlobPath":"b",STATUS}`, "||BadRequest_EmptyDatabaseName|b", nil, 1},
		"cut":               {`{` + blob + `,STATUS,"RawDataS`, "db|T|BadRequest_CorruptedMessage|https://acct/temp/x.csv", "Failed", 1},
		"level":             {`{` + blob + `,STATUS,"ReportLevel":"Sometimes"}`, "db|T|BadRequest_CorruptedMessage|https://acct/temp/x.csv", "Failed", 1},
		"method":            {`{` + blob + `,STATUS,"ReportMethod":7}`, "db|T|BadRequest_CorruptedMessage|https://acct/temp/x.csv", "Failed", 1},
		"size, to table":    {`{` + blob + `,STATUS,"ReportMethod":1,"RawDataSize":"big"}`, "db|T|BadRequest_CorruptedMessage|https://acct/temp/x.csv", "Failed", 0},
		"size, to queue":    {`{` + blob + `,STATUS,"ReportMethod":0,"RawDataSize":"big"}`, "db|T|BadRequest_CorruptedMessage|https://acct/temp/x.csv", nil, 1},
		"size, no report":   {`{` + blob + `,STATUS,"ReportLevel":"None","RawDataSize":"big"}`, "db|T|BadRequest_CorruptedMessage|https://acct/temp/x.csv", nil, 0},
		"other database":    {`{` + strings.Replace(blob, `"db"`, `"gone"`, 1) + `,"RawDataSize":"big"}`, "gone|T|BadRequest_CorruptedMessage|https://acct/temp/x.csv", nil, 1},
		"malformed mapping": {`{` + blob + `,STATUS,"ReportMethod":1,"AdditionalProperties":{"tags":"x"}}`, "db|T|BadRequest_MalformedIngestionProperty|https://acct/temp/x.csv", "Failed", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				b := newBench(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
				b.putText(strings.Replace(tt.message, "STATUS", `"IngestionStatusInTable":{"TableConnectionString":"`+
					b.address(IngestionsStatusTableResource)+`","PartitionKey":"`+testSource+`","RowKey":"0"}`, 1))
				time.Sleep(time.Second)
				synctest.Wait()
				got := b.command(".show ingestion failures | project strcat_delim('|', Database, Table, ErrorCode, IngestionSourcePath), Principal")
				if len(got) != 1 || got[0] != tt.row+"|" {
					t.Errorf("ingestion failures = %q, want %q", got, tt.row)
				}
				if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, strings.Split(tt.row, "|")[2]) || strings.Contains(text, "secret") {
					t.Errorf("log = %q, want a line with the code and without the signature", text)
				}
				state, _ := b.storage.Entities(b.accounts.table()).Values(testSource, "0")
				if state["Status"] != tt.status {
					t.Errorf("status = %v, want %v", state["Status"], tt.status)
				}
				if n := len(b.notices(FailedIngestionsQueue)); n != tt.notified {
					t.Errorf("%d notices of failure, want %d", n, tt.notified)
				}
				if s := b.service.Stats(); s.Failed != 1 || s.Messages != 1 {
					t.Errorf("stats = %+v, want one message that failed", s)
				}
			})
		})
	}
}
