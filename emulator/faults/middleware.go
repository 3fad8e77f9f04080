package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxMatched bounds how much of a body is read to look for Rule.Match. No query
// or command that a service accepts is longer.
const maxMatched = 2 << 20

// Middleware applies the rules to the requests that next serves. endpoint says
// where a request belongs; "" means that no rule is about it.
func (s *Set) Middleware(endpoint func(*http.Request) Endpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := endpoint(r)
		if at == "" {
			next.ServeHTTP(w, r)
			return
		}
		next := s.observed(at, next)
		if s.empty() {
			next.ServeHTTP(w, r)
			return
		}
		what := s.said(at, r)
		rule, old, hit := s.take(at, what)
		if !hit {
			if a := s.keeping(at, what); a != nil {
				// Keep the text, not a compressed stream.
				r = r.Clone(r.Context())
				r.Header.Del("Accept-Encoding")
				next = s.keep(a, what, next)
			}
			next.ServeHTTP(w, r)
			return
		}
		if old != nil {
			old.serve(w)
			return
		}
		if rule.Late > 0 {
			s.later(time.Duration(rule.Late), r, next)
		}
		rule.serve(w, r, next)
	})
}

// said is what a request says: who asks, and the texts that Rule.Match is looked for in.
type said struct {
	tenant string
	texts  []string
}

// key is equal for requests that say the same.
func (what said) key() string {
	return strings.Join(append([]string{what.tenant}, what.texts...), "\n")
}

// said reads a request. It leaves the body to be read again.
func (s *Set) said(at Endpoint, r *http.Request) said {
	texts, database := read(at, r)
	return said{s.tenantOf(at, r, database), texts}
}

// read returns path and query of the URL, and the query or command in the body, with the
// database that it is for. It leaves the body to be read again.
func read(at Endpoint, r *http.Request) (texts []string, database string) {
	target := r.URL.RequestURI()
	if unescaped, err := url.PathUnescape(target); err == nil {
		target = unescaped
	}
	switch at {
	case Blob, Queue, Table: // their bodies are data
		return []string{target}, ""
	case KustoIngest: // here too
		database, _, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/rest/ingest/"), "/")
		return []string{target}, database
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, maxMatched))
	if err != nil {
		// The handler gets the same error after the bytes that were received.
		r.Body = &replay{Reader: io.MultiReader(bytes.NewReader(head), failing{err}), Closer: r.Body}
		return []string{target}, ""
	}
	r.Body = &replay{Reader: io.MultiReader(bytes.NewReader(head), r.Body), Closer: r.Body}
	var body struct {
		Query string `json:"query"` // Graph, and in another case the older Defender APIs
		CSL   string `json:"csl"`   // Kusto
		DB    string `json:"db"`
	}
	if json.Unmarshal(head, &body) != nil {
		return []string{target, string(head)}, ""
	}
	return []string{target, body.Query, body.CSL}, body.DB
}

// replay is a body of which a part was read before.
type replay struct {
	io.Reader
	io.Closer
}

// failing is a reader that gives the error it met before.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// serve lets one request suffer the rule.
func (rule Rule) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if rule.Delay > 0 {
		timer := time.NewTimer(time.Duration(rule.Delay))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	if rule.ResetAfter > 0 {
		// Whether all of it came or not, the client never learns.
		_, _ = io.CopyN(io.Discard, r.Body, int64(rule.ResetAfter))
		panic(http.ErrAbortHandler) // the documented way to break off an answer
	}
	if rule.ExpireToken {
		r = r.WithContext(context.WithValue(r.Context(), expiredToken{}, true))
	}
	if rule.RevokeToken {
		r = r.WithContext(context.WithValue(r.Context(), revokedToken{}, true))
	}
	if rule.ExpireSAS {
		r = withExpiredSAS(r)
	}
	if rule.HideRows > 0 {
		r = r.WithContext(context.WithValue(r.Context(), hiddenRows{}, rule.HideRows))
	}
	if rule.TruncateJSON || rule.rewrites() || rule.LieGzip {
		// Drop JSON, not the end of a compressed stream.
		r = r.Clone(r.Context())
		r.Header.Del("Accept-Encoding")
	}
	out, finish := rule.wrap(w)
	if rule.Status == 0 {
		next.ServeHTTP(out, r)
	} else {
		if rule.Apply {
			next.ServeHTTP(&discarded{header: make(http.Header)}, r)
		}
		rule.answer(out)
	}
	finish()
}

// answer sends the rule's own answer.
func (rule Rule) answer(w http.ResponseWriter) {
	contentType, body := defaultAnswer(rule.Endpoint, rule.Status)
	if rule.Body != "" {
		contentType, body = "application/json; charset=utf-8", rule.Body
		if body[0] == '<' {
			contentType = "text/html"
		}
	}
	h := w.Header()
	if body != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rule.Status)
	// Only the connection can fail here, and then nobody reads the answer.
	_, _ = io.WriteString(w, body)
}

// expiredToken is the key under which a request's context says that its token
// counts as expired.
type expiredToken struct{}

// TokenExpired says whether a rule treats the bearer token of the request with this
// context as expired.
func TokenExpired(ctx context.Context) bool {
	expired, _ := ctx.Value(expiredToken{}).(bool)
	return expired
}

// hiddenRows is the key under which a request's context says how many rows are
// hidden from it.
type hiddenRows struct{}

// Hidden is how many rows of each table a rule hides from the request with this
// context.
func Hidden(ctx context.Context) int {
	n, _ := ctx.Value(hiddenRows{}).(int)
	return n
}

// revokedToken is the key under which a request's context says that its token is
// revoked.
type revokedToken struct{}

// TokenRevoked says whether a rule revokes the bearer token of the request with this
// context.
func TokenRevoked(ctx context.Context) bool {
	revoked, _ := ctx.Value(revokedToken{}).(bool)
	return revoked
}

// withExpiredSAS moves the expiry (se) of the request's shared access signature
// into the past. The storage service refuses the request then, as it would an
// expired one: https://learn.microsoft.com/rest/api/storageservices/create-service-sas.
func withExpiredSAS(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	q := r.URL.Query()
	if q.Has("se") {
		q.Set("se", "2000-01-01T00:00:00Z")
		r.URL.RawQuery = q.Encode()
	}
	return r
}
