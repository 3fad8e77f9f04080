package emulator

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// transport is an http.RoundTripper that calls handlers directly, chosen by the
// host of the URL: no sockets, no TLS, so that it works within testing/synctest.
// Answers stream, and a broken-off answer is an unexpected end of its body.
type transport struct {
	handler func(host string) http.Handler // nil for an unknown host
	refused func(host string) bool         // nobody listens there now; nil for no host
}

// RoundTrip serves r on a goroutine of its own, which ends with the handler.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil { // as net/http does, also where the answer would be quick
		closeBody(r)
		return nil, err
	}
	host := strings.ToLower(r.URL.Host)
	if t.refused != nil && t.refused(host) {
		closeBody(r)
		return nil, connectionRefused()
	}
	handler := t.handler(host)
	if handler == nil {
		closeBody(r)
		return nil, fmt.Errorf("emulator: no service has the host %q", r.URL.Host)
	}
	served := r.Clone(r.Context())
	served.Header = canonicalHeader(r.Header)
	served.Host = host
	if r.Host != "" {
		served.Host = r.Host
	}
	served.RequestURI = r.URL.RequestURI()
	served.RemoteAddr = "127.0.0.1:0"
	served.TLS = &tls.ConnectionState{ServerName: r.URL.Hostname(), HandshakeComplete: true}
	sent := &sentBody{from: r.Body}
	served.Body = http.NoBody
	if r.Body != nil {
		served.Body = sent
	}
	reader, writer := io.Pipe()
	w := &pipedResponse{header: http.Header{}, body: writer, started: make(chan struct{})}
	go func() {
		defer closeBody(r)
		w.finish(serve(handler, w, served))
	}()
	select {
	case <-w.started:
	case <-r.Context().Done():
		// The handler goes on until it sees the end of its context, but reads
		// no more of what its client may be about to use again.
		err := r.Context().Err()
		sent.giveBack()
		_ = reader.CloseWithError(err) // it always succeeds
		return nil, err
	}
	if w.failed != nil {
		return nil, w.failed
	}
	length := int64(-1)
	if text := w.sent.Get("Content-Length"); text != "" {
		if _, err := fmt.Sscan(text, &length); err != nil {
			length = -1
		}
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.sent,
		Body:          reader,
		ContentLength: length,
		Request:       r,
	}, nil
}

// serve runs the handler. A handler may break its answer off by the panic that
// net/http documents for that; any other panic is a defect and is let through.
func serve(handler http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			err = io.ErrUnexpectedEOF
		}
	}()
	handler.ServeHTTP(w, r)
	return nil
}

// canonicalHeader is a copy of h as the other side of a wire would read it: some
// clients write names in a case that net/http does not look for.
func canonicalHeader(h http.Header) http.Header {
	read := make(http.Header, len(h))
	for name, values := range h {
		name = http.CanonicalHeaderKey(name)
		read[name] = append(read[name], values...)
	}
	return read
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		// The handler has read what it wanted: an error has no consequence.
		_ = r.Body.Close()
	}
}

// sentBody is the body of a request, until its client takes it back.
type sentBody struct {
	mu   sync.Mutex
	from io.ReadCloser // nil once it was taken back
}

// Read implements io.Reader.
func (b *sentBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.from == nil {
		return 0, io.ErrUnexpectedEOF
	}
	return b.from.Read(p)
}

// Close does nothing: the body is closed when its handler has ended.
func (b *sentBody) Close() error { return nil }

// giveBack returns when no read is under way and none will be, as the client of
// a connection can rely on: see the end of net/http's persistConn.mapRoundTripError.
func (b *sentBody) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.from = nil
}

// pipedResponse is the answer of one handler on its way to the client.
type pipedResponse struct {
	header http.Header
	body   *io.PipeWriter

	once    sync.Once
	started chan struct{} // closed when status and sent, or failed, are set
	status  int
	sent    http.Header
	failed  error
}

func (w *pipedResponse) Header() http.Header { return w.header }

// WriteHeader sends the status and a copy of the header. A status below 200 is
// only a notice and is left out.
func (w *pipedResponse) WriteHeader(status int) {
	if status < 200 {
		return
	}
	w.once.Do(func() {
		w.status = status
		w.sent = canonicalHeader(w.header)
		close(w.started)
	})
}

func (w *pipedResponse) Write(p []byte) (int, error) {
	if w.sent == nil && w.header.Get("Content-Type") == "" {
		w.header.Set("Content-Type", http.DetectContentType(p))
	}
	w.WriteHeader(http.StatusOK)
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	return w.body.Write(bytes.Clone(p))
}

// Flush sends the header; what is written is sent at once in any case.
func (w *pipedResponse) Flush() { w.WriteHeader(http.StatusOK) }

// finish ends the answer: completely, or with err in the middle of its body.
func (w *pipedResponse) finish(err error) {
	if err != nil {
		w.once.Do(func() {
			w.failed = errors.New("emulator: the connection was closed before the answer began")
			close(w.started)
		})
	}
	w.WriteHeader(http.StatusOK)
	_ = w.body.CloseWithError(err) // it always succeeds
}
