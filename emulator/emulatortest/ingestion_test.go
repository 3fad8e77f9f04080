package emulatortest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
)

// queue uploads a CSV file of one row and queues it for the table T.
func queue(t *testing.T, e *emulatortest.Emulator, name string) {
	t.Helper()
	client, at := e.SignedIn(emulatortest.Exporter), e.Endpoints()
	var answer struct{ Tables []struct{ Rows [][]string } }
	post(client, at.Ingest+"/v1/rest/mgmt", map[string]string{"csl": ".get ingestion resources"}, &answer)
	urls := map[string]string{}
	for _, row := range answer.Tables[0].Rows {
		urls[row[0]] = row[1]
	}
	post(client, at.Ingest+"/v1/rest/mgmt", map[string]string{"csl": ".get kusto identity token"}, &answer)
	blob := insert(urls["TempStorage"], "/"+name+".csv")
	put(client, http.MethodPut, blob, []byte(name+"\n"))
	message, err := json.Marshal(map[string]any{
		"Id": "6f2c9f4e-4f0e-4b60-9d3a-0d4d5c7a1b11", "BlobPath": blob, "RawDataSize": len(name) + 1, "DatabaseName": at.Database, "TableName": "T",
		"AdditionalProperties": map[string]any{"authorizationContext": answer.Tables[0].Rows[0][0], "format": "csv"},
	})
	if err != nil {
		t.Fatal(err)
	}
	put(client, http.MethodPost, insert(urls["SecuredReadyForAggregationQueue"], "/messages"),
		fmt.Appendf(nil, "<QueueMessage><MessageText>%s</MessageText></QueueMessage>", base64.StdEncoding.EncodeToString(message)))
}

// A message that cannot be read is in the log and in .show ingestion failures.
func TestUnreadableMessage(t *testing.T) {
	var log bytes.Buffer
	e := emulatortest.New(t, emulatortest.Devices(1), emulatortest.Configure(func(o *emulator.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	}))
	var answer struct{ Tables []struct{ Rows [][]string } }
	post(e.SignedIn(emulatortest.Exporter), e.Endpoints().Ingest+"/v1/rest/mgmt",
		map[string]string{"csl": ".get ingestion resources | where ResourceTypeName startswith 'Secured' | take 1"}, &answer)
	put(e.Client(), http.MethodPost, insert(answer.Tables[0].Rows[0][1], "/messages"),
		[]byte("<QueueMessage><MessageText>no JSON</MessageText></QueueMessage>"))
	if err := e.AwaitIngestion(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := e.Command(t.Context(), ".show ingestion failures | project ErrorCode")
	if err != nil || len(got.Rows) != 1 || string(got.Rows[0][0]) != `"BadRequest_CorruptedMessage"` {
		t.Errorf("ingestion failures: %s, %v", got.Rows, err)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "BadRequest_CorruptedMessage") {
		t.Errorf("log = %q, want one line with the code", text)
	}
}

// AwaitIngestion waits for late and repeated deliveries, and does not wait for what is lost.
func TestAwaitIngestion(t *testing.T) {
	for delivery, want := range map[string]struct {
		rows   int64
		passed time.Duration // at least
	}{
		"":              {2, emulatortest.DefaultBatching},
		"late:2h":       {2, 2 * time.Hour},
		"duplicate:30m": {3, 30 * time.Minute},
		"transient":     {2, 5 * time.Second},
		"lost":          {1, 0},
		"failed":        {1, 0},
	} {
		t.Run(delivery, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := emulatortest.New(t, emulatortest.Devices(1))
				if _, err := e.Command(t.Context(), ".create table T (A:string)"); err != nil {
					t.Fatal(err)
				}
				if delivery != "" {
					if _, err := e.Inject(emulatortest.Fault{Endpoint: "delivery", Match: "second", Delivery: delivery}); err != nil {
						t.Fatal(err)
					}
				}
				before := time.Now()
				queue(t, e, "first")
				queue(t, e, "second")
				if err := e.AwaitIngestion(t.Context()); err != nil {
					t.Fatal(err)
				}
				d, err := e.Landed(t.Context(), "T")
				if passed := time.Since(before); err != nil || d.Rows != want.rows || passed < want.passed {
					t.Errorf("%d rows after %s, %v; want %d after at least %s", d.Rows, passed, err, want.rows, want.passed)
				}
			})
		})
	}
}

// Without anything queued it returns at once; and it returns when its context ends.
func TestAwaitIngestionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := emulatortest.New(t, emulatortest.Devices(1), emulatortest.Batching(time.Hour))
		if _, err := e.Command(t.Context(), ".create table T (A:string)"); err != nil {
			t.Fatal(err)
		}
		if err := e.AwaitIngestion(t.Context()); err != nil {
			t.Error(err)
		}
		queue(t, e, "first")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := e.AwaitIngestion(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 messages were queued, 1 received; 0 blobs ingested") {
			t.Errorf("a batch that stays open for an hour: %v", err)
		}
	})
}
