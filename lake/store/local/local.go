package local

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/lake/store"
)

const (
	temporary = ".tmp-"  // begins the names of unfinished files
	locks     = ".lock-" // begins the names of lock files
	hashed    = 64 << 10 // up to this size, the ETag is a hash of the content
)

// Store is a folder of a local disk.
type Store struct {
	root  string
	clock func() time.Time
}

// Open returns the store in a folder. It creates the folder.
func Open(root string) (*Store, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, translate("open", root, err)
	}
	if err := makeFolder(abs); err != nil {
		return nil, translate("open", root, err)
	}
	return &Store{root: abs, clock: time.Now}, nil
}

// WithClock replaces the clock.
func (s *Store) WithClock(now func() time.Time) *Store {
	s.clock = now
	return s
}

// Location is the path of a file.
func (s *Store) Location(name string) string {
	return filepath.Join(s.root, filepath.FromSlash(name))
}

// Now is the time of this machine.
func (s *Store) Now(context.Context) (time.Time, error) { return s.clock(), nil }

// path is where a file is, if it can be named so.
func (s *Store) path(op, name string) (string, error) {
	base := path.Base(name)
	local, err := filepath.Localize(name)
	if err != nil || name == "." || strings.HasPrefix(base, temporary) || strings.HasPrefix(base, locks) {
		return "", translate(op, name, errors.New("this is not a valid name of a file"))
	}
	return filepath.Join(s.root, local), nil
}

// Open opens a file, or a range of it.
func (s *Store) Open(_ context.Context, name string, r store.Range) (store.Object, error) {
	at, err := s.path("read", name)
	if err != nil {
		return store.Object{}, err
	}
	f, err := os.Open(at)
	if err != nil {
		return store.Object{}, translate("read", at, err)
	}
	info, err := describe(f, name)
	if err != nil {
		f.Close()
		return store.Object{}, translate("read", at, err)
	}
	offset, length := r.Of(info.Size)
	return store.Object{Info: info, Body: &body{SectionReader: io.NewSectionReader(f, offset, length), file: f, left: length}}, nil
}

// body reads a range. It returns an error if the file is shorter than it was.
type body struct {
	*io.SectionReader
	file *os.File
	left int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.SectionReader.Read(p)
	b.left -= int64(n)
	if errors.Is(err, io.EOF) && b.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = translate("read", b.file.Name(), err)
	}
	return n, err
}

func (b *body) Close() error { return b.file.Close() }

// Stat describes a file.
func (s *Store) Stat(_ context.Context, name string) (store.Info, error) {
	at, err := s.path("read", name)
	if err != nil {
		return store.Info{}, err
	}
	f, err := os.Open(at)
	if err != nil {
		return store.Info{}, translate("read", at, err)
	}
	defer f.Close()
	info, err := describe(f, name)
	if err != nil {
		return store.Info{}, translate("read", at, err)
	}
	return info, nil
}

// describe is the Info of an open file.
func describe(f *os.File, name string) (store.Info, error) {
	i, err := f.Stat()
	if err != nil {
		return store.Info{}, err
	}
	if !i.Mode().IsRegular() {
		return store.Info{}, fs.ErrNotExist
	}
	info := store.Info{Name: name, Size: i.Size(), Modified: i.ModTime()}
	if info.Size > hashed {
		info.ETag = fmt.Sprintf("%x-%x", info.Modified.UnixNano(), info.Size)
		return info, nil
	}
	data, err := io.ReadAll(io.NewSectionReader(f, 0, info.Size))
	if err != nil {
		return store.Info{}, err
	}
	info.ETag = tag(data)
	return info, nil
}

func tag(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// Delete removes a file.
func (s *Store) Delete(_ context.Context, name string) error {
	at, err := s.path("delete", name)
	if err != nil {
		return err
	}
	if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return translate("delete", at, err)
	}
	return nil
}

// temp creates an unfinished file next to a file.
func temp(at string) (*os.File, error) {
	folder := filepath.Dir(at)
	name := filepath.Join(folder, temporary+rand.Text())
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFolder(folder); err != nil {
			return nil, err
		}
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	}
	return f, err
}

// makeFolder creates a folder and those above it. Each is durable in the one above.
func makeFolder(folder string) error {
	if i, err := os.Stat(folder); err == nil {
		if !i.IsDir() {
			return fmt.Errorf("%s is a file, not a folder", folder)
		}
		return nil
	}
	above := filepath.Dir(folder)
	if above == folder {
		return fs.ErrNotExist
	}
	if err := makeFolder(above); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(above)
}
