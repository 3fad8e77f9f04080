package storage_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

// FuzzRequest sends anything anywhere: every answer has a status of the
// service, and nothing panics.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ method, path, query, body string }{
		{"PUT", "/store0/tempstorage/a b", "comp=blocklist", "<BlockList><Latest>YQ==</Latest></BlockList>"},
		{"PUT", "/tempstorage/x", "comp=block&blockid=YQ==", "data"},
		{"POST", "/ready/messages", "visibilitytimeout=5", "<QueueMessage><MessageText>x</MessageText></QueueMessage>"},
		{"GET", "/ready/messages", "numofmessages=2", ""},
		{"POST", "/ingestionsstatus", "", `{"PartitionKey":"a","RowKey":"b","c":1}`},
		{"GET", "/ingestionsstatus(PartitionKey='a''b',RowKey='c')", "$select=c", ""},
		{"MERGE", "/ingestionsstatus(RowKey='c',PartitionKey='')", "", `{}`},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.body)
	}
	s := storage.New(storage.Options{})
	grants := map[storage.Kind]string{}
	for _, r := range []storage.Resource{blobs, queue, status} {
		s.Add(r)
		_, grants[r.Kind], _ = strings.Cut(s.URL("https://h", false, r, storage.Grant{Permissions: "racwdup", Until: time.Now().Add(time.Hour)}), "?")
	}
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		r := httptest.NewRequest(http.MethodGet, "https://h/", strings.NewReader(body))
		r.Method, r.URL.Path = method, path
		r.URL.RawQuery = query + "&" + grants[s.KindOf(r)]
		r.Header.Set("X-Ms-Blob-Type", "BlockBlob")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 200 || w.Code == http.StatusInternalServerError || w.Code > 599 {
			t.Fatalf("%s %s?%s: %d %s", method, path, query, w.Code, w.Body)
		}
	})
}
