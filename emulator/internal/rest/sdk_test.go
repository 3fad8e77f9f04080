package rest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata"
	kustoerrors "github.com/Azure/azure-kusto-go/azkustodata/errors"
	"github.com/Azure/azure-kusto-go/azkustodata/kql"
	"github.com/Azure/azure-kusto-go/azkustoingest"
	"github.com/google/go-cmp/cmp"
)

func statement(text string) *kql.Builder { return kql.New("").AddUnsafe(text) }

// ingestor is a client for queued ingestion.
func (s *stack) ingestor(t *testing.T, token, table string) *azkustoingest.Ingestion {
	t.Helper()
	c, err := azkustoingest.New(builder(s.ingest, token), azkustoingest.WithoutEndpointCorrection(),
		azkustoingest.WithHttpClient(s.client), azkustoingest.WithDefaultDatabase(database), azkustoingest.WithDefaultTable(table))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// queue ingests and waits for what becomes of it.
func queue(t *testing.T, c *azkustoingest.Ingestion, data string, options ...azkustoingest.FileOption) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	result, err := c.FromReader(ctx, strings.NewReader(data), append(options, azkustoingest.ReportResultToTable())...)
	if err != nil {
		t.Fatalf("queue: %v", err)
	}
	return <-result.Wait(ctx, azkustoingest.WithImmediateFirst(), azkustoingest.WithInterval(10*time.Millisecond))
}

const allTypes = "(b: bool, i: int, l: long, r: real, m: decimal, t: datetime, s: timespan, x: string, g: guid, d: dynamic)"

// A client signs in, makes a table, queues data and finds it, each type included.
func TestQueuedIngestion(t *testing.T) {
	s := newStack(t)
	client := s.data(t, "admin")
	for _, text := range []string{
		".create table T " + allTypes,
		`.create table T ingestion json mapping "M" '[{"column":"b","path":"$.b"},{"column":"i","path":"$.i"},{"column":"l","path":"$.l"},` +
			`{"column":"r","path":"$.r"},{"column":"m","path":"$.m"},{"column":"t","path":"$.t"},{"column":"s","path":"$.s"},` +
			`{"column":"x","path":"$.x"},{"column":"g","path":"$.g"},{"column":"d","path":"$.d"}]'`,
	} {
		if _, err := client.Mgmt(t.Context(), database, statement(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	lines := `{"b":true,"i":-1,"l":9223372036854775807,"r":0.5,"m":"1.25","t":"2020-03-04T14:05:01.3109965Z","s":"1.02:03:04.5000000",` +
		`"x":"grüße","g":"123e27de-1e4e-49d9-b579-fe0b331d3642","d":{"a":[1,null,"z"]}}` + "\n" + `{"x":""}` + "\n"
	err := queue(t, s.ingestor(t, "admin", "T"), lines, azkustoingest.IngestionMappingRef("M", azkustoingest.JSON), azkustoingest.FileFormat(azkustoingest.JSON))
	if err != nil {
		t.Fatalf("ingestion: %v", err)
	}
	want := []string{
		`null null null null null null null "" null null`,
		`true -1 9223372036854775807 0.5 "1.25" "2020-03-04T14:05:01.3109965Z" "1.02:03:04.5000000" "grüße" "123e27de-1e4e-49d9-b579-fe0b331d3642" {"a":[1,null,"z"]}`,
	}
	got := s.rows(t, "T")
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got)\n%s", d)
	}
	if stats := s.service.Stats(); stats.Blobs != 1 || stats.Rows != 2 || stats.Failed != 0 {
		t.Errorf("stats = %+v, want one blob with two rows", stats)
	}
}

// What is wrong with a queued blob arrives under its documented code.
func TestQueuedFailures(t *testing.T) {
	s := newStack(t)
	s.manage(t, ".create table T (a: long)", `.create table T ingestion json mapping "M" '[{"column":"a","path":"$.a"}]'`)
	asJSON := []azkustoingest.FileOption{azkustoingest.IngestionMappingRef("M", azkustoingest.JSON), azkustoingest.FileFormat(azkustoingest.JSON)}
	multi := []azkustoingest.FileOption{azkustoingest.IngestionMappingRef("M", azkustoingest.MultiJSON), azkustoingest.FileFormat(azkustoingest.MultiJSON)}
	tests := map[string]struct {
		token, table, data string
		options            []azkustoingest.FileOption
		code               string
	}{
		"no mapping of that name": {
			"admin", "T", `{"a":1}`,
			[]azkustoingest.FileOption{azkustoingest.IngestionMappingRef("nope", azkustoingest.JSON), azkustoingest.FileFormat(azkustoingest.JSON)},
			"BadRequest_MappingReferenceWasNotFound",
		},
		"no table":         {"admin", "Nope", `{"a":1}`, asJSON, "BadRequest_TableNotExist"},
		"no permission":    {"writer", "T", `{"a":1}`, asJSON, "BadRequest_TableAccessDenied"},
		"broken multijson": {"admin", "T", `{"a":1}{"a":`, multi, "BadRequest_InvalidBlob"},
		"no records":       {"admin", "T", "\n", asJSON, "BadRequest_NoRecordsOrWrongFormat"},
		"no such database": {"admin", "T", `{"a":1}`, append(slices.Clone(asJSON), azkustoingest.Database("nope")), "BadRequest_DatabaseNotExist"},
		"inline mapping, no column": {
			"admin", "T", `{"a":1}`,
			[]azkustoingest.FileOption{azkustoingest.IngestionMapping(`[{"column":"zz","path":"$.a"}]`, azkustoingest.JSON), azkustoingest.FileFormat(azkustoingest.JSON)},
			"BadRequest_InconsistentMapping",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := queue(t, s.ingestor(t, tt.token, tt.table), tt.data, tt.options...)
			if !azkustoingest.IsStatusRecord(err) {
				t.Fatalf("error = %v, want a status record", err)
			}
			status, statusErr := azkustoingest.GetIngestionStatus(err)
			if statusErr != nil || status != azkustoingest.Failed {
				t.Errorf("status = %v, %v, want Failed", status, statusErr)
			}
			if code, codeErr := azkustoingest.GetErrorCode(err); codeErr != nil || code != tt.code {
				t.Errorf("code = %q, %v, want %q", code, codeErr, tt.code)
			}
			if azkustoingest.IsRetryable(err) {
				t.Error("the failure is retryable, want a permanent one")
			}
		})
	}
	if got := s.rows(t, "T"); len(got) != 0 {
		t.Errorf("rows = %v, want none", got)
	}
}

// A second blob with an ingest-by tag that is there is skipped.
func TestQueuedSkipped(t *testing.T) {
	s := newStack(t)
	s.manage(t, ".create table T (a: long)", `.create table T ingestion json mapping "M" '[{"column":"a","path":"$.a"}]'`)
	c := s.ingestor(t, "admin", "T")
	options := []azkustoingest.FileOption{
		azkustoingest.IngestionMappingRef("M", azkustoingest.JSON), azkustoingest.FileFormat(azkustoingest.JSON),
		azkustoingest.Tags([]string{"ingest-by:b1", "drop-by:d"}), azkustoingest.IfNotExists(`["b1"]`),
	}
	if err := queue(t, c, `{"a":1}`, options...); err != nil {
		t.Fatalf("first: %v", err)
	}
	err := queue(t, c, `{"a":1}`, options...)
	status, statusErr := azkustoingest.GetIngestionStatus(err)
	if statusErr != nil || status != azkustoingest.Skipped {
		t.Errorf("second: status = %v, %v, want Skipped", status, statusErr)
	}
	if d := cmp.Diff([]string{"1"}, s.rows(t, "T")); d != "" {
		t.Errorf("rows (-want +got)\n%s", d)
	}
}

func TestStreamingIngestion(t *testing.T) {
	s := newStack(t)
	s.manage(t, ".create table T (a: long, b: string)", `.create table T ingestion json mapping "M" '[{"column":"a","path":"$.a"},{"column":"b","path":"$.b"}]'`)
	c, err := azkustoingest.NewStreaming(builder(s.kusto, "admin"), azkustoingest.WithoutEndpointCorrection(),
		azkustoingest.WithHttpClient(s.client), azkustoingest.WithDefaultDatabase(database), azkustoingest.WithDefaultTable("T"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	stream := func(data string, options ...azkustoingest.FileOption) error {
		_, err := c.FromReader(t.Context(), strings.NewReader(data), options...)
		return err
	}
	mapped := []azkustoingest.FileOption{azkustoingest.IngestionMappingRef("M", azkustoingest.JSON), azkustoingest.FileFormat(azkustoingest.JSON)}
	if err := stream(`{"a":1,"b":"x"}`, mapped...); err == nil || !strings.Contains(err.Error(), "policy is not enabled") {
		t.Errorf("without policy: error = %v, want that the policy is not enabled", err)
	}
	s.manage(t, ".alter table T policy streamingingestion enable")
	if err := stream(`{"a":1,"b":"x"}`, mapped...); err != nil {
		t.Errorf("json: %v", err)
	}
	if err := stream("2,y\n", azkustoingest.FileFormat(azkustoingest.CSV)); err != nil {
		t.Errorf("csv: %v", err)
	}
	if err := stream(`{"a":3}`, azkustoingest.FileFormat(azkustoingest.JSON)); err != nil {
		t.Errorf("json without mapping: error = %v, want the identity mapping", err)
	}
	err = stream(`{"a":3}`, azkustoingest.IngestionMappingRef("nope", azkustoingest.JSON), azkustoingest.FileFormat(azkustoingest.JSON))
	if err == nil || !strings.Contains(err.Error(), "'nope'") {
		t.Errorf("unknown mapping: error = %v, want its name", err)
	}
	got := s.rows(t, "T")
	slices.Sort(got)
	if d := cmp.Diff([]string{`1 "x"`, `2 "y"`, `3 ""`}, got); d != "" {
		t.Errorf("rows (-want +got)\n%s", d)
	}
}

// A blob that the client uploaded itself is ingested from its address.
func TestQueuedFromBlob(t *testing.T) {
	s := newStack(t)
	s.manage(t, ".create table T (a: long)")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte("5\n6\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	address := s.upload(t, "by hand +1.csv.gz", packed.Bytes())
	c := s.ingestor(t, "admin", "T")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	result, err := c.FromFile(ctx, address, azkustoingest.FileFormat(azkustoingest.CSV), azkustoingest.RawDataSize(4), azkustoingest.ReportResultToTable())
	if err != nil {
		t.Fatal(err)
	}
	if err := <-result.Wait(ctx, azkustoingest.WithImmediateFirst(), azkustoingest.WithInterval(10*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got := s.rows(t, "T")
	slices.Sort(got)
	if d := cmp.Diff([]string{"5", "6"}, got); d != "" {
		t.Errorf("rows (-want +got)\n%s", d)
	}
}

// Errors of commands arrive as the SDK parses them.
func TestManagementErrors(t *testing.T) {
	s := newStack(t)
	client := s.data(t, "writer")
	_, err := client.Mgmt(t.Context(), database, statement(".create table T (a: long)"))
	var failed *kustoerrors.HttpError
	if !errors.As(err, &failed) || failed.StatusCode != 403 {
		t.Errorf("error = %v, want an HTTP error with status 403", err)
	}
	_, err = client.Mgmt(t.Context(), "nope", statement(".show tables"))
	if !errors.As(err, &failed) || failed.StatusCode != 400 || kustoerrors.Retry(&failed.KustoError) {
		t.Errorf("error = %v, want a permanent HTTP error with status 400", err)
	}
	stranger, err := azkustodata.New(builder(s.kusto, "stranger"), azkustodata.WithHttpClient(s.client))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stranger.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, err = stranger.Mgmt(t.Context(), database, statement(".show tables"))
	if !errors.As(err, &failed) || failed.StatusCode != 401 {
		t.Errorf("error = %v, want an HTTP error with status 401", err)
	}
	if d := cmp.Diff([]string{"kusto-mgmt .create table T (a: long)", "kusto-mgmt .show tables"}, s.texts); d != "" {
		t.Errorf("recorded (-want +got)\n%s", d)
	}
}
