package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport"
)

// DefaultDir is TMPDIR if it is set, else a folder of the user's cache, which is on a
// disk where the system's temporary folder may be in memory.
func DefaultDir() string {
	if dir := os.Getenv("TMPDIR"); dir != "" {
		return filepath.Join(dir, "tvmexport-spool-"+strconv.Itoa(os.Getuid()))
	}
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, "tvmexport", "spool")
	}
	return filepath.Join(os.TempDir(), "tvmexport-spool-"+strconv.Itoa(os.Getuid()))
}

// store is the folder of this process, in which each table has a file. It exists
// while a table does. Its lock is a file next to it, by which other processes see that this
// one is alive.
type store struct {
	parent string
	most   int64 // bytes

	mu    sync.Mutex
	used  int64
	files int
	dir   string // "" while there is no file
	lock  *os.File
}

// The folder of a process and its lock have the same name with different endings.
const (
	folderPrefix = "rows-"
	lockEnding   = ".lock"
)

// create makes the file of a table.
func (s *store) create(table string) (*rowFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.open()
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(s.dir, "table-*"); err == nil { // of mode 0600
			s.files++
			return &rowFile{store: s, table: table, file: f}, nil
		}
		s.close()
	}
	return nil, s.failed(table, err)
}

// open makes the folder, if there is none, and removes those of dead processes.
func (s *store) open() error {
	if s.dir != "" {
		return nil
	}
	if err := os.MkdirAll(s.parent, 0o700); err != nil {
		return err
	}
	s.sweep()
	var name [8]byte
	_, _ = rand.Read(name[:]) // never fails
	dir := filepath.Join(s.parent, folderPrefix+hex.EncodeToString(name[:]))
	lock, err := lockFile(dir + lockEnding)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return errors.Join(err, unlockFile(lock))
	}
	s.dir, s.lock = dir, lock
	return nil
}

// close removes the folder if it has no file.
func (s *store) close() {
	if s.files > 0 || s.dir == "" {
		return
	}
	_ = os.RemoveAll(s.dir) // the next process removes what is left
	_ = unlockFile(s.lock)
	s.dir, s.lock = "", nil
}

// sweep removes the folders of processes that have ended. A lock is there before its
// folder, and goes after it.
func (s *store) sweep() {
	entries, err := os.ReadDir(s.parent)
	if err != nil {
		return // the folder cannot be made either, which is an error
	}
	for _, e := range entries {
		name, locked := strings.CutSuffix(e.Name(), lockEnding)
		if !strings.HasPrefix(name, folderPrefix) || locked == e.IsDir() {
			continue
		}
		dir := filepath.Join(s.parent, name)
		lock, err := lockFile(dir + lockEnding)
		if err != nil {
			continue // its process is alive
		}
		_ = os.RemoveAll(dir)
		_ = unlockFile(lock)
	}
}

// reserve takes bytes of those that may be used.
func (s *store) reserve(table string, n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+n > s.most {
		return &tvmexport.Error{
			Op: "spool", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage,
			Err:  fmt.Errorf("the rows of the tables that are exported now take more than the %d bytes that the folder %s may have", s.most, s.parent),
			Hint: "nothing was published; allow more bytes, or export fewer tables at a time",
		}
	}
	s.used += n
	return nil
}

func (s *store) failed(table string, err error) error {
	return &tvmexport.Error{
		Op: "spool", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage,
		Err:  fmt.Errorf("rows cannot be kept in the folder %s: %w", s.parent, err),
		Hint: "nothing was published; check the folder's permissions and free space, or choose another one",
	}
}

// rowFile is the file of a table. Only reset makes it smaller.
type rowFile struct {
	store *store
	table string
	file  *os.File

	mu   sync.Mutex
	size int64
}

// append writes data behind what is there, and returns where. It is safe for
// concurrent use.
func (f *rowFile) append(data []byte) (at int64, err error) {
	if err := f.store.reserve(f.table, int64(len(data))); err != nil {
		return 0, err
	}
	f.mu.Lock()
	at = f.size
	f.size += int64(len(data))
	f.mu.Unlock()
	if _, err := f.file.WriteAt(data, at); err != nil {
		return 0, f.store.failed(f.table, err)
	}
	return at, nil
}

// read fills room with what was written at an offset.
func (f *rowFile) read(room []byte, at int64) error {
	if _, err := f.file.ReadAt(room, at); err != nil {
		return f.store.failed(f.table, err)
	}
	return nil
}

// reset empties the file.
func (f *rowFile) reset() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.file.Truncate(0); err != nil {
		return f.store.failed(f.table, err)
	}
	f.free()
	return nil
}

func (f *rowFile) free() {
	f.store.mu.Lock()
	f.store.used -= f.size
	f.store.mu.Unlock()
	f.size = 0
}

// remove removes the file, and the folder with the last one.
func (f *rowFile) remove() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free()
	_ = f.file.Close()
	_ = os.Remove(f.file.Name()) // the next process removes what is left
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	f.store.files--
	f.store.close()
}
