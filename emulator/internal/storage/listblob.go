package storage

import (
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxListed is how many blobs an answer lists at most.
const maxListed = 5000

// allow checks that a request has a signature or a token that holds one of the
// permissions.
func (s *blobs) allow(r *http.Request, at location, anyOf string) error {
	q := r.URL.Query()
	if s.tokens != nil && !q.Has("sig") && r.Header.Get("Authorization") != "" {
		return s.tokens(r, at.Resource, anyOf)
	}
	return s.authorizeBlob(at, q, anyOf)
}

type blobList struct {
	XMLName    xml.Name     `xml:"EnumerationResults"`
	Container  string       `xml:"ContainerName,attr"`
	Prefix     string       `xml:"Prefix,omitempty"`
	Marker     string       `xml:"Marker,omitempty"`
	MaxResults int          `xml:"MaxResults,omitempty"`
	Blobs      []listedBlob `xml:"Blobs>Blob"`
	Next       string       `xml:"NextMarker"`
}

type listedBlob struct {
	Name       string
	Properties listedProperties
}

type listedProperties struct {
	Created  string `xml:"Creation-Time"`
	Modified string `xml:"Last-Modified"`
	ETag     string `xml:"Etag"`
	Length   int64  `xml:"Content-Length"`
	Type     string `xml:"Content-Type"`
	Kind     string `xml:"BlobType"`
}

// listBlobs lists the blobs of a container in the order of their names. See
// https://learn.microsoft.com/rest/api/storageservices/list-blobs.
func (s *blobs) listBlobs(w http.ResponseWriter, r *http.Request, at location, c *container) error {
	if err := s.allow(r, at, "l"); err != nil {
		return err
	}
	q := r.URL.Query()
	for _, name := range []string{"delimiter", "startFrom", "endBefore"} {
		if q.Has(name) {
			return errUnsupported(r)
		}
	}
	most := maxListed
	out := blobList{Container: at.Name, Prefix: q.Get("prefix"), Marker: q.Get("marker")}
	if text := q.Get("maxresults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return failure(http.StatusBadRequest, "OutOfRangeQueryParameterValue", "A query parameter specified in the request URI is outside the permissible range: maxresults is %q.", text)
		}
		most, out.MaxResults = min(most, n), n
	}
	from, err := base64.RawURLEncoding.DecodeString(out.Marker)
	if err != nil {
		return failure(http.StatusBadRequest, "InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid: marker.")
	}
	s.mu.Lock()
	var names []string
	for name := range c.blobs {
		if strings.HasPrefix(name, out.Prefix) && name >= string(from) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) > most {
		out.Next = base64.RawURLEncoding.EncodeToString([]byte(names[most]))
		names = names[:most]
	}
	for _, name := range names {
		b := c.blobs[name]
		out.Blobs = append(out.Blobs, listedBlob{name, listedProperties{
			Created: b.created.UTC().Format(http.TimeFormat), Modified: b.modified.UTC().Format(http.TimeFormat), ETag: strings.Trim(b.etag, `"`),
			Length: b.size, Type: b.contentType, Kind: "BlockBlob",
		}})
	}
	s.mu.Unlock()
	return writeXML(w, out)
}

type blockLists struct {
	XMLName     xml.Name    `xml:"BlockList"`
	Committed   []sizeBlock `xml:"CommittedBlocks>Block"`
	Uncommitted []sizeBlock `xml:"UncommittedBlocks>Block"`
}

type sizeBlock struct {
	Name string
	Size int64
}

// getBlockList lists the blocks of a blob. See
// https://learn.microsoft.com/rest/api/storageservices/get-block-list.
func (s *blobs) getBlockList(w http.ResponseWriter, r *http.Request, at location, c *container) error {
	if err := s.allow(r, at, "r"); err != nil {
		return err
	}
	which := r.URL.Query().Get("blocklisttype")
	s.mu.Lock()
	b, blocks := c.blobs[at.rest], c.blocks[at.rest]
	var out blockLists
	if b != nil && which != "uncommitted" {
		for _, part := range b.chunks {
			if part.id != "" {
				out.Committed = append(out.Committed, sizeBlock{part.id, part.size})
			}
		}
	}
	if which == "uncommitted" || which == "all" {
		for id, part := range blocks {
			out.Uncommitted = append(out.Uncommitted, sizeBlock{id, part.size})
		}
		slices.SortFunc(out.Uncommitted, func(a, b sizeBlock) int { return strings.Compare(a.Name, b.Name) })
	}
	s.mu.Unlock()
	if b == nil && len(blocks) == 0 {
		return errNoBlob()
	}
	if b != nil {
		w.Header().Set("Etag", b.etag)
		w.Header().Set("X-Ms-Blob-Content-Length", strconv.FormatInt(b.size, 10))
	}
	return writeXML(w, out)
}

func writeXML(w http.ResponseWriter, value any) error {
	body, err := xml.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(xml.Header)+len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, xml.Header)
	_, _ = w.Write(body) // the client has gone
	return nil
}
