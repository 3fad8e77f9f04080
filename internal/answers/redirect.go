package answers

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Redirect is the error for an answer that leads to another host. It is not
// followed: such an answer could send the token, or the question, to any host.
type Redirect struct {
	Status   int
	From, To string // hosts
}

func (r *Redirect) Error() string {
	return fmt.Sprintf("%s answers HTTP %d and redirects to another host, %s; it is not followed", r.From, r.Status, r.To)
}

// NonRetriable tells the Azure SDK that asking again does not help.
func (*Redirect) NonRetriable() {}

// RedirectHint is what a user can do about a Redirect.
const RedirectHint = "a proxy or captive portal may answer instead of the service, or the address has changed: sign in to the network, set NO_PROXY, or configure the intended address"

// AsRedirect finds a Redirect in an error.
func AsRedirect(err error) (*Redirect, bool) {
	var r *Redirect
	return r, errors.As(err, &r)
}

// SameHost carries requests by to, nil for the default transport, and makes an
// error of an answer that leads to another host, or from https to http.
func SameHost(to http.RoundTripper) http.RoundTripper {
	if to == nil {
		to = http.DefaultTransport
	}
	return sameHost{to}
}

type sameHost struct{ to http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s sameHost) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.to.RoundTrip(r)
	if err != nil || answer.StatusCode < 300 || answer.StatusCode > 399 {
		return answer, err
	}
	to, err := r.URL.Parse(answer.Header.Get("Location"))
	if err != nil || answer.Header.Get("Location") == "" || equal(r.URL, to) {
		return answer, nil
	}
	_ = answer.Body.Close()
	return nil, &Redirect{Status: answer.StatusCode, From: r.URL.Host, To: OneLine(to.Scheme+"://"+to.Host, 200)}
}

// CloseIdleConnections lets http.Client close those of the transport beneath.
func (s sameHost) CloseIdleConnections() {
	if c, ok := s.to.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// equal says whether two URLs have one host, and the second is no less safe.
func equal(from, to *url.URL) bool {
	return strings.EqualFold(from.Hostname(), to.Hostname()) && port(from) == port(to) && (to.Scheme == from.Scheme || to.Scheme == "https")
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}
