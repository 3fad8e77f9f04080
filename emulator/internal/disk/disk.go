// Package disk makes the files in which the emulator keeps what does not fit into
// memory: blobs, extents and answers. A file that fails, as on a full disk, is an
// error that names the cause and the next step, and a line in the log.
package disk

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
)

// File is a file that was made. Closing it does not remove it.
type File interface {
	io.Writer
	io.WriterAt
	io.ReaderAt
	io.Closer
	Name() string
}

// Folder is where files are made. The zero Folder is the system's for temporary files.
type Folder struct {
	Dir string
	// Log gets a line for each failure; nil is no log.
	Log *slog.Logger
	// Make makes a file, as os.CreateTemp does, which nil stands for.
	Make func(dir, pattern string) (File, error)
}

// Error is a failure of a file.
type Error struct {
	What string // what was done: "keep a blob"
	Dir  string
	Err  error
}

// Error is the cause with what to do about it.
func (e *Error) Error() string {
	cause := e.Err
	if p, ok := errors.AsType[*os.PathError](cause); ok {
		cause = p.Err // the name of a temporary file tells nobody anything
	}
	return e.What + " in " + e.Dir + ": " + cause.Error() + "; free space there, or give the emulator another folder (--dir)"
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes a file. Its errors, and those of writing and reading, are an *Error that
// says what was done, "keep a blob"; only the end of the file is io.EOF.
func (f Folder) New(what, pattern string) (File, error) {
	create := f.Make
	if create == nil {
		create = func(dir, pattern string) (File, error) { return os.CreateTemp(dir, pattern) }
	}
	made, err := create(f.Dir, pattern)
	if err != nil {
		return nil, f.fail(what, err)
	}
	return &file{made, f, what}, nil
}

// Ensure makes the folder itself if it is not there.
func (f Folder) Ensure(what string) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return f.fail(what, err)
	}
	return nil
}

// MakeDir makes a folder below f.
func (f Folder) MakeDir(what, pattern string) (Folder, error) {
	dir, err := os.MkdirTemp(f.Dir, pattern)
	if err != nil {
		return Folder{}, f.fail(what, err)
	}
	f.Dir = dir
	return f, nil
}

// fail reports a failure.
func (f Folder) fail(what string, err error) error {
	dir := f.Dir
	if dir == "" {
		dir = os.TempDir()
	}
	failed := &Error{What: what, Dir: filepath.Clean(dir), Err: err}
	if f.Log != nil {
		f.Log.Error("a file of the emulator failed", "error", failed)
	}
	return failed
}

// file reports its failures.
type file struct {
	File
	in   Folder
	what string
}

func (f *file) checked(n int, err error) (int, error) {
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, f.in.fail(f.what, err)
}

// Write appends p.
func (f *file) Write(p []byte) (int, error) { return f.checked(f.File.Write(p)) }

// WriteAt writes p at an offset.
func (f *file) WriteAt(p []byte, at int64) (int, error) { return f.checked(f.File.WriteAt(p, at)) }

// ReadAt reads from an offset.
func (f *file) ReadAt(p []byte, at int64) (int, error) { return f.checked(f.File.ReadAt(p, at)) }

// Close ends writing, whose last failure may show only now.
func (f *file) Close() error {
	_, err := f.checked(0, f.File.Close())
	return err
}
