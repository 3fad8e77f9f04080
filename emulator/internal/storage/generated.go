package storage

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Generator writes the content of a blob. It returns ErrNoContent if there is no such
// blob. The same name has the same content each time.
type Generator func(ctx context.Context, name string, w io.Writer) error

// ErrNoContent is the answer of a Generator that does not know a blob.
var ErrNoContent = errors.New("there is no such blob")

// Generate creates a container whose blobs a server writes. The content of a blob is
// made when it is read for the first time, and again after it had to make room.
func (s *Storage) Generate(r Resource, g Generator) {
	s.Add(r)
	s.blobs.mu.Lock()
	defer s.blobs.mu.Unlock()
	s.blobs.containers[r].generate = g
}

// BlobURL is the address of one blob with a shared access signature for it alone.
func (s *Storage) BlobURL(base string, hostForm bool, r Resource, blob string, g Grant) string {
	u, err := url.Parse(s.URL(base, hostForm, r, g))
	if err != nil {
		return ""
	}
	u.Path += "/" + blob
	q := u.Query()
	q.Set("sr", "b")
	q.Set("sig", s.signature(ofBlob(r, blob), q))
	u.RawQuery = q.Encode()
	return u.String()
}

// ofBlob is a resource whose name is that of a blob in its container.
func ofBlob(r Resource, blob string) Resource {
	r.Name += "/" + blob
	return r
}

// authorizeBlob checks a signature for a blob or for its container.
func (s *blobs) authorizeBlob(at location, q url.Values, anyOf string) error {
	if q.Get("sr") != "b" {
		return s.authorize(at.Resource, q, anyOf)
	}
	if err := s.inTime(q, keyTimeFrame); err != nil {
		return err
	}
	return s.matches(ofBlob(at.Resource, at.rest), q, anyOf)
}

// keyTimeFrame is the detail for a signature of a key that a service delegated, as it
// was seen on blobs of the export APIs.
func keyTimeFrame(q url.Values, _ string, now time.Time) string {
	show := func(text string) string {
		t, err := parseSASTime(text)
		if err != nil {
			return text
		}
		return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	}
	return "Signature not valid in the specified key time frame: Key start [" + show(q.Get("st")) + "] - Key expiry [" +
		show(q.Get("se")) + "] - Current [" + show(now.UTC().Format(sasTime)) + "]"
}

// generated makes a blob of a container that has a Generator.
func (s *blobs) generated(ctx context.Context, c *container, name string) (*blob, error) {
	from, to := io.Pipe()
	made := make(chan error, 1)
	go func() {
		err := c.generate(ctx, name, to)
		to.CloseWithError(err)
		made <- err
	}()
	data, err := s.spool.read(from, maxPut)
	from.CloseWithError(err)
	switch failed := <-made; {
	case errors.Is(failed, ErrNoContent):
		return nil, errNoBlob()
	case err != nil:
		data.remove()
		return nil, err
	}
	now := s.now()
	b := &blob{
		name: name, chunks: []block{{chunk: data}}, size: data.size, contentType: "application/octet-stream",
		etag: `"0x` + strings.ToUpper(uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String()[:8]) + `"`, created: now, modified: now,
	}
	s.mu.Lock()
	if other := c.blobs[name]; other != nil { // somebody else was as quick
		s.mu.Unlock()
		b.remove()
		return other, nil
	}
	c.blobs[name] = b
	s.mu.Unlock()
	s.release(found{container: c, blob: b})
	return b, nil
}
