// Package wait holds the pauses of clients: how long they are, and what ends
// them early.
package wait

import (
	"context"
	"math/rand/v2"
	"time"
)

// For waits for d. If ctx ends first, it returns the cause.
func For(ctx context.Context, d time.Duration) error { return ForOr(ctx, d, nil) }

// ForOr waits for d or for a receive from early, which can be a closed channel.
// If ctx ends first, it returns the cause.
func ForOr(ctx context.Context, d time.Duration, early <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-early:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Backoff is the pause before a call is repeated. It doubles with each failure
// until it reaches Longest, and is then multiplied by a random factor between
// Low and High, so that clients that failed together do not repeat together.
type Backoff struct {
	First     time.Duration // after the first failure
	Longest   time.Duration // before the random factor; 0: no limit
	Low, High float64       // of the random factor
}

// After is the pause after the given number of failures, at least 1.
func (b Backoff) After(failures int) time.Duration {
	d := b.First
	for i := 1; i < failures && (b.Longest == 0 || d < b.Longest) && d < 1<<61; i++ {
		d *= 2
	}
	if b.Longest > 0 {
		d = min(d, b.Longest)
	}
	return time.Duration(float64(d) * (b.Low + rand.Float64()*(b.High-b.Low)))
}
