package engine

import (
	"context"
	"sync"
	"time"
)

// Limits of the final messages of an invocation: one command may take as long as
// an attempt. An interrupted invocation ends within half a minute, so all its
// final messages together have only a few seconds.
const (
	maxCommandTime = 5 * time.Minute
	maxGracePeriod = 20 * time.Second
)

// gracePeriod is the time that an invocation has after the end of its context.
type gracePeriod struct {
	once  sync.Once
	until time.Time
}

// watch notes the end of ctx when it comes. stop ends the watch.
func (f *gracePeriod) watch(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { f.end() })
}

// end is when everything must be over, at the first call counted from now.
func (f *gracePeriod) end() time.Time {
	f.once.Do(func() { f.until = time.Now().Add(maxGracePeriod) })
	return f.until
}

// context is a context that outlives ctx for what must still be said.
func (f *gracePeriod) context(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxCommandTime)
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(time.Until(f.end()))
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-out.Done():
		}
	})
	return out, func() {
		stop()
		cancel()
	}
}
