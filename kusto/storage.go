package kusto

import (
	"context"
	"fmt"
	"net/http"
	"sync"
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
	m, ok := r.Context().Value(mishapKey{}).(*mishap)
	switch {
	case !ok:
	case err != nil:
		m.set(fmt.Errorf("%s %s: %w", r.Method, r.URL.Host, err))
	case answer.StatusCode >= http.StatusBadRequest:
		m.set(fmt.Errorf("%s %s answered %s %s", r.Method, r.URL.Host, answer.Status, answer.Header.Get("x-ms-error-code")))
	}
	return answer, err
}
