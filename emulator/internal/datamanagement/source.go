package datamanagement

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport/emulator/internal/formats"
)

// blob reads a blob, decompressed. Its error is what the storage said, or that the
// compressed data is broken.
type blob struct {
	io.Reader
	raw *countedReader
}

func (b *blob) Close() error { return b.raw.close() }

// countedReader counts what it reads and keeps the error that ended it.
type countedReader struct {
	r     io.Reader
	close func() error
	n     atomic.Int64
	err   error
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// openBlob opens the blob of a delivery.
func openBlob(ctx context.Context, storage Storage, d *delivery) (*blob, error) {
	source := strings.ToLower(d.source())
	if strings.HasSuffix(source, ".zip") {
		return nil, &Failure{
			Code: formats.CodeFormatNotSupported, Permanent: true,
			Details: "zip archives are not read by this emulator; upload the file as it is or compressed with gzip",
		}
	}
	r, err := storage.OpenBlob(ctx, d.BlobPath)
	if err != nil {
		return nil, err
	}
	return decompressed(&countedReader{r: r, close: r.Close})
}

// decompressed finds out by the first bytes whether raw is compressed with gzip:
// not every client gives such blobs names that tell.
func decompressed(raw *countedReader) (*blob, error) {
	buffered := bufio.NewReaderSize(raw, 64<<10)
	b := &blob{buffered, raw}
	if head, _ := buffered.Peek(2); len(head) < 2 || head[0] != 0x1f || head[1] != 0x8b {
		return b, nil
	}
	u := &unzipped{raw: raw}
	z, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, errors.Join(u.explain(err), raw.close())
	}
	u.r, b.Reader = z, u
	return b, nil
}

// unzipped tells broken data from a storage that failed.
type unzipped struct {
	r   io.Reader
	raw *countedReader
}

func (u *unzipped) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	return n, u.explain(err)
}

func (u *unzipped) explain(err error) error {
	switch {
	case err == nil || err == io.EOF: //nolint:errorlint // the end is never wrapped
		return err
	case u.raw.err != nil:
		return u.raw.err
	}
	return &formats.Error{Code: formats.CodeInvalidBlob, Reason: fmt.Sprintf("the gzip data is broken: %v", err)}
}
