package statuspage

import "sync"

// signal notifies all who wait for the next change.
type signal struct {
	mu sync.Mutex
	ch chan struct{} // nil: nobody waits
}

// next is closed at the next change.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}
