package engine

import (
	"errors"
	"io"
	"sync"
)

// chunks holds compressed bytes in pieces of equal size, so that growing
// copies nothing and what is let go is used again.
type chunks struct {
	list []*[chunkSize]byte
	size int64
}

const chunkSize = 256 << 10

var chunkPool = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// Write implements io.Writer; it never fails.
func (c *chunks) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		at := int(c.size % chunkSize)
		if at == 0 {
			c.list = append(c.list, chunkPool.Get().(*[chunkSize]byte))
		}
		k := copy(c.list[len(c.list)-1][at:], p)
		p = p[k:]
		c.size += int64(k)
	}
	return n, nil
}

// release gives the memory back. Readers made before must not be used any more.
func (c *chunks) release() {
	for _, b := range c.list {
		chunkPool.Put(b)
	}
	*c = chunks{}
}

func (c *chunks) reader() io.ReadSeeker { return &chunkReader{c: c} }

type chunkReader struct {
	c  *chunks
	at int64
}

func (r *chunkReader) Read(p []byte) (int, error) {
	if r.at >= r.c.size {
		return 0, io.EOF
	}
	block := r.c.list[r.at/chunkSize]
	end := min(chunkSize, r.c.size-r.at/chunkSize*chunkSize)
	n := copy(p, block[r.at%chunkSize:end])
	r.at += int64(n)
	return n, nil
}

func (r *chunkReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.c.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start of a batch")
	}
	r.at = offset
	return offset, nil
}
