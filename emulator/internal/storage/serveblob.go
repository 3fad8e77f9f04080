package storage

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// serve is the blob service:
// https://learn.microsoft.com/rest/api/storageservices/operations-on-blobs.
func (s *blobs) serve(w http.ResponseWriter, r *http.Request, at location) error {
	q := r.URL.Query()
	comp := q.Get("comp")
	s.mu.Lock()
	c := s.containers[at.Resource]
	s.mu.Unlock()
	if at.rest == "" || q.Get("restype") != "" {
		return s.serveContainer(w, r, at, c)
	}
	switch {
	case r.Method == http.MethodPut && comp == "":
		return s.putBlob(w, r, at, c)
	case r.Method == http.MethodPut && comp == "block":
		return s.putBlock(w, r, at, c)
	case r.Method == http.MethodPut && comp == "blocklist":
		return s.putBlockList(w, r, at, c)
	case r.Method == http.MethodGet && comp == "blocklist":
		return s.getBlockList(w, r, at, c)
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && comp == "":
		return s.getBlob(w, r, at, c)
	case r.Method == http.MethodDelete && comp == "":
		return s.deleteBlob(w, r, at, c)
	}
	return errUnsupported(r)
}

// serveContainer lists blobs, or answers whether the container is there.
func (s *blobs) serveContainer(w http.ResponseWriter, r *http.Request, at location, c *container) error {
	if r.Method == http.MethodGet && r.URL.Query().Get("comp") == "list" {
		return s.listBlobs(w, r, at, c)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Query().Get("comp") != "" {
		return errUnsupported(r)
	}
	if err := s.allow(r, at, "rl"); err != nil {
		return err
	}
	w.Header().Set("X-Ms-Lease-Status", "unlocked")
	w.Header().Set("X-Ms-Lease-State", "available")
	w.WriteHeader(http.StatusOK)
	return nil
}

// putBlob stores the body as a whole blob.
func (s *blobs) putBlob(w http.ResponseWriter, r *http.Request, at location, c *container) error {
	if err := s.allow(r, at, "cw"); err != nil {
		return err
	}
	if t := r.Header.Get("X-Ms-Blob-Type"); t != "BlockBlob" {
		return failure(http.StatusBadRequest, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format: this emulator has block blobs only, not x-ms-blob-type %q.", t)
	}
	if r.Header.Get("X-Ms-Copy-Source") != "" {
		return errUnsupported(r)
	}
	data, err := s.spool.read(r.Body, maxPut)
	if err != nil {
		return err
	}
	return s.commit(w, r, c, newBlob(r, at.rest, []block{{chunk: data}}))
}

// newBlob takes the blob's properties from the headers.
func newBlob(r *http.Request, name string, parts []block) *blob {
	b := &blob{name: name, chunks: parts, contentType: "application/octet-stream", metadata: http.Header{}}
	if t := r.Header.Get("X-Ms-Blob-Content-Type"); t != "" {
		b.contentType = t
	}
	b.encoding = r.Header.Get("X-Ms-Blob-Content-Encoding")
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-Ms-Meta-") {
			b.metadata[name] = values
		}
	}
	return b
}

// commit puts a new blob in place if the request's conditions hold.
func (s *blobs) commit(w http.ResponseWriter, r *http.Request, c *container, b *blob) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := conditions(r, c.blobs[b.name]); err != nil {
		if r.URL.Query().Get("comp") == "" {
			b.remove()
		}
		return err
	}
	s.put(c, b)
	h := w.Header()
	h.Set("Etag", b.etag)
	h.Set("Last-Modified", b.modified.UTC().Format(http.TimeFormat))
	h.Set("X-Ms-Request-Server-Encrypted", "true")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// conditions are If-Match and If-None-Match of a request that changes a blob.
func conditions(r *http.Request, old *blob) error {
	if m := r.Header.Get("If-None-Match"); m != "" && old != nil && (m == "*" || m == old.etag) {
		if m == "*" {
			return failure(http.StatusConflict, "BlobAlreadyExists", "The specified blob already exists.")
		}
		return failure(http.StatusPreconditionFailed, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
	}
	if m := r.Header.Get("If-Match"); m != "" && (old == nil || m != "*" && m != old.etag) {
		return failure(http.StatusPreconditionFailed, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
	}
	return nil
}

// putBlock stores the body as a block of a blob to come.
func (s *blobs) putBlock(w http.ResponseWriter, r *http.Request, at location, c *container) error {
	if err := s.allow(r, at, "cw"); err != nil {
		return err
	}
	id := r.URL.Query().Get("blockid")
	if id == "" {
		return failure(http.StatusBadRequest, "InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid: blockid is empty.")
	}
	data, err := s.spool.read(r.Body, maxBlock)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.blocks[at.rest] == nil {
		c.blocks[at.rest] = map[string]chunk{}
	}
	old, again := c.blocks[at.rest][id]
	if !again && len(c.blocks[at.rest]) >= 2*maxBlocks {
		data.remove()
		return failure(http.StatusConflict, "BlockCountExceedsLimit", "The uncommitted block count cannot exceed the maximum limit of %d blocks.", 2*maxBlocks)
	}
	old.remove()
	c.blocks[at.rest][id] = data
	w.Header().Set("X-Ms-Request-Server-Encrypted", "true")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// putBlockList makes a blob of blocks, in the order of the list.
func (s *blobs) putBlockList(w http.ResponseWriter, r *http.Request, at location, c *container) error {
	if err := s.allow(r, at, "cw"); err != nil {
		return err
	}
	ids, err := readBlockList(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return err
	}
	s.mu.Lock()
	uncommitted, committed := c.blocks[at.rest], map[string]chunk{}
	if old := c.blobs[at.rest]; old != nil {
		for _, part := range old.chunks {
			committed[part.id] = part.chunk
		}
	}
	var parts []block
	for _, b := range ids {
		found, ok := uncommitted[b.id]
		if b.kind == "Committed" || !ok && b.kind == "Latest" {
			found, ok = committed[b.id]
		}
		if !ok {
			err = failure(http.StatusBadRequest, "InvalidBlockList", "The specified block list is invalid.")
			break
		}
		parts = append(parts, block{b.id, found})
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.commit(w, r, c, newBlob(r, at.rest, parts))
}

type listedBlock struct{ kind, id string }

// readBlockList reads <BlockList><Latest>id</Latest>...</BlockList>. The order of
// its elements counts, regardless of their names.
func readBlockList(r io.Reader) ([]listedBlock, error) {
	invalid := func(err error) error {
		return failure(http.StatusBadRequest, "InvalidXmlDocument", "XML specified is not syntactically valid: %v", err)
	}
	var ids []listedBlock
	d := xml.NewDecoder(r)
	for {
		token, err := d.Token()
		switch {
		case err == io.EOF:
			return ids, nil
		case err != nil:
			return nil, invalid(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local == "BlockList" {
			continue
		}
		var id string
		if err := d.DecodeElement(&id, &start); err != nil {
			return nil, invalid(err)
		}
		switch start.Name.Local {
		case "Latest", "Committed", "Uncommitted":
			ids = append(ids, listedBlock{start.Name.Local, strings.TrimSpace(id)})
		default:
			return nil, invalid(fmt.Errorf("element %q is not expected", start.Name.Local))
		}
		if len(ids) > maxBlocks {
			return nil, failure(http.StatusBadRequest, "BlockListTooLong", "The block list may not contain more than %d blocks.", maxBlocks)
		}
	}
}

// getBlob sends the blob or a range of it, or only its properties.
func (s *blobs) getBlob(w http.ResponseWriter, r *http.Request, at location, c *container) error {
	if err := s.allow(r, at, "r"); err != nil {
		return err
	}
	s.mu.Lock()
	b, generate := c.blobs[at.rest], c.generate
	s.mu.Unlock()
	if b == nil && generate != nil {
		var err error
		if b, err = s.generated(r.Context(), c, at.rest); err != nil {
			return err
		}
	}
	if b == nil {
		return errNoBlob()
	}
	if m := r.Header.Get("If-None-Match"); m == "*" || m == b.etag {
		return failure(http.StatusNotModified, "ConditionNotMet", "")
	}
	if m := r.Header.Get("If-Match"); m != "" && m != "*" && m != b.etag {
		return failure(http.StatusPreconditionFailed, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
	}
	from, to, partial, err := b.rangeOf(r)
	if err != nil {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", b.size))
		return err
	}
	h := w.Header()
	b.describe(h)
	h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	status := http.StatusOK
	if partial {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, b.size))
		status = http.StatusPartialContent
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	in := b.reader()
	defer in.Close()
	_, err = io.CopyN(io.Discard, in, from)
	if err == nil {
		_, err = io.CopyN(w, in, to-from)
	}
	if err != nil {
		// The header has gone: the client sees that the body is cut.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// describe sets the headers that a blob has.
func (b *blob) describe(h http.Header) {
	h.Set("Content-Type", b.contentType)
	if b.encoding != "" {
		h.Set("Content-Encoding", b.encoding)
	}
	for name, values := range b.metadata {
		h[name] = values
	}
	h.Set("Etag", b.etag)
	h.Set("Last-Modified", b.modified.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("X-Ms-Blob-Type", "BlockBlob")
	h.Set("X-Ms-Creation-Time", b.created.UTC().Format(http.TimeFormat))
	h.Set("X-Ms-Lease-Status", "unlocked")
	h.Set("X-Ms-Lease-State", "available")
	h.Set("X-Ms-Server-Encrypted", "true")
}

// rangeOf reads bytes=from-to of x-ms-range or Range; to is exclusive.
func (b *blob) rangeOf(r *http.Request) (from, to int64, partial bool, err error) {
	text := r.Header.Get("X-Ms-Range")
	if text == "" {
		text = r.Header.Get("Range")
	}
	if text == "" {
		return 0, b.size, false, nil
	}
	invalid := failure(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The range specified is invalid for the current size of the resource.")
	text, ok := strings.CutPrefix(text, "bytes=")
	first, last, dash := strings.Cut(text, "-")
	from, e := strconv.ParseInt(first, 10, 64)
	if !ok || !dash || e != nil || from < 0 || from >= b.size {
		return 0, 0, false, invalid
	}
	to = b.size
	if last != "" {
		n, e := strconv.ParseInt(last, 10, 64)
		if e != nil || n < from {
			return 0, 0, false, invalid
		}
		to = min(n, b.size-1) + 1
	}
	return from, to, true, nil
}

func (s *blobs) deleteBlob(w http.ResponseWriter, r *http.Request, at location, c *container) error {
	if err := s.allow(r, at, "d"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := c.blobs[at.rest]
	if b == nil {
		return errNoBlob()
	}
	if err := conditions(r, b); err != nil {
		return err
	}
	delete(c.blobs, at.rest)
	b.remove()
	w.Header().Set("X-Ms-Delete-Type-Permanent", "true")
	w.WriteHeader(http.StatusAccepted)
	return nil
}
