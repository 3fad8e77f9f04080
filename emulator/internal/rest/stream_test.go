package rest_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-kusto-go/azkustoingest"
	"github.com/google/go-cmp/cmp"
)

// A stream over the documented size is refused, and leaves nothing behind.
func TestStreamTooLarge(t *testing.T) {
	s := newStack(t)
	s.manage(t, ".create table T (a: string)", ".alter table T policy streamingingestion enable")
	line := strings.Repeat("x", 1<<20) + "\n"
	answer, text := s.exchange(t, http.MethodPost, s.kusto+"/v1/rest/ingest/db/T?streamFormat=Csv", strings.Repeat(line, 5))
	if answer.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(text, "4194304 bytes") {
		t.Errorf("answer = %d %s, want 413", answer.StatusCode, text)
	}
	if got := s.rows(t, "T"); len(got) != 0 {
		t.Errorf("%d rows, want none", len(got))
	}
}

// A stream may name a blob instead of bringing data.
func TestStreamFromBlob(t *testing.T) {
	s := newStack(t)
	s.manage(t, ".create table T (a: long)", ".alter table T policy streamingingestion enable")
	address := s.upload(t, "s.csv", []byte("7\n8\n"))
	const path = "/v1/rest/ingest/db/T?streamFormat=Csv&sourceKind=uri"
	answer, text := s.exchange(t, http.MethodPost, s.kusto+path, `{"sourceUri":"`+address+`"}`)
	if answer.StatusCode != http.StatusOK {
		t.Errorf("answer = %d %s, want 200", answer.StatusCode, text)
	}
	got := s.rows(t, "T")
	slices.Sort(got)
	if d := cmp.Diff([]string{"7", "8"}, got); d != "" {
		t.Errorf("rows (-want +got)\n%s", d)
	}
	for body, want := range map[string]string{
		`{}`: "sourceUri is missing",
		`{"sourceUri":"` + strings.Replace(address, "s.csv", "gone.csv", 1) + `"}`: "Download_SourceNotFound",
		`{"sourceUri":"` + strings.Replace(address, "sig=", "sig=x", 1) + `"}`:     "Download_Forbidden",
	} {
		answer, text := s.exchange(t, http.MethodPost, s.kusto+path, body)
		if answer.StatusCode != http.StatusBadRequest || !strings.Contains(text, want) || strings.Contains(text, "sig=") {
			t.Errorf("%s: answer = %d %s, want 400 with %q and no signature", body, answer.StatusCode, text, want)
		}
	}
}

// The managed client streams what is small.
func TestManagedIngestion(t *testing.T) {
	s := newStack(t)
	s.manage(t, ".create table T (a: long)", ".alter table T policy streamingingestion enable")
	c, err := azkustoingest.NewManaged(builder(s.kusto, "admin"), azkustoingest.WithCustomIngestConnectionString(builder(s.ingest, "admin")),
		azkustoingest.WithHttpClient(s.client), azkustoingest.WithDefaultDatabase(database), azkustoingest.WithDefaultTable("T"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := c.FromReader(ctx, strings.NewReader("1\n2\n"), azkustoingest.FileFormat(azkustoingest.CSV)); err != nil {
		t.Fatal(err)
	}
	if got := s.rows(t, "T"); len(got) != 2 {
		t.Errorf("rows = %v, want two", got)
	}
	if stats := s.service.Stats(); stats.Streams != 1 || stats.Messages != 0 {
		t.Errorf("stats = %+v, want one stream and no message", stats)
	}
}
