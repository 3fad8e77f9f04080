package storage

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
)

// spool keeps content: in memory, or in files below a directory.
type spool struct {
	in     disk.Folder
	memory bool // nothing is written to files

	mu   sync.Mutex
	made disk.Folder // the spool's own folder below in, once there is one
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
	if s.memory {
		data, err := io.ReadAll(r)
		return sized(chunk{data: data, size: int64(len(data))}, most, err)
	}
	dir, err := s.directory()
	if err != nil {
		return chunk{}, err
	}
	f, err := dir.New(keepBlob, "*.blob")
	if err != nil {
		return chunk{}, err
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

// keepBlob is what fails when a file of a blob does.
const keepBlob = "keep a blob"

// directory is made when the first content comes.
func (s *spool) directory() (disk.Folder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made.Dir == "" {
		made, err := s.in.MakeDir(keepBlob, "blobs-*")
		if err != nil {
			return disk.Folder{}, err
		}
		s.made = made
	}
	return s.made, nil
}

func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made.Dir == "" {
		return nil
	}
	return os.RemoveAll(s.made.Dir)
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
