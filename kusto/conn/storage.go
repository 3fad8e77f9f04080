package conn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
)

// UploadFailure is the last thing that went wrong between an upload and the storage
// account that it went to. The SDK tries several accounts and then says that
// none took it, not why.
type UploadFailure struct {
	mu  sync.Mutex
	err error
}

func (m *UploadFailure) set(err error) {
	m.mu.Lock()
	m.err = err
	m.mu.Unlock()
}

// Explain puts the reason behind the SDK's error.
func (m *UploadFailure) Explain(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil || m.err == nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUpload, m.err)
}

// note keeps what was wrong with the answer to a request.
func (m *UploadFailure) note(r *http.Request, answer *http.Response, err error) {
	at := r.Method + " " + r.URL.Host
	if err != nil {
		m.set(fmt.Errorf("%s: %w", at, err))
		return
	}
	if page := pageOf(answer); page != "" {
		m.set(&StoragePage{fmt.Sprintf("%s: %s: it is %s", at, answers.Head(answer), page)})
	} else if answer.StatusCode >= http.StatusBadRequest {
		m.set(fmt.Errorf("%s answered %s %s", at, answer.Status, answer.Header.Get("x-ms-error-code")))
	}
}

type mishapKey struct{}

// WithUploadFailure makes a context whose requests to storage note what went
// wrong with them.
func WithUploadFailure(ctx context.Context) (context.Context, *UploadFailure) {
	m := &UploadFailure{}
	return context.WithValue(ctx, mishapKey{}, m), m
}

// observed carries requests and notes what went wrong with those of an upload.
type observed struct{ to http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o observed) RoundTrip(r *http.Request) (*http.Response, error) {
	to := o.to
	if to == nil {
		to = http.DefaultTransport
	}
	answer, err := to.RoundTrip(r)
	if m, ok := r.Context().Value(mishapKey{}).(*UploadFailure); ok {
		m.note(r, answer, err)
	}
	return answer, err
}

// StoragePage is an HTML page in the place of an answer of storage, which sends
// nothing on success and XML on failure. The same upload gets it again.
type StoragePage struct{ text string }

func (p *StoragePage) Error() string { return p.text }

// pageOf describes the page that an answer holds, and leaves the answer to be
// read; "" if it holds none.
func pageOf(answer *http.Response) string {
	plain := bytes.TrimLeft(bytes.TrimPrefix(peek(answer).text, answers.BOM), " \t\r\n")
	if what := answers.Page(plain); bytes.HasPrefix(plain, []byte("<")) && strings.HasPrefix(what, "an HTML page") {
		return what
	}
	return ""
}

// sortPage recognises an upload that a page answered.
func sortPage(out *tvmexport.Error, err error) bool {
	var p *StoragePage
	if !errors.As(err, &p) {
		return false
	}
	out.Action, out.Cause, out.Err = tvmexport.Retry, tvmexport.Usage, fmt.Errorf("%w: %w", ErrUpload, p)
	out.Hint = "a proxy, a captive portal or a gateway seems to answer instead of the ingestion service's storage: allow connections to that host, or check HTTPS_PROXY and NO_PROXY"
	return true
}

// ErrUpload says that an upload failed at each storage account.
var ErrUpload = errors.New("no storage account of the cluster took it")
