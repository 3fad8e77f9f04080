package storage

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
)

// Limits of the service: https://learn.microsoft.com/azure/storage/blobs/scalability-targets.
const (
	maxPut    = 5000 << 20
	maxBlock  = 4000 << 20
	maxBlocks = 50_000
)

// container holds blobs by name. Its maps are guarded by the Storage's lock;
// a blob is not changed once it is in.
type container struct {
	blobs  map[string]*blob
	blocks map[string]map[string]chunk // blocks that are in no blob yet, by blob and id
}

type blob struct {
	name        string
	chunks      []block
	size        int64
	contentType string
	encoding    string
	metadata    http.Header // x-ms-meta-*
	etag        string
	created     time.Time
	modified    time.Time
}

// block is a part of a blob with its id; "" for a blob that was put whole.
type block struct {
	id string
	chunk
}

func (b *blob) remove() {
	for _, c := range b.chunks {
		c.remove()
	}
}

// released is a blob that may be dropped to save room.
type released struct {
	in   *container
	blob *blob
}

// put makes b the blob of its name. What was there before is dropped, apart
// from blocks that b goes on using.
func (s *Storage) put(c *container, b *blob) {
	now := s.o.Now()
	b.etag, b.created, b.modified = `"0x`+uuid.NewString()[:16]+`"`, now, now
	b.size = 0
	kept := map[string]bool{}
	for _, part := range b.chunks {
		b.size += part.size
		kept[part.file] = true
	}
	if old := c.blobs[b.name]; old != nil {
		b.created = old.created
		for _, part := range old.chunks {
			if !kept[part.file] {
				part.remove()
			}
		}
	}
	for _, part := range c.blocks[b.name] {
		if !kept[part.file] {
			part.remove()
		}
	}
	delete(c.blocks, b.name)
	c.blobs[b.name] = b
	s.stats.blobs.Add(1)
	s.stats.blobBytes.Add(b.size)
}

// Content is a blob that is being read.
type Content struct {
	io.ReadCloser
	Name string // of the blob
	Size int64  // in bytes, as stored
	Path string // the blob's address without its signature
}

// Open reads the blob at an address that holds a signature with the permission
// to read it. The error is an *Error.
func (s *Storage) Open(address string) (Content, error) {
	c, b, path, err := s.find(address, "r")
	if err != nil {
		return Content{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.blobs[b.name] != b {
		return Content{}, errNoBlob()
	}
	return Content{ReadCloser: b.reader(), Name: b.name, Size: b.size, Path: path}, nil
}

// reader reads the whole blob. Parts of it may be gone by then, which is an
// error of reading.
func (b *blob) reader() *content {
	r := &content{}
	for _, part := range b.chunks {
		r.chunks = append(r.chunks, part.chunk)
	}
	return r
}

// Delete removes the blob at an address, if it exists. It acts for the server of
// the container: the address needs no permission to delete.
func (s *Storage) Delete(address string) {
	c, b, _, err := s.find(address, "rd")
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.blobs[b.name] == b {
		delete(c.blobs, b.name)
		b.remove()
	}
}

// Release says that the blob at an address has been ingested. It stays while
// there is room, as the service purges such blobs in its own time.
func (s *Storage) Release(address string) {
	c, b, _, err := s.find(address, "r")
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.released {
		if r.blob == b {
			return
		}
	}
	s.released = append(s.released, released{c, b})
	s.kept += b.size
	for s.kept > s.o.Keep {
		oldest := s.released[0]
		s.released = s.released[1:]
		s.kept -= oldest.blob.size
		if oldest.in.blobs[oldest.blob.name] == oldest.blob {
			delete(oldest.in.blobs, oldest.blob.name)
			oldest.blob.remove()
		}
	}
}

// find is the blob at an address, whose signature must hold one of the
// permissions.
func (s *Storage) find(address, anyOf string) (*container, *blob, string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, nil, "", errInput("the address of the blob is not a URL.")
	}
	path := fmt.Sprintf("%s://%s%s", u.Scheme, u.Host, u.EscapedPath())
	at, err := s.locate(u.Host, u.Path)
	if err != nil {
		return nil, nil, path, err
	}
	if at.Kind != Blob || at.rest == "" {
		return nil, nil, path, errInput("%s is not the address of a blob.", path)
	}
	q := u.Query()
	if !q.Has("sig") {
		return nil, nil, path, errAuthentication("The address of the blob has no signature.")
	}
	if err := s.authorize(at.Resource, q, anyOf); err != nil {
		return nil, nil, path, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.containers[at.Resource]
	b := c.blobs[at.rest]
	if b == nil {
		return nil, nil, path, errNoBlob()
	}
	return c, b, path, nil
}

func errNoBlob() error {
	return failure(http.StatusNotFound, "BlobNotFound", "The specified blob does not exist.")
}
