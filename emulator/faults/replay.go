package faults

import (
	"bytes"
	"net/http"
)

// maxKept bounds what a rule keeps of answers to replay them.
const maxKept = 16 << 20

// kept is an answer that a rule replays.
type kept struct {
	status int
	header http.Header
	body   []byte
}

func (k kept) serve(w http.ResponseWriter) {
	for name, values := range k.header {
		w.Header()[name] = values
	}
	w.WriteHeader(k.status)
	// Only the connection can fail here, and then nobody reads the answer.
	_, _ = w.Write(k.body)
}

// keeping is the first rule that replays answers to such a request and has none
// yet; nil if there is none. An answer is replayed to the same text alone, as a
// cache would do.
func (s *Set) keeping(at Endpoint, what said) *active {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.rules {
		if a.Replay && a.Endpoint == at && a.isOf(what.tenant) && a.matches(what.texts) {
			if _, known := a.kept[what.key()]; !known {
				return a
			}
		}
	}
	return nil
}

// keep stores the answer that a request gets, if it is a good one.
func (s *Set) keep(a *active, what said, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &copying{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(c, r)
		if c.status != http.StatusOK || c.tooLarge {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if a.size += c.body.Len(); a.size > maxKept {
			return
		}
		if a.kept == nil {
			a.kept = map[string]kept{}
		}
		a.kept[what.key()] = kept{c.status, w.Header().Clone(), c.body.Bytes()}
	})
}

// copying keeps a copy of what is sent.
type copying struct {
	http.ResponseWriter
	status   int
	body     bytes.Buffer
	tooLarge bool
}

func (c *copying) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *copying) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *copying) Write(p []byte) (int, error) {
	if c.body.Len()+len(p) > maxKept {
		c.tooLarge = true
		c.body.Reset()
	}
	if !c.tooLarge {
		c.body.Write(p)
	}
	return c.ResponseWriter.Write(p)
}
