package engine

import (
	"errors"
	"io"
	"sync"
)

// segmentBuffer holds compressed bytes in pieces of equal size, so that growing
// copies nothing and what is let go is used again.
type segmentBuffer struct {
	segments []*[segmentSize]byte
	size     int64
}

const segmentSize = 256 << 10

var segmentPool = sync.Pool{New: func() any { return new([segmentSize]byte) }}

// Write implements io.Writer; it never fails.
func (c *segmentBuffer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		at := int(c.size % segmentSize)
		if at == 0 {
			c.segments = append(c.segments, segmentPool.Get().(*[segmentSize]byte))
		}
		k := copy(c.segments[len(c.segments)-1][at:], p)
		p = p[k:]
		c.size += int64(k)
	}
	return n, nil
}

// release gives the memory back. Readers made before must not be used any more.
func (c *segmentBuffer) release() {
	for _, b := range c.segments {
		segmentPool.Put(b)
	}
	*c = segmentBuffer{}
}

func (c *segmentBuffer) reader() io.ReadSeeker { return &segmentReader{buffer: c} }

type segmentReader struct {
	buffer *segmentBuffer
	at     int64
}

func (r *segmentReader) Read(p []byte) (int, error) {
	if r.at >= r.buffer.size {
		return 0, io.EOF
	}
	block := r.buffer.segments[r.at/segmentSize]
	end := min(segmentSize, r.buffer.size-r.at/segmentSize*segmentSize)
	n := copy(p, block[r.at%segmentSize:end])
	r.at += int64(n)
	return n, nil
}

func (r *segmentReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.buffer.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start of a batch")
	}
	r.at = offset
	return offset, nil
}
