package faults

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// later lets next serve a copy of the request after d, when its client has had
// its answer long since. Close ends what is still waiting.
func (s *Set) later(d time.Duration, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // a request that never came whole is never carried out
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing == nil {
		s.closing = make(chan struct{})
	}
	closing := s.closing
	s.waiting.Go(func() {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			next.ServeHTTP(&discarded{header: make(http.Header)}, again)
		case <-closing:
		}
	})
}

// Close ends the requests that wait to be served later. The set must not be used after that.
func (s *Set) Close() error {
	s.mu.Lock()
	if s.closing == nil {
		s.closing = make(chan struct{})
	}
	close(s.closing)
	s.mu.Unlock()
	s.waiting.Wait()
	return nil
}
