package kusto

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

func someBatch() tvmexport.Batch {
	return tvmexport.Batch{ID: tvmexport.BatchID(goldenRun.ID) + ".0001", Run: goldenRun, Rows: 2, Bytes: 123456, Data: bytes.NewReader([]byte("\x1f\x8bgzip of lines"))}
}

func TestLand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &conntest.Fake{}
		if err := connect(t, f).Land(t.Context(), someBatch()); err != nil {
			t.Fatal(err)
		}
		if len(f.Messages) != 1 || len(f.Blobs) != 1 {
			t.Fatalf("%d messages, %d blobs, want one of each", len(f.Messages), len(f.Blobs))
		}
		for path, blob := range f.Blobs {
			if !strings.HasSuffix(path, ".gz") || string(blob) != "\x1f\x8bgzip of lines" {
				t.Errorf("blob %s holds %q: the batch is compressed already and must go as it is", path, blob)
			}
		}
		m := f.Messages[0]
		properties, _ := m["AdditionalProperties"].(map[string]any)
		got := []any{
			m["DatabaseName"], m["TableName"], m["RawDataSize"], m["FlushImmediately"], m["ReportLevel"],
			properties["format"], properties["ingestionMappingReference"], properties["ingestionMappingType"], properties["tags"], properties["ingestIfNotExists"],
		}
		want := []any{"security", "DeviceProcessEventsLanding", 123456.0, false, nil, "multijson", "LandingMapV1", "Json", nil, nil}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("message (-want +got):\n%s", diff)
		}
	})
}

// TestLandAgain: a storage account that refuses is cured by a fresh client.
func TestLandAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &conntest.Fake{Upload: func(n int) int {
			if n == 1 {
				return http.StatusForbidden // an expired signature
			}
			return http.StatusCreated
		}}
		if err := connect(t, f).Land(t.Context(), someBatch()); err != nil {
			t.Fatal(err)
		}
		if len(f.Messages) != 1 {
			t.Errorf("%d messages, want 1", len(f.Messages))
		}
	})
}

func TestLandForbidden(t *testing.T) {
	f := &conntest.Fake{Answer: func(string) conntest.Reply { return conntest.Refusal(403, "Forbidden", "not an ingestor", true) }}
	err := connect(t, f).Land(t.Context(), someBatch())
	if tvmexport.CauseOf(err) != tvmexport.Permission || !strings.Contains(err.Error(), "Ingestor") {
		t.Errorf("%v, want a permission error that names the role", err)
	}
}

func TestLandRefusesNames(t *testing.T) {
	b := someBatch()
	b.Run.Table.Name = "T | take 1; .drop table X"
	f := &conntest.Fake{}
	if err := connect(t, f).Land(t.Context(), b); tvmexport.CauseOf(err) != tvmexport.Usage || len(f.Sent()) > 0 || len(f.Messages) > 0 {
		t.Errorf("%v, %d texts, want a usage error and nothing sent", err, len(f.Sent()))
	}
}

var landedColumns = []kql.Column{{Name: "BatchId", Kind: "string"}, {Name: "Rows", Kind: "long"}, {Name: "Lines", Kind: "long"}, {Name: "Nulls", Kind: "long"}, {Name: "Tail", Kind: "long"}, {Name: "Unparsed", Kind: "long"}, {Name: "FirstUnparsed", Kind: "long"}}

// TestLandedCountsOnce: the lines of a batch that is known to be whole are not
// counted again, its rows are.
func TestLandedCountsOnce(t *testing.T) {
	id := func(n string) tvmexport.BatchID { return tvmexport.BatchID(goldenRun.ID) + tvmexport.BatchID(n) }
	counts := [][][]any{
		{{id(".0001"), 4, 2, 0, 2, 0, 0}, {id(".0002"), 1, 1, 0, -1, 0, 0}, {id(".0003"), 3, 3, 1, 3, 0, 0}},
		{{id(".0002"), 2, 2, 0, 2, 0, 0}, {id(".0003"), 3, 3, 1, 3, 0, 0}, {id(".0001"), 6, -1, 0, 0, 0, 0}},
	}
	f := &conntest.Fake{}
	f.Answer = func(string) conntest.Reply {
		rows := counts[0]
		counts = counts[1:]
		return conntest.Reply{Columns: landedColumns, Rows: rows}
	}
	c := connect(t, f)
	want := []tvmexport.Landed{
		{Batch: id(".0001"), Rows: 4, Lines: 2, Tail: 2},
		{Batch: id(".0002"), Rows: 1, Lines: 1, Tail: tvmexport.Missing},
		{Batch: id(".0003"), Rows: 3, Lines: 3, Nulls: 1, Tail: 3},
	}
	byBatch := cmpopts.SortSlices(func(a, b tvmexport.Landed) bool { return a.Batch < b.Batch })
	for round := range 2 {
		got, err := c.Landed(t.Context(), goldenRun)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Batches, byBatch); diff != "" {
			t.Errorf("round %d (-want +got):\n%s", round, diff)
		}
		want[0].Rows = 6 // delivered once more
		want[1] = tvmexport.Landed{Batch: id(".0002"), Rows: 2, Lines: 2, Tail: 2}
	}
	sent := f.Sent()
	if strings.Contains(sent[0], "Known") || !strings.Contains(sent[1], `let Known = dynamic(["`+string(id(".0001"))+`"])`) {
		t.Errorf("the second count knows the first batch alone:\n%s\n%s", sent[0], sent[1])
	}
}

func TestLandedReportsFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &conntest.Fake{Answer: func(text string) conntest.Reply {
			if strings.HasPrefix(text, ".show ingestion failures") {
				return conntest.Reply{Columns: []kql.Column{{Name: "FailedOn", Kind: "datetime"}, {Name: "ErrorCode", Kind: "string"}, {Name: "Details", Kind: "string"}}, Rows: [][]any{
					{"2026-11-23T05:20:00Z", "BadRequest_MappingReferenceWasNotFound", "Mapping 'LandingMapV1' was not found; https://x/y?sig=S3CRET"},
				}}
			}
			return conntest.Reply{Columns: landedColumns}
		}}
		c := connect(t, f)
		if _, err := c.Landed(t.Context(), goldenRun); err != nil {
			t.Fatalf("the first count asks for no failures: %v", err)
		}
		time.Sleep(time.Minute) // virtual
		got, err := c.Landed(t.Context(), goldenRun)
		if err != nil {
			t.Fatal(err)
		}
		err = got.Failed
		if err == nil || tvmexport.ActionOf(err) != tvmexport.Stop || !strings.Contains(err.Error(), "BadRequest_MappingReferenceWasNotFound") || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("%v, want the failure without its signature", err)
		}
	})
}
