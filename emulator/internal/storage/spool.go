package storage

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

// spool keeps content: in memory, or in files below a directory.
type spool struct {
	dir string

	mu   sync.Mutex
	made string // the spool's own directory below dir, once there is one
}

// chunk is a piece of content that does not change.
type chunk struct {
	data []byte
	file string // "" if data holds it
	size int64
}

// read takes r over, to its end or up to most bytes. More is an error.
func (s *spool) read(r io.Reader, most int64) (chunk, error) {
	r = io.LimitReader(r, most+1)
	if s.dir == "" {
		data, err := io.ReadAll(r)
		return sized(chunk{data: data, size: int64(len(data))}, most, err)
	}
	dir, err := s.directory()
	if err != nil {
		return chunk{}, err
	}
	f, err := os.CreateTemp(dir, "*.blob")
	if err != nil {
		return chunk{}, fmt.Errorf("keep a blob: %w", err)
	}
	n, err := io.Copy(f, r)
	if e := f.Close(); err == nil {
		err = e
	}
	c, err := sized(chunk{file: f.Name(), size: n}, most, err)
	if err != nil {
		chunk{file: f.Name()}.remove()
	}
	return c, err
}

func sized(c chunk, most int64, err error) (chunk, error) {
	if err == nil && c.size > most {
		err = failure(413, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit of %d bytes.", most)
	}
	return c, err
}

// directory is made when the first content comes.
func (s *spool) directory() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == "" {
		made, err := os.MkdirTemp(s.dir, "blobs-*")
		if err != nil {
			return "", fmt.Errorf("keep a blob: %w", err)
		}
		s.made = made
	}
	return s.made, nil
}

func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == "" {
		return nil
	}
	return os.RemoveAll(s.made)
}

// remove ends a chunk. A file that cannot be removed stays until close.
func (c chunk) remove() {
	if c.file != "" {
		_ = os.Remove(c.file)
	}
}

func (c chunk) open() (io.ReadCloser, error) {
	if c.file == "" {
		return io.NopCloser(bytes.NewReader(c.data)), nil
	}
	return os.Open(c.file)
}

// content reads chunks one after the other.
type content struct {
	chunks []chunk
	now    io.ReadCloser
}

func (c *content) Read(p []byte) (int, error) {
	for {
		if c.now == nil {
			if len(c.chunks) == 0 {
				return 0, io.EOF
			}
			var err error
			if c.now, err = c.chunks[0].open(); err != nil {
				return 0, fmt.Errorf("read a blob: %w", err)
			}
			c.chunks = c.chunks[1:]
		}
		n, err := c.now.Read(p)
		if err == io.EOF {
			err = c.Close()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Close ends reading.
func (c *content) Close() error {
	if c.now == nil {
		return nil
	}
	err := c.now.Close()
	c.now = nil
	return err
}
