package assessment

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport/internal/wire"
)

// unpacker decompresses one file after the other.
type unpacker struct {
	gzip.Reader
	file *bufio.Reader // larger than the one that gzip would make
}

var unpackers = sync.Pool{New: func() any { return &unpacker{file: bufio.NewReaderSize(nil, 64<<10)} }}

var (
	errNotGzip = errors.New("it is not compressed with gzip")
	errLength  = errors.New("its length is not the declared one")
	errBroken  = errors.New("it cannot be read to its end")
)

// proven is how much of a file was read.
type proven struct {
	bytes  int64 // of JSON
	filled bool  // it has at least the frame of a file without rows
}

// readFile reads a file of an export: rows as JSON, one a line, compressed. A nil error
// means that the file is complete: as long as declared, if length is not negative, with
// the checksum and the length in the trailer of gzip, and JSON to its end. A file
// without a byte is one without rows.
func readFile(file io.Reader, length int64, r *rows) (proven, error) {
	raw := &counted{r: file}
	z := unpackers.Get().(*unpacker)
	defer func() {
		z.file.Reset(nil) // it would keep the answer
		unpackers.Put(z)
	}()
	z.file.Reset(raw)
	err := z.Reset(z.file)
	if errors.Is(err, io.EOF) && raw.n == 0 {
		return proven{}, raw.check(length)
	}
	switch {
	case errors.Is(err, gzip.ErrHeader):
		return proven{}, fmt.Errorf("%w: %w", errBroken, errNotGzip)
	case err != nil:
		return proven{}, broken(err)
	}
	s := wire.NewStream(z)
	if err = readLines(s, r); err == nil {
		err = raw.check(length)
	}
	return proven{s.Read(), raw.n > 0}, err
}

// readLines reads rows until the text ends.
func readLines(s *wire.Stream, r *rows) error {
	row := r.row // made once
	for {
		switch err := s.End(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return broken(err)
		}
		if err := s.Whole(row); err != nil {
			return broken(err)
		}
	}
}

// broken is about text that ends early or is damaged. Errors of the writer stay what
// they are.
func broken(err error) error {
	var handed *handedOn
	switch {
	case errors.As(err, &handed):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it ends early: %w", errBroken, err)
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// check compares what was read with the declared length; negative: none is declared.
func (c *counted) check(length int64) error {
	if length >= 0 && c.n != length {
		return fmt.Errorf("%w: %w: %d bytes of %d", errBroken, errLength, c.n, length)
	}
	return nil
}
