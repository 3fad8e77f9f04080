// Package secrecy looks through everything that a program writes for what it must
// never write: tokens, shared access signatures, client secrets, and rows.
package secrecy

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// Watch is a Writer that looks for secrets in what is written to it. It sees a
// secret only if one call writes all of it, as loggers write a line. It is safe for
// concurrent use.
type Watch struct {
	mu      sync.Mutex
	secrets map[string]string // what it is, by the secret
	looked  int64
	found   []string
}

// New makes a Watch for tokens and signatures of any kind, and for values that
// are secrets of a kind.
func New() *Watch { return &Watch{secrets: map[string]string{}} }

// shapes are what secrets look like whose value nobody told of.
var shapes = []struct {
	what string
	text *regexp.Regexp
}{
	{"a JSON web token", regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.eyJ`)},
	{"a bearer token", regexp.MustCompile(`(?i)bearer\s+[A-Za-z0-9._-]{20,}`)},
	{"a shared access signature", regexp.MustCompile(`(?i)[?&]sig=[A-Za-z0-9%+/]{10,}`)},
	{"a client secret in a form", regexp.MustCompile(`(?i)client_(secret|assertion)=[A-Za-z0-9%._-]{8,}`)},
}

// shortest is the minimum length of a secret: texts contain shorter ones by chance.
const shortest = 8

// Learn adds a value that must not be written.
func (w *Watch) Learn(what, secret string) {
	if len(secret) < shortest {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets[secret] = what
}

// Write looks through p. It never fails.
func (w *Watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked += int64(len(p))
	for _, s := range shapes {
		if at := s.text.FindIndex(p); at != nil {
			w.found = append(w.found, finding(s.what, p, at[0], at[1]-at[0]))
		}
	}
	for secret, what := range w.secrets {
		if i := bytes.Index(p, []byte(secret)); i >= 0 {
			w.found = append(w.found, finding(what, p, i, len(secret)))
		}
	}
	return len(p), nil
}

// finding says where a secret is, without the secret.
func finding(what string, p []byte, at, n int) string {
	const around = 120
	before, after := p[max(0, at-around):at], p[at+n:min(len(p), at+n+around)]
	return fmt.Sprintf("%s was written: %s<%d bytes>%s", what, before, n, after)
}

// Found are the secrets that were written so far, without themselves, and how
// many bytes were looked through.
func (w *Watch) Found() (found []string, looked int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found, w.looked
}

// Over is a connection from whose requests the Watch learns the secrets.
func (w *Watch) Over(to http.RoundTripper) http.RoundTripper { return overheard{w, to} }

type overheard struct {
	w  *Watch
	to http.RoundTripper
}

func (o overheard) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		o.w.Learn("a token", token)
	}
	o.w.Learn("a signature", r.URL.Query().Get("sig"))
	return o.to.RoundTrip(r)
}
