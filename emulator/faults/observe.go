package faults

import (
	"net/http"
	"strings"
)

// Event is a request to one of the services, as an observer is told of it:
// before it is handled, and with Done after it was, before its answer has left
// as a whole.
type Event struct {
	Endpoint Endpoint
	Text     string // path, query or command
	Done     bool
}

// Observe lets f be told of each request from now on; nil ends that. f is
// called from many goroutines, and the request waits for it: so that a test
// can stop or kill a client at an exact moment.
func (s *Set) Observe(f func(Event)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observer = f
}

// observed tells the observer, if there is one, of what next serves.
func (s *Set) observed(at Endpoint, next http.Handler) http.Handler {
	s.mu.Lock()
	tell := s.observer
	s.mu.Unlock()
	if tell == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := Event{Endpoint: at, Text: strings.Join(texts(at, r), "\n")}
		tell(e)
		next.ServeHTTP(w, r)
		e.Done = true
		tell(e)
	})
}
