package rest

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// body is the body of an answer on its way: collected in buffer, sent in pieces,
// compressed as the client accepts it. Until the first piece is sent everything
// can still be taken back.
type body struct {
	w      http.ResponseWriter
	accept string
	buffer []byte
	out    io.Writer // nil until something was sent
	close  func() error
	err    error // of the connection
}

// pieceSize is how much is collected before it is sent.
const pieceSize = 64 << 10

func newBody(w http.ResponseWriter, r *http.Request) *body {
	return &body{w: w, accept: encodingFor(r)}
}

// encodingFor is the content encoding to answer with: gzip, deflate or "".
func encodingFor(r *http.Request) string {
	found := ""
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.ReplaceAll(weight, " ", "") == "q=0" {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip":
			return "gzip"
		case "deflate":
			found = "deflate"
		}
	}
	return found
}

// sent says whether something of the body has left, and with it the status.
func (b *body) sent() bool { return b.out != nil }

func (b *body) text(s string)       { b.buffer = append(b.buffer, s...) }
func (b *body) full() bool          { return len(b.buffer) >= pieceSize }
func (b *body) broken() bool        { return b.err != nil }
func (b *body) discard()            { b.buffer = b.buffer[:0] }
func (b *body) header() http.Header { return b.w.Header() }

var gzips = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		return gzip.NewWriter(nil)
	}
	return w
}}

// send sends what is collected, with the status if nothing was sent before.
func (b *body) send(status int) {
	if b.out == nil {
		b.begin(status)
	}
	if b.err == nil && len(b.buffer) > 0 {
		_, b.err = b.out.Write(b.buffer)
	}
	b.buffer = b.buffer[:0]
}

func (b *body) begin(status int) {
	h := b.w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	b.out, b.close = b.w, func() error { return nil }
	switch b.accept {
	case "gzip":
		z, ok := gzips.Get().(*gzip.Writer)
		if !ok {
			break
		}
		z.Reset(b.w)
		h.Set("Content-Encoding", "gzip")
		b.out, b.close = z, func() error {
			err := z.Close()
			gzips.Put(z)
			return err
		}
	case "deflate": // as the service means it: without the header of zlib
		if z, err := flate.NewWriter(b.w, flate.BestSpeed); err == nil {
			h.Set("Content-Encoding", "deflate")
			b.out, b.close = z, z.Close
		}
	}
	h.Add("Vary", "Accept-Encoding")
	b.w.WriteHeader(status)
}

// end sends the rest.
func (b *body) end(status int) {
	b.send(status)
	if err := b.close(); b.err == nil {
		b.err = err
	}
}
