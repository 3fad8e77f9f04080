package datamanagement

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The message that the Go SDK sends, and its relatives.
func TestParseMessage(t *testing.T) {
	const sent = `{"Id":"1","BlobPath":"https://acct/temp/name.json.gz?sig=B\u0026sv=1","DatabaseName":"db","TableName":"T",` +
		`"RawDataSize":16,"RetainBlobOnSuccess":true,"FlushImmediately":false,"ReportLevel":2,"ReportMethod":1,` +
		`"SourceMessageCreationTime":"2026-11-23T05:19:55.436730089Z",` +
		`"AdditionalProperties":{"authorizationContext":"IDTOKEN","creationTime":"0001-01-01T00:00:00Z","format":"json","ignoreFirstRecord":false,` +
		`"ingestIfNotExists":"[\"b1\"]","ingestionMappingReference":"m1","ingestionMappingType":"Json","tags":"[\"drop-by:d1\",\"ingest-by:b1\"]"},` +
		`"IngestionStatusInTable":{"TableConnectionString":"https://acct/ingestionsstatus?sig=T\u0026sv=1","PartitionKey":"p","RowKey":"r"},` +
		`"ApplicationForTracing":"x","ClientVersionForTracing":"Kusto.Go.Client:{1.2.3}|Runtime.Go:{go1.x}"}`
	want := Message{
		ID: "1", BlobPath: "https://acct/temp/name.json.gz?sig=B&sv=1", Database: "db", Table: "T",
		RawDataSize: 16, RetainBlob: true, ReportLevel: FailuresAndSuccesses, ReportMethod: ToTable,
		Status: StatusEntity{"https://acct/ingestionsstatus?sig=T&sv=1", "p", "r"},
		Properties: Properties{
			Identity: "IDTOKEN", Format: "json", MappingReference: "m1", MappingType: "Json",
			Tags: []string{"drop-by:d1", "ingest-by:b1"}, IfNotExists: []string{"b1"},
		},
		Text: sent,
	}
	for _, text := range []string{sent, base64.StdEncoding.EncodeToString([]byte(sent))} {
		got, err := ParseMessage(text)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
	const other = `{"BlobPath":"b","DatabaseName":"db","TableName":"T","RawDataSize":null,"IngestionStatusInTable":null,` +
		`"AdditionalProperties":{"Tags":["a"],"ignoreFirstRecord":"true","creationTime":"2020-03-04","format":null,"somethingNew":{"a":1}}}`
	got, err := ParseMessage(other)
	if err != nil {
		t.Fatal(err)
	}
	want = Message{
		BlobPath: "b", Database: "db", Table: "T", Text: other,
		Properties: Properties{Format: "csv", Tags: []string{"a"}, IgnoreFirst: true, CreationTime: time.Date(2020, 3, 4, 0, 0, 0, 0, time.UTC)},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// The Java SDK writes levels and methods by name.
func TestParseMessageReadsNames(t *testing.T) {
	for text, want := range map[string]struct {
		level  ReportLevel
		method ReportMethod
	}{
		`"ReportLevel":"FailuresOnly","ReportMethod":"Queue"`:                 {FailuresOnly, ToQueue},
		`"ReportLevel":"None","ReportMethod":"Table"`:                         {None, ToTable},
		`"ReportLevel":"failuresandsuccesses","ReportMethod":"QueueAndTable"`: {FailuresAndSuccesses, ToQueueAndTable},
		`"ReportLevel":"2","ReportMethod":1`:                                  {FailuresAndSuccesses, ToTable},
		`"ReportLevel":null`:                                                  {FailuresOnly, ToQueue},
	} {
		m, err := ParseMessage(`{"BlobPath":"b","DatabaseName":"d","TableName":"T",` + text + `}`)
		if err != nil || m.ReportLevel != want.level || m.ReportMethod != want.method {
			t.Errorf("%s: level %d, method %d, %v", text, m.ReportLevel, m.ReportMethod, err)
		}
	}
}

// Numbers and truth values come as such or as text.
func TestParseMessageReadsText(t *testing.T) {
	type fields struct {
		size          int64
		retain, flush bool
	}
	for text, want := range map[string]fields{
		`"RawDataSize":"123","RetainBlobOnSuccess":"True","FlushImmediately":"false"`: {123, true, false},
		`"RawDataSize":123.0,"RetainBlobOnSuccess":1,"FlushImmediately":true`:         {123, true, true},
		`"RawDataSize":null,"RetainBlobOnSuccess":null,"FlushImmediately":null`:       {},
		`"RawDataSize":"","RetainBlobOnSuccess":"","FlushImmediately":""`:             {},
		`"RawDataSize":-5`: {},
	} {
		m, err := ParseMessage(`{"BlobPath":"b","DatabaseName":"d","TableName":"T",` + text + `}`)
		if got := (fields{m.RawDataSize, m.RetainBlob, m.FlushImmediately}); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		`"RawDataSize":"12x"`, `"RawDataSize":1.5`, `"RawDataSize":[1]`, `"RawDataSize":99999999999999999999`, `"RetainBlobOnSuccess":"yes"`,
		`"FlushImmediately":2`, `"FlushImmediately":{}`, `"IngestionStatusInTable":"x"`, `"AdditionalProperties":"x"`, `"Id":7`,
	} {
		_, err := ParseMessage(`{"BlobPath":"b","DatabaseName":"d","TableName":"T",` + text + `}`)
		if f := (*Failure)(nil); !errors.As(err, &f) || f.Code != "BadRequest_CorruptedMessage" {
			t.Errorf("%s: %v, want a corrupted message", text, err)
		}
	}
}

// What cannot be read leaves a trace where it says that it belongs.
func TestUnreadableMessagesAreAddressed(t *testing.T) {
	m, err := ParseMessage(`{"Id":"1","BlobPath":"b","DatabaseName":"d","TableName":"T","ReportLevel":"Sometimes"}`)
	var f *Failure
	if !errors.As(err, &f) || f.Code != "BadRequest_CorruptedMessage" || m.Database != "d" || m.Table != "T" || m.BlobPath != "b" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestParseMessageRefuses(t *testing.T) {
	for text, code := range map[string]string{
		``:                                    "BadRequest_CorruptedMessage",
		`[]`:                                  "BadRequest_CorruptedMessage",
		`{}`:                                  "BadRequest_EmptyBlobUri",
		`{"BlobPath":"b"}`:                    "BadRequest_EmptyDatabaseName",
		`{"BlobPath":"b","DatabaseName":"d"}`: "BadRequest_InvalidOrEmptyTableName",
		`{"BlobPath":"b","DatabaseName":"d","TableName":"T","AdditionalProperties":{"tags":"x"}}`:                                              "BadRequest_MalformedIngestionProperty",
		`{"BlobPath":"b","DatabaseName":"d","TableName":"T","AdditionalProperties":{"ingestIfNotExists":"b1"}}`:                                "BadRequest_MalformedIngestionProperty",
		`{"BlobPath":"b","DatabaseName":"d","TableName":"T","AdditionalProperties":{"creationTime":"soon"}}`:                                   "BadRequest_MalformedIngestionProperty",
		`{"BlobPath":"b","DatabaseName":"d","TableName":"T","AdditionalProperties":{"ignoreFirstRecord":"maybe"}}`:                             "BadRequest_MalformedIngestionProperty",
		`{"BlobPath":"b","DatabaseName":"d","TableName":"T","AdditionalProperties":{"extend_schema":true}}`:                                    "BadRequest_NotSupported",
		`{"BlobPath":"b","DatabaseName":"d","TableName":"T","AdditionalProperties":{"ingestionMapping":"[]","ingestionMappingReference":"x"}}`: "BadRequest_DuplicateMapping",
	} {
		_, err := ParseMessage(text)
		var f *Failure
		if !errors.As(err, &f) || f.Code != code || !f.Permanent {
			t.Errorf("ParseMessage(%s) = %v, want %s", text, err, code)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(`{"BlobPath":"b","DatabaseName":"db","TableName":"T","AdditionalProperties":{"tags":"[\"a\"]","creationTime":"2020-03-04"}}`)
	f.Add(`eyJJZCI6IjEifQ==`)
	f.Add(`{"RawDataSize":-1,"IngestionStatusInTable":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMessage(text)
		if err == nil && (m.BlobPath == "" || m.Database == "" || m.Table == "" || m.RawDataSize < 0 || m.Properties.Format == "") {
			t.Errorf("ParseMessage(%q) = %+v without an error", text, m)
		}
	})
}

func TestOwns(t *testing.T) {
	for text, want := range map[string]bool{
		".get kusto identity token":             true,
		" .GET  ingestion\nresources;":          true,
		".get ingestion resources with (a='b')": true,
		".get ingestion resources\nwith(a='b')": true,
		".show ingestion resources":             true,
		".show ingestion failures":              false,
		".show tables":                          false,
		"get | where x":                         false,
	} {
		if got := Owns(text); got != want {
			t.Errorf("Owns(%q) = %v, want %v", text, got, want)
		}
	}
}
