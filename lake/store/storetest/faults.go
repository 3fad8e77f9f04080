package storetest

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/lake/store"
)

// ErrStopped is the error of each operation of a process that has died.
var ErrStopped = errors.New("the process has died")

// Stopping is a store that dies after a number of writing operations. The last one is
// carried out or not; its caller does not learn which.
type Stopping struct {
	store.Store

	mu      sync.Mutex
	left    int
	last    bool
	stopped bool
}

// NewStopping returns a store that carries out n writing operations (Put, Commit of an
// Upload, Delete). The next one fails, after it was carried out if last is true,
// and so do all operations after it.
func NewStopping(s store.Store, n int, last bool) *Stopping {
	return &Stopping{Store: s, left: n, last: last}
}

// Stopped says whether the store has died.
func (s *Stopping) Stopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// write carries out a writing operation, or the death.
func (s *Stopping) write(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return ErrStopped
	}
	if s.left > 0 {
		s.left--
		return f()
	}
	s.stopped = true
	if s.last {
		_ = f() // nobody learns of it
	}
	return ErrStopped
}

// Put writes, or dies.
func (s *Stopping) Put(ctx context.Context, name string, data []byte, c store.Condition) (info store.Info, err error) {
	err = s.write(func() (err error) {
		info, err = s.Store.Put(ctx, name, data, c)
		return err
	})
	return info, err
}

// Delete deletes, or dies.
func (s *Stopping) Delete(ctx context.Context, name string) error {
	return s.write(func() error { return s.Store.Delete(ctx, name) })
}

// Create begins a file whose Commit may die.
func (s *Stopping) Create(ctx context.Context, name string) (store.Upload, error) {
	if s.Stopped() {
		return nil, ErrStopped
	}
	u, err := s.Store.Create(ctx, name)
	return &stoppingUpload{u, s}, err
}

type stoppingUpload struct {
	store.Upload
	of *Stopping
}

func (u *stoppingUpload) Write(p []byte) (int, error) {
	if u.of.Stopped() {
		return 0, ErrStopped
	}
	return u.Upload.Write(p)
}

func (u *stoppingUpload) Commit(ctx context.Context) (info store.Info, err error) {
	err = u.of.write(func() (err error) {
		info, err = u.Upload.Commit(ctx)
		return err
	})
	return info, err
}

// Open reads, unless the store has died.
func (s *Stopping) Open(ctx context.Context, name string, r store.Range) (store.Object, error) {
	if s.Stopped() {
		return store.Object{Body: io.NopCloser(nil)}, ErrStopped
	}
	return s.Store.Open(ctx, name, r)
}

// List lists, unless the store has died.
func (s *Stopping) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	if s.Stopped() {
		return func(yield func(store.Info, error) bool) { yield(store.Info{}, ErrStopped) }
	}
	return s.Store.List(ctx, prefix, after)
}

// Clock is a clock that a test sets. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock, also back.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
