package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/local"
	"github.com/tvmexport/tvmexport/lake/store/storetest"
)

func open(t *testing.T) *local.Store {
	t.Helper()
	s, err := local.Open(filepath.Join(t.TempDir(), "a", "lake"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storetest.Test(t, func(t *testing.T) store.Store { return open(t) })
}

// A lock has one holder, also within a process, and ends with unlock.
func TestLock(t *testing.T) {
	s := open(t)
	unlock, ok, err := s.Lock(t.Context(), "leases/A")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok, err := s.Lock(t.Context(), "leases/A"); ok || err != nil {
		t.Errorf("the lock is taken twice: %t, %v", ok, err)
	}
	if other, ok, err := s.Lock(t.Context(), "leases/B"); !ok || err != nil || other() != nil {
		t.Errorf("another lock: %t, %v", ok, err)
	}
	for i := range s.List(t.Context(), "", "") {
		t.Errorf("a lock is listed as the file %s", i.Name)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if again, ok, err := s.Lock(t.Context(), "leases/A"); !ok || err != nil || again() != nil {
		t.Errorf("the lock after unlock: %t, %v", ok, err)
	}
}

// Unfinished files of dead writers are removed; those of living writers stay.
func TestClean(t *testing.T) {
	s := open(t)
	for range 2 {
		u, err := s.Create(t.Context(), "t/data.parquet")
		if err != nil {
			t.Fatal(err)
		}
		defer u.Abort()
	}
	folder := s.Location("t")
	list, err := os.ReadDir(folder)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(filepath.Join(folder, list[0].Name()), old, old); err != nil {
		t.Fatal(err)
	}
	n, err := s.Clean(t.Context(), time.Now().Add(-24*time.Hour))
	left, _ := os.ReadDir(folder)
	if err != nil || n != 1 || len(left) != 1 || left[0].Name() != list[1].Name() {
		t.Errorf("removed %d, left %v: %v", n, left, err)
	}
}

// Errors say what to do, and name the file once.
func TestErrors(t *testing.T) {
	s := open(t)
	if err := os.WriteFile(s.Location("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), "file/below", []byte("x"), store.IfAbsent())
	if err == nil || strings.Count(err.Error(), "below") != 1 {
		t.Errorf("a file below a file: %v", err)
	}
	if _, err := local.Open(s.Location("file")); err == nil {
		t.Error("a file is opened as a folder")
	}
	if os.Getuid() == 0 {
		return // root may write everywhere
	}
	if err := os.Chmod(s.Location(""), 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(s.Location(""), 0o700)
	_, err = s.Put(t.Context(), "x", nil, store.IfAbsent())
	if tvmexport.CauseOf(err) != tvmexport.Permission {
		t.Errorf("without permission: %v", err)
	}
}

// A file that becomes shorter while it is read is an error.
func TestCutWhileRead(t *testing.T) {
	s := open(t)
	if _, err := s.Put(t.Context(), "f", make([]byte, 10), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	o, err := s.Open(t.Context(), "f", store.Range{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if err := os.Truncate(s.Location("f"), 4); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 20)
	n, err := o.Body.Read(p)
	for err == nil {
		var more int
		more, err = o.Body.Read(p)
		n += more
	}
	var e *tvmexport.Error
	if n != 4 || !errors.As(err, &e) {
		t.Errorf("read %d bytes: %v", n, err)
	}
}
