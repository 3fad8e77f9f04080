package datamanagement

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
)

// What is wrong with a blob is found under the codes of
// https://learn.microsoft.com/azure/data-explorer/error-codes.
func TestFailures(t *testing.T) {
	const mapped = `.create table T ingestion json mapping "M" '[{"column":"a","path":"$.a"}]'`
	tests := map[string]struct {
		content string
		change  change
		code    string
	}{
		"identity":       {"1,x\n", set("authorizationContext", "e30.x"), "BadRequest_InvalidKustoIdentityToken"},
		"no identity":    {"1,x\n", set("authorizationContext", ""), "BadRequest_InvalidKustoIdentityToken"},
		"fields":         {"1,x\n2\n", nil, "Stream_WrongNumberOfFields"},
		"format":         {"1,x\n", set("format", "parquet"), "BadRequest_FormatNotSupported"},
		"mapping":        {`{"a":1}`, func(_, p map[string]any) { p["format"], p["ingestionMappingReference"] = "json", "nope" }, "BadRequest_MappingReferenceWasNotFound"},
		"inline mapping": {`{"a":1}`, func(_, p map[string]any) { p["format"], p["ingestionMapping"] = "json", "[" }, "BadRequest_InvalidMapping"},
		"both mappings":  {`{"a":1}`, func(_, p map[string]any) { p["ingestionMapping"], p["ingestionMappingReference"] = "[]", "M" }, "BadRequest_DuplicateMapping"},
		"kind of mapping": {
			"1,x\n",
			func(_, p map[string]any) { p["ingestionMappingReference"], p["ingestionMappingType"] = "M", "Json" },
			"BadRequest_InvalidMapping",
		},
		"tags":       {"1,x\n", set("tags", "a"), "BadRequest_MalformedIngestionProperty"},
		"gzip":       {"\x1f\x8bnot gzip", nil, "BadRequest_InvalidBlob"},
		"gone":       {"1,x\n", func(m, _ map[string]any) { m["BlobPath"] = strings.Replace(m["BlobPath"].(string), ".csv", ".gone", 1) }, "Download_SourceNotFound"},
		"signature":  {"1,x\n", func(m, _ map[string]any) { m["BlobPath"] = strings.Replace(m["BlobPath"].(string), "sig=", "sig=x", 1) }, "Download_Forbidden"},
		"other host": {"1,x\n", func(m, _ map[string]any) { m["BlobPath"] = "https://example.org/a/b?sig=x" }, "Download_SourceNotFound"},
		"zip":        {"1,x\n", func(m, _ map[string]any) { m["BlobPath"] = "https://example.org/a/b.zip?sig=x" }, "BadRequest_FormatNotSupported"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Options{Batching: second}, mapped)
				b.send(tt.content, tt.change)
				time.Sleep(2 * second)
				synctest.Wait()
				got := b.notices(FailedIngestionsQueue)
				if len(got) != 1 {
					t.Fatalf("notices of failure = %+v, want one", got)
				}
				want := notice{
					Database: "db", Table: "T", FailedOn: got[0].FailedOn, IngestionSourceID: testSource,
					ErrorCode: tt.code, FailureStatus: "Permanent",
				}
				ignored := cmpopts.IgnoreFields(notice{}, "OperationID", "RootActivityID", "IngestionSourcePath", "Details")
				if d := cmp.Diff(want, got[0], ignored); d != "" {
					t.Errorf("notice (-want +got)\n%s", d)
				}
				if strings.Contains(got[0].Details+got[0].IngestionSourcePath, "sig=") {
					t.Errorf("the notice holds a signature: %+v", got[0])
				}
				if rows := b.rows(); len(rows) != 0 {
					t.Errorf("rows = %v, want none", rows)
				}
			})
		})
	}
}

// A blob that cannot be read does not stop the others of its batch.
func TestBadBlobAmongGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Batching: second})
		b.send("1,x\n", nil)
		b.send("2,x\n3\n", nil)
		b.send("4,x\n", nil)
		again := b.message("5,x\n", nil)
		b.put(again)
		b.put(again)
		time.Sleep(2 * second)
		synctest.Wait()
		if d := cmp.Diff([]string{`1 "x"`, `4 "x"`, `5 "x"`}, b.rows()); d != "" {
			t.Errorf("rows (-want +got)\n%s", d)
		}
		var codes []string
		for _, n := range b.notices(FailedIngestionsQueue) {
			codes = append(codes, n.ErrorCode)
		}
		if d := cmp.Diff([]string{"BlobAlreadyReceived_BlobAlreadyFoundInBatch", "Stream_WrongNumberOfFields"}, codes); d != "" {
			t.Errorf("codes (-want +got)\n%s", d)
		}
		if got := b.service.Stats(); got.Batches != 1 || got.Blobs != 3 || got.Rows != 3 || got.Failed != 2 {
			t.Errorf("stats = %+v, want a batch of three blobs and two failures", got)
		}
	})
}

// What is reported, and where, is the sender's choice.
func TestReports(t *testing.T) {
	const good, bad = "1,x\n", "1,x\n2\n"
	tests := map[string]struct {
		content      string
		level        ReportLevel
		method       ReportMethod
		status       any // in the table
		failed, good int
	}{
		"failures, good":              {good, FailuresOnly, ToQueueAndTable, nil, 0, 0},
		"failures, bad":               {bad, FailuresOnly, ToQueueAndTable, "Failed", 1, 0},
		"none, bad":                   {bad, None, ToQueueAndTable, nil, 0, 0},
		"all, good":                   {good, FailuresAndSuccesses, ToQueueAndTable, "Succeeded", 0, 1},
		"all, good, queue":            {good, FailuresAndSuccesses, ToQueue, nil, 0, 1},
		"all, good, table":            {good, FailuresAndSuccesses, ToTable, "Succeeded", 0, 0},
		"all, bad, table":             {bad, FailuresAndSuccesses, ToTable, "Failed", 0, 0},
		"all, already ingested":       {"there", FailuresAndSuccesses, ToQueueAndTable, "Skipped", 1, 0},
		"failures, already ingested":  {"there", FailuresOnly, ToQueue, nil, 1, 0},
		"no report, as clients start": {good, 0, 0, nil, 0, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, Options{Batching: second})
				content := tt.content
				var tagged change
				if content == "there" {
					content = good
					tagged = func(_, p map[string]any) { p["tags"], p["ingestIfNotExists"] = `["ingest-by:k"]`, `["k"]` }
					b.send(content, tagged)
					time.Sleep(2 * second)
				}
				b.send(content, func(m, p map[string]any) {
					if tagged != nil {
						tagged(m, p)
					}
					m["ReportLevel"], m["ReportMethod"] = tt.level, tt.method
					m["IngestionStatusInTable"] = map[string]any{
						"TableConnectionString": b.address(IngestionsStatusTableResource), "PartitionKey": testSource, "RowKey": uuid.Nil.String(),
					}
				})
				time.Sleep(2 * second)
				synctest.Wait()
				state, _ := b.storage.Entities(b.accounts.table()).Values(testSource, uuid.Nil.String())
				if state["Status"] != tt.status {
					t.Errorf("status in the table = %v, want %v", state["Status"], tt.status)
				}
				if tt.status != nil && (state["IngestionSourceId"] != testSource || state["Table"] != "T" || state["OperationId"] == nil) {
					t.Errorf("state = %v, want it to name source, table and operation", state)
				}
				if tt.status == "Succeeded" && (state["FailureStatus"] != "Unknown" || state["ErrorCode"] != "Unknown") {
					t.Errorf("state = %v, want words that clients read where nothing failed", state)
				}
				if got := b.notices(FailedIngestionsQueue); len(got) != tt.failed {
					t.Errorf("failures = %+v, want %d", got, tt.failed)
				}
				if got := b.notices(SuccessfulIngestionsQueue); len(got) != tt.good {
					t.Errorf("successes = %+v, want %d", got, tt.good)
				}
			})
		})
	}
}

// Properties of a message take effect.
func TestProperties(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{Batching: second})
		var removed string
		b.send("a,b\n1,x\n", func(m, p map[string]any) {
			m["RetainBlobOnSuccess"], p["ignoreFirstRecord"], removed = false, "True", m["BlobPath"].(string)
		})
		b.send(`{"n":2,"c":"new"}`, func(_, p map[string]any) {
			p["format"], p["tags"], p["creationTime"] = "multijson", `["drop-by:d","t"]`, "2020-03-04T00:00:00Z"
			p["ingestionMapping"] = `[{"column":"a","path":"$.n"},{"column":"c","path":"$.c","datatype":"string"},{"column":"b","Properties":{"Transform":"SourceLineNumber"}}]`
		})
		time.Sleep(2 * second)
		synctest.Wait()
		if d := cmp.Diff([]string{`1 "x" ""`, `2 "1" "new"`}, b.rows()); d != "" {
			t.Errorf("rows (-want +got)\n%s", d)
		}
		if _, err := b.accounts.OpenBlob(t.Context(), removed); err == nil {
			t.Error("the blob of RetainBlobOnSuccess=false is still there")
		}
		found := false
		for _, row := range b.command(".show table T extents") {
			found = found || strings.Contains(row, "2020-03-04T00:00:00") && strings.Contains(row, "drop-by:d\r\nt")
		}
		if !found {
			t.Errorf("no extent has the tags and the creation time: %v", b.command(".show table T extents"))
		}
	})
}

// An identity is good for as long as clients keep it, and no longer than a day.
func TestIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		token, err := b.service.identities.issue(testUser)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := b.service.identities.principalOf(token); err != nil || p != testUser {
			t.Errorf("principal = %v, %v, want %v", p, err, testUser)
		}
		if _, err := b.service.identities.principalOf(token[1:]); err == nil {
			t.Error("a changed token is good")
		}
		time.Sleep(25 * time.Hour)
		if _, err := b.service.identities.principalOf(token); err == nil {
			t.Error("a token is good after 25 hours")
		}
	})
}
