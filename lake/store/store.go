package store

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Conditions that errors of a Store satisfy with errors.Is.
var (
	ErrNotFound = errors.New("the file does not exist")
	ErrExists   = errors.New("the file already exists")
	ErrChanged  = errors.New("the file has changed since it was read")
)

// Store is a folder of files. Implementations are safe for concurrent use.
type Store interface {
	// Open reads a file, or a range of it. The caller closes the body. A body
	// that ends before the range does returns an error, never io.EOF.
	Open(ctx context.Context, name string, r Range) (Object, error)

	// Create begins to write a file of any size under a new name. The file
	// appears with Commit, which fails with ErrExists if the name is in use.
	Create(ctx context.Context, name string) (Upload, error)

	// Put writes a small file if the condition is true: IfAbsent fails with ErrExists,
	// IfMatch with ErrChanged. A nil error means that the file is durable.
	// After another error than these two, the file is unchanged or written.
	Put(ctx context.Context, name string, data []byte, c Condition) (Info, error)

	// Stat describes a file.
	Stat(ctx context.Context, name string) (Info, error)

	// List returns the files whose names begin with prefix, in the order of their
	// names, beginning after the name after. Their ETag may be empty. A store
	// with no such file returns none.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]

	// Delete removes a file. It is no error if the file does not exist.
	Delete(ctx context.Context, name string) error

	// Now is the time by the clock of the store, which all its writers share.
	Now(ctx context.Context) (time.Time, error)

	// Location is where a file is, for people: a path or a URL without secrets.
	Location(name string) string
}

// Range is a part of a file. The zero Range is all of it.
type Range struct {
	Offset int64 // from the start; negative: from the end
	Length int64 // 0: to the end
}

// Object is a file that is being read.
type Object struct {
	Info
	Body io.ReadCloser
}

// Info describes a file.
type Info struct {
	Name     string
	Size     int64
	Modified time.Time
	ETag     string // changes when the content does
}

// Upload is a file that is being written.
type Upload interface {
	io.Writer

	// Commit makes the file appear, complete and durable.
	Commit(ctx context.Context) (Info, error)

	// Abort discards what was written. After Commit it does nothing.
	Abort() error
}

// Condition is what must be true for a Put to write. The zero Condition is always true.
type Condition struct {
	absent bool
	etag   string
}

// IfAbsent is true if the file does not exist.
func IfAbsent() Condition { return Condition{absent: true} }

// IfMatch is true if the file exists and has this ETag.
func IfMatch(etag string) Condition { return Condition{etag: etag} }

// Absent says whether the condition is IfAbsent.
func (c Condition) Absent() bool { return c.absent }

// ETag is the one that IfMatch demands; "" for other conditions.
func (c Condition) ETag() string { return c.etag }

// Locker is a Store with locks that end with their process.
type Locker interface {
	// Lock takes the lock of a name if no other process or caller holds it. The
	// lock ends with unlock or with the process. No file appears under the name.
	Lock(ctx context.Context, name string) (unlock func() error, locked bool, err error)
}

// Cleaner is a Store that finds what interrupted writers left behind.
type Cleaner interface {
	// Clean removes unfinished files that no writer has changed since the time.
	Clean(ctx context.Context, before time.Time) (removed int, err error)
}

// Of returns the offset and the length of the range in a file of this size.
func (r Range) Of(size int64) (offset, length int64) {
	offset = r.Offset
	if offset < 0 {
		offset = max(0, size+offset)
	}
	offset = min(offset, size)
	length = size - offset
	if r.Length > 0 {
		length = min(length, r.Length)
	}
	return offset, length
}
