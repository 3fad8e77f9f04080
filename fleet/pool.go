package fleet

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Pool bounds how many tenants are worked on at the same time. Those that wait enter in
// the order in which they came, so that none waits for ever. It is safe for concurrent use.
type Pool struct {
	places  *semaphore.Weighted
	size    int
	busy    atomic.Int64
	waiting atomic.Int64
}

// NewPool makes a pool with room for size tenants, at least one.
func NewPool(size int) *Pool {
	size = max(1, size)
	return &Pool{places: semaphore.NewWeighted(int64(size)), size: size}
}

// Enter waits for a place. Its error is that of the context; then there is no place to
// leave.
func (p *Pool) Enter(ctx context.Context) error {
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	if err := p.places.Acquire(ctx, 1); err != nil {
		return context.Cause(ctx)
	}
	if ctx.Err() != nil { // Acquire may succeed although the context has ended
		p.places.Release(1)
		return context.Cause(ctx)
	}
	p.busy.Add(1)
	return nil
}

// Leave gives a place back.
func (p *Pool) Leave() {
	p.busy.Add(-1)
	p.places.Release(1)
}

// Load is how many places there are, how many are taken, and how many tenants wait.
func (p *Pool) Load() (size, busy, waiting int) {
	return p.size, int(p.busy.Load()), int(p.waiting.Load())
}
