package datamanagement

import (
	"context"
	"sync"
	"time"
)

// work is the goroutines of a Service, and how far it has come with its messages. Its
// methods may be called from several goroutines at once.
type work struct {
	ctx    context.Context
	stop   context.CancelFunc
	active sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running int           // goroutines that start has begun, the one that receives among them
	handled int64         // messages that are done with receiving
	changed chan struct{} // closed and replaced when running falls or handled grows
}

func newWork() *work {
	ctx, stop := context.WithCancel(context.Background())
	return &work{ctx: ctx, stop: stop, changed: make(chan struct{})}
}

// close ends the goroutines and waits for them.
func (w *work) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.stop()
	w.active.Wait()
}

// start runs f on a goroutine that close waits for, unless it is too late.
func (w *work) start(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.running++
	w.active.Go(func() {
		defer w.progress(func() { w.running-- })
		f()
	})
}

// after runs f later, unless the work is closed or done is by then.
func (w *work) after(d time.Duration, done <-chan struct{}, f func()) {
	w.start(func() {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			f()
		case <-done:
		case <-w.ctx.Done():
		}
	})
}

// handle counts a message that is done with receiving.
func (w *work) handle() { w.progress(func() { w.handled++ }) }

// progress makes a change that settled depends on.
func (w *work) progress(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	close(w.changed)
	w.changed = make(chan struct{})
}

// settled says whether the first so many messages are handled and only the goroutine
// that receives still runs. changed is closed when that may be different.
func (w *work) settled(messages int64) (settled bool, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.handled >= messages && w.running <= 1, w.changed
}
