package store

import (
	"context"
	"fmt"
	"io"

	"github.com/tvmexport/tvmexport"
)

// ReadAll reads a small file of at most most bytes.
func ReadAll(ctx context.Context, s Store, name string, most int64) ([]byte, Info, error) {
	o, err := s.Open(ctx, name, Range{})
	if err != nil {
		return nil, Info{}, err
	}
	defer o.Body.Close()
	data, err := io.ReadAll(io.LimitReader(o.Body, most+1))
	if err != nil {
		return nil, Info{}, err
	}
	if int64(len(data)) > most {
		return nil, Info{}, Fail(s, "read", name, fmt.Errorf("it has more than %d bytes", most))
	}
	return data, o.Info, nil
}

// Fail is an error on a file that a repetition does not resolve.
func Fail(s Store, op, name string, err error) error {
	return &tvmexport.Error{Op: op + " " + s.Location(name), Action: tvmexport.Stop, Err: err}
}

// ReaderAt reads parts of one version of a file.
type ReaderAt struct {
	ctx   context.Context
	store Store
	info  Info
}

// NewReaderAt returns a reader of a file, of which the Info was read before.
func NewReaderAt(ctx context.Context, s Store, i Info) *ReaderAt {
	return &ReaderAt{ctx: ctx, store: s, info: i}
}

// Size is the size of the file.
func (r *ReaderAt) Size() int64 { return r.info.Size }

// ReadAt reads len(p) bytes at an offset. It is an error if the file has
// another size than the Info says, or another ETag, if that is known.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if off < 0 || off >= r.info.Size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), r.info.Size-off)
	o, err := r.store.Open(r.ctx, r.info.Name, Range{Offset: off, Length: want})
	if err != nil {
		return 0, err
	}
	defer o.Body.Close()
	if o.Size != r.info.Size || r.info.ETag != "" && o.ETag != "" && o.ETag != r.info.ETag {
		return 0, Fail(r.store, "read", r.info.Name, ErrChanged)
	}
	n, err := io.ReadFull(o.Body, p[:want])
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}
