package storage_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/disk/disktest"
	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

// A blob that the disk cannot take is refused with the cause and a line in the log. It
// leaves nothing, and the next one is good once there is room.
func TestFullDisk(t *testing.T) {
	var full disktest.Disk
	var log bytes.Buffer
	dir := t.TempDir()
	s := storage.New(storage.Options{Disk: disk.Folder{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil)), Make: full.Make}})
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	s.Add(blobs)
	address := s.URL("https://store0.example", false, blobs, storage.Grant{Permissions: "rcw", Until: time.Now().Add(time.Hour)})
	container, signature, _ := strings.Cut(address, "?")
	put := func(name string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPut, container+"/"+name+"?"+signature, strings.NewReader("content"))
		r.Header.Set("x-ms-blob-type", "BlockBlob")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	const cause = "keep a blob in "
	if w := put("a"); w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), cause) || !strings.Contains(w.Body.String(), "no space left on device") {
		t.Errorf("status %d %s, want a 500 with the cause", w.Code, w.Body)
	}
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), cause) || strings.Contains(log.String(), "sig=") {
		t.Errorf("log = %q, want one line with the cause", &log)
	}
	if left := files(t, dir); left != 0 {
		t.Errorf("%d files are left of a blob that was refused", left)
	}
	full.Room.Store(100)
	if w := put("a"); w.Code != http.StatusCreated || files(t, dir) != 1 {
		t.Errorf("status %d %s when there is room", w.Code, w.Body)
	}
}

// files is the number of files two levels below dir.
func files(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	folders, err := os.ReadDir(dir)
	for _, f := range folders {
		if inner, e := os.ReadDir(dir + "/" + f.Name()); e == nil {
			n += len(inner)
		} else {
			err = e
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}
