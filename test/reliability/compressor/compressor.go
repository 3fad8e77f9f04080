// Package compressor packs the batches of exporters under test.
package compressor

import (
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// idle are compressors to use again: a new one takes a megabyte, and the batches of tests are small.
var idle = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// New returns a writer that compresses to another one until it is closed.
func New(to io.Writer) io.WriteCloser {
	z := idle.Get().(*gzip.Writer)
	z.Reset(to)
	return &writer{z}
}

// writer gives its compressor back when it is closed.
type writer struct{ z *gzip.Writer }

func (c *writer) Write(p []byte) (int, error) { return c.z.Write(p) }

func (c *writer) Close() error {
	z := c.z
	c.z = nil
	err := z.Close()
	idle.Put(z)
	return err
}
