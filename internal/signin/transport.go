package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/internal/answers"
)

// imdsHost is the instance metadata service of Azure's machines
// (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service).
const imdsHost = "169.254.169.254"

// imdsPatience is how long the service, which is next door or nowhere, may take
// to accept a connection.
const imdsPatience = 3 * time.Second

// client is the HTTP client of a credential: the given one, but the way to the
// instance metadata service never goes through a proxy, and goes elsewhere if
// AZURE_POD_IDENTITY_AUTHORITY_HOST says so, as azidentity's siblings in other
// languages have it. Failures of the network are noted.
func (o Options) client() *http.Client {
	out := *o.HTTPClient
	r := &router{to: out.Transport}
	if r.to == nil {
		r.to = http.DefaultTransport
	}
	r.near = r.to
	if t, ok := r.to.(*http.Transport); ok {
		direct := t.Clone()
		direct.Proxy = nil
		direct.DialContext = (&net.Dialer{Timeout: imdsPatience}).DialContext
		r.near = direct
	}
	if u, err := url.Parse(strings.TrimSuffix(o.env("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "/")); err == nil && u.Host != "" {
		r.imds = u
	}
	out.Transport = r
	return &out
}

// page is an HTML page where Entra's JSON is expected: of a proxy, or of another
// site than Entra.
type page struct{ sentence string }

func (p *page) Error() string { return p.sentence }

// NonRetriable is what azcore looks for.
func (*page) NonRetriable() {}

// pageOf reads a page's title; nil for any other answer, and for failures that
// pass by themselves.
func pageOf(answer *http.Response) error {
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind != "text/html" || passing(answer.StatusCode) {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, answers.Looked)) // a page without its end is one too
	_ = answer.Body.Close()
	return &page{answers.Head(answer) + ": it is " + answers.Page(text)}
}

type router struct {
	to, near http.RoundTripper
	imds     *url.URL // instead of the machine's own; nil for none
}

// RoundTrip implements http.RoundTripper.
func (t *router) RoundTrip(r *http.Request) (*http.Response, error) {
	to, near := answers.SameHost(t.to), r.URL.Host == imdsHost
	if near {
		to = t.near
		if t.imds != nil {
			r = r.Clone(r.Context())
			r.URL.Scheme, r.URL.Host, r.Host = t.imds.Scheme, t.imds.Host, ""
			r.URL.Path = t.imds.Path + r.URL.Path
		}
	}
	answer, err := to.RoundTrip(r)
	if err == nil && !near {
		if err = pageOf(answer); err != nil {
			answer = nil
		}
	}
	if err != nil {
		noteMishap(r.Context(), r.URL.Host, near, err)
		var dial *net.OpError
		if near && errors.As(err, &dial) && dial.Op == "dial" {
			return nil, nobodyThere{err}
		}
	}
	return answer, err
}

// nobodyThere: no metadata service answers. azcore does not try again after it.
type nobodyThere struct{ error }

// NonRetriable is what azcore looks for.
func (nobodyThere) NonRetriable() {}

func (n nobodyThere) Unwrap() error { return n.error }

// mishap is the last failure of the network on behalf of a sign-in: azidentity
// keeps its text only.
type mishap struct {
	mu   sync.Mutex
	err  error
	near bool // on the way to the metadata service
}

type mishapKey struct{}

func withMishap(ctx context.Context) (context.Context, *mishap) {
	m := &mishap{}
	return context.WithValue(ctx, mishapKey{}, m), m
}

func noteMishap(ctx context.Context, host string, near bool, err error) {
	if m, ok := ctx.Value(mishapKey{}).(*mishap); ok {
		m.mu.Lock()
		m.err, m.near = fmt.Errorf("%s: %w", host, err), near
		m.mu.Unlock()
	}
}

// last is the failure that was noted, if any, and whether it was near.
func (m *mishap) last() (error, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err, m.near
}
