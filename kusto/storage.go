package kusto

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

// mishap is the last thing that went wrong between an upload and the storage
// account that it went to. The SDK tries several accounts and then says that
// none took it, not why.
type mishap struct {
	mu  sync.Mutex
	err error
}

func (m *mishap) set(err error) {
	m.mu.Lock()
	m.err = err
	m.mu.Unlock()
}

// explain puts the reason behind the SDK's error.
func (m *mishap) explain(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil || m.err == nil {
		return err
	}
	return fmt.Errorf("%w: %w", errUpload, m.err)
}

// note keeps what was wrong with the answer to a request.
func (m *mishap) note(r *http.Request, answer *http.Response, err error) {
	at := r.Method + " " + r.URL.Host
	if err != nil {
		m.set(fmt.Errorf("%s: %w", at, err))
		return
	}
	if page := pageOf(answer); page != "" {
		m.set(&storagePage{fmt.Sprintf("%s: %s: it is %s", at, answers.Head(answer), page)})
	} else if answer.StatusCode >= http.StatusBadRequest {
		m.set(fmt.Errorf("%s answered %s %s", at, answer.Status, answer.Header.Get("x-ms-error-code")))
	}
}

type mishapKey struct{}

func withMishap(ctx context.Context) (context.Context, *mishap) {
	m := &mishap{}
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
	if m, ok := r.Context().Value(mishapKey{}).(*mishap); ok {
		m.note(r, answer, err)
	}
	return answer, err
}

// storagePage is an HTML page in the place of an answer of storage, which sends
// nothing on success and XML on failure. The same upload gets it again.
type storagePage struct{ text string }

func (p *storagePage) Error() string { return p.text }

// pageOf describes the page that an answer holds, and leaves the answer to be
// read; "" if it holds none.
func pageOf(answer *http.Response) string {
	_, plain, _ := peek(answer)
	plain = bytes.TrimLeft(bytes.TrimPrefix(plain, answers.BOM), " \t\r\n")
	if what := answers.Page(plain); bytes.HasPrefix(plain, []byte("<")) && strings.HasPrefix(what, "an HTML page") {
		return what
	}
	return ""
}

// sortPage recognises an upload that a page answered.
func sortPage(out *tvmexport.Error, err error) bool {
	var p *storagePage
	if !errors.As(err, &p) {
		return false
	}
	out.Action, out.Cause, out.Err = tvmexport.Retry, tvmexport.Usage, fmt.Errorf("%w: %w", errUpload, p)
	out.Hint = "a proxy, a captive portal or a gateway seems to answer instead of the ingestion service's storage: let it pass that host, or check HTTPS_PROXY and NO_PROXY"
	return true
}
