package storage

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Limits of the service: https://learn.microsoft.com/azure/storage/blobs/scalability-targets.
const (
	maxPut    = 5000 << 20
	maxBlock  = 4000 << 20
	maxBlocks = 50_000
)

// blobs is the blob service of all accounts.
type blobs struct {
	signer
	tokens func(r *http.Request, at Resource, anyOf string) error
	keep   int64 // bytes that stay after release
	spool  spool

	mu         sync.Mutex
	containers map[Resource]*container
	released   []released // blobs that may go, oldest first
	kept       int64      // their bytes
	stats      Stats      // without messages
}

// add creates an empty container. It keeps an existing one.
func (s *blobs) add(r Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.containers[r] == nil {
		s.containers[r] = &container{blobs: map[string]*blob{}, blocks: map[string]map[string]chunk{}}
	}
}

// resources are the containers.
func (s *blobs) resources() []Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.containers))
}

// count is how many blobs were completed, and their bytes.
func (s *blobs) count() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// container holds blobs by name. Its maps are guarded by the lock of blobs;
// a blob is not changed once it is in.
type container struct {
	blobs  map[string]*blob
	blocks map[string]map[string]chunk // blocks that are in no blob yet, by blob and id

	generate Generator // of blobs that are not there; nil: there are none
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
func (s *blobs) put(c *container, b *blob) {
	now := s.now()
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
	s.stats.Blobs++
	s.stats.BlobBytes += b.size
}

// Content is a blob that is being read.
type Content struct {
	io.ReadCloser
	Name string // of the blob
	Size int64  // in bytes, as stored
	Path string // the blob's address without its signature
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

// open reads a blob that find found.
func (s *blobs) open(at found) (Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.container.blobs[at.blob.name] != at.blob {
		return Content{}, errNoBlob()
	}
	return Content{ReadCloser: at.blob.reader(), Name: at.blob.name, Size: at.blob.size, Path: at.path}, nil
}

// remove removes a blob that find found.
func (s *blobs) remove(at found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.container.blobs[at.blob.name] == at.blob {
		delete(at.container.blobs, at.blob.name)
		at.blob.remove()
	}
}

// release lets a blob that find found go when there is no room left.
func (s *blobs) release(at found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.released {
		if r.blob == at.blob {
			return
		}
	}
	s.released = append(s.released, released{at.container, at.blob})
	s.kept += at.blob.size
	for s.kept > s.keep {
		oldest := s.released[0]
		s.released = s.released[1:]
		s.kept -= oldest.blob.size
		if oldest.in.blobs[oldest.blob.name] == oldest.blob {
			delete(oldest.in.blobs, oldest.blob.name)
			oldest.blob.remove()
		}
	}
}

// found is a blob that an address named.
type found struct {
	container *container
	blob      *blob
	path      string // the address without its signature
}

// find is the blob at a location, if the signature in q holds one of the permissions.
func (s *blobs) find(at location, q url.Values, anyOf string) (found, error) {
	if !q.Has("sig") {
		return found{}, errAuthentication("The address of the blob has no signature.")
	}
	if err := s.authorize(at.Resource, q, anyOf); err != nil {
		return found{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.containers[at.Resource]
	b := c.blobs[at.rest]
	if b == nil {
		return found{}, errNoBlob()
	}
	return found{container: c, blob: b}, nil
}

func errNoBlob() error {
	return failure(http.StatusNotFound, "BlobNotFound", "The specified blob does not exist.")
}
