package storage_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

// A generated blob is made once, can be read in part, and is made again after it had to
// make room. Its signature is for no other blob.
func TestGeneratedBlobs(t *testing.T) {
	for name, o := range map[string]storage.Options{
		"memory": {Keep: 10},
		"disk":   {Keep: 10, Disk: disk.Folder{Dir: t.TempDir()}},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
			o.Now = func() time.Time { return now }
			s := storage.New(o)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			in := storage.Resource{Kind: storage.Blob, Account: "exports", Name: "files"}
			made := map[string]int{}
			s.Generate(in, func(_ context.Context, name string, w io.Writer) error {
				made[name]++
				switch name {
				case "none":
					return storage.ErrNoContent
				case "broken":
					return errors.New("it broke")
				}
				_, err := io.WriteString(w, strings.Repeat(name[len(name)-1:], 8))
				return err
			})
			address := func(blob string) string {
				return s.BlobURL("https://127.0.0.1:1", false, in, blob, storage.Grant{Permissions: "r", From: now, Until: now.Add(time.Hour)})
			}
			get := func(address, part string) (int, string) {
				r := httptest.NewRequest(http.MethodGet, address, nil)
				if part != "" {
					r.Header.Set("Range", part)
				}
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				return w.Code, w.Body.String()
			}
			for _, tt := range []struct {
				address, part string
				status        int
				body          string
			}{
				{address("d/a"), "", 200, "aaaaaaaa"},
				{address("d/a"), "bytes=6-", 206, "aa"},
				{address("none"), "", 404, "BlobNotFound"},
				{address("broken"), "", 500, "it broke"},
				{strings.Replace(address("d/a"), "d/a", "d/b", 1), "", 403, "Signature did not match"},
				{strings.Replace(address("d/a"), "sr=b", "sr=c", 1), "", 403, "Signature did not match"},
				{address("d/b"), "", 200, "bbbbbbbb"},
				{address("d/a"), "", 200, "aaaaaaaa"}, // it made room for b
			} {
				status, body := get(tt.address, tt.part)
				if status != tt.status || !strings.Contains(body, tt.body) {
					t.Errorf("%s %s: %d %s, want %d %s", tt.address, tt.part, status, body, tt.status, tt.body)
				}
			}
			if made["d/a"] != 2 || made["d/b"] != 1 {
				t.Errorf("made %v", made)
			}
			old := address("d/a")
			now = now.Add(time.Hour)
			if status, body := get(old, ""); status != 403 || !strings.Contains(body, "key time frame") {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}
