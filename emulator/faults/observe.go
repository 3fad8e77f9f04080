package faults

import (
	"net/http"
	"strings"
)

// Event is a request that a service handles. An observer gets it before that, and again
// with Done after it, before the client has the complete answer.
type Event struct {
	Endpoint Endpoint
	Tenant   string // whose request it is, "" if it is none's
	Text     string // path, query or command
	Done     bool
}

// Observe calls f for each request that a service handles from now on; nil stops it.
// Many goroutines call f, and the request waits for it, so that a test can stop or
// kill a client at an exact moment. Requests that a rule answers in place of the
// service are not reported.
func (s *Set) Observe(f func(Event)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observer = f
}

// observed calls the observer, if there is one, for what next serves.
func (s *Set) observed(at Endpoint, next http.Handler) http.Handler {
	s.mu.Lock()
	tell := s.observer
	s.mu.Unlock()
	if tell == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := s.said(at, r)
		e := Event{Endpoint: at, Tenant: what.tenant, Text: strings.Join(what.texts, "\n")}
		tell(e)
		next.ServeHTTP(w, r)
		e.Done = true
		tell(e)
	})
}
