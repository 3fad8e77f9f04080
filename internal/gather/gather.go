// Package gather sends what several callers ask at about the same time as one
// request. Each caller gets the answer to its own item. What a joint request does
// not answer is asked alone.
package gather

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Reply is what a joint request says of one item. The zero value says nothing, so
// that the item is asked alone.
type Reply[A any] struct {
	known bool
	value A
	err   error
}

// Done is the reply with an answer.
func Done[A any](value A) Reply[A] { return Reply[A]{known: true, value: value} }

// Failed is the reply with an error that concerns the item.
func Failed[A any](err error) Reply[A] { return Reply[A]{known: true, err: err} }

// Group joins items into requests. An item waits Linger for others, or, while a
// request is under way, until that ends, at most Patience. Fields are set before the
// first Ask. A Group is safe for concurrent use.
type Group[I, A any] struct {
	// Alone asks for one item.
	Alone func(ctx context.Context, item I) (A, error)
	// Together asks for two items or more. Replies come in the order of the items. An
	// item without a reply is asked alone. ctx ends when no caller waits any more.
	Together func(ctx context.Context, items []I) []Reply[A]

	Linger   time.Duration // before the first request
	Patience time.Duration // longest wait for a request that is under way; 0 is Linger

	Most    int              // items in a request; 0: no limit
	Size    func(item I) int // nil: sizes do not matter
	Largest int              // sum of the sizes in a request

	Compare func(a, b I) int // order of the items in a request; nil: as they came

	mu       sync.Mutex
	waiting  []*waiter[I, A]
	underWay int         // requests
	timer    *time.Timer // set while somebody waits
}

// waiter is a caller whose item has no answer yet.
type waiter[I, A any] struct {
	item    I
	ctx     context.Context
	settled chan struct{} // closed when reply is set
	reply   Reply[A]
	single  bool     // the caller carries out the request itself
	request *request // that the item is part of; nil before it is sent
}

// request is a joint request that is under way.
type request struct {
	callers int // that still wait
	cancel  context.CancelFunc
}

// Ask returns the answer to one item. If ctx ends before, it returns at once with the
// cause. An item that was not sent until then is not sent at all.
func (g *Group[I, A]) Ask(ctx context.Context, item I) (A, error) {
	if ctx.Err() != nil {
		var none A
		return none, context.Cause(ctx)
	}
	w := &waiter[I, A]{item: item, ctx: ctx, settled: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	g.arm()
	g.mu.Unlock()
	select {
	case <-w.settled:
	case <-ctx.Done():
		if !g.leave(w) {
			var none A
			return none, context.Cause(ctx)
		}
	}
	switch {
	case w.single:
		defer g.ended()
		return g.Alone(ctx, item)
	case !w.reply.known:
		return g.Alone(ctx, item)
	}
	return w.reply.value, w.reply.err
}

// arm sets the timer if there is none. It is called with the lock held.
func (g *Group[I, A]) arm() {
	if g.timer != nil || len(g.waiting) == 0 {
		return
	}
	wait := g.Linger
	if g.underWay > 0 {
		wait = max(g.Patience, g.Linger)
	}
	g.timer = time.AfterFunc(wait, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.send()
	})
}

// leave takes a caller out whose context has ended. It is true if the caller must
// carry out a request itself, which then ends at once.
func (g *Group[I, A]) leave(w *waiter[I, A]) (single bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, w); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		return false
	}
	if w.request != nil {
		if w.request.callers--; w.request.callers == 0 {
			w.request.cancel()
		}
	}
	return w.single
}

// send sends everything that waits. It is called with the lock held.
func (g *Group[I, A]) send() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	list := g.waiting
	g.waiting = nil
	if g.Compare != nil {
		slices.SortStableFunc(list, func(a, b *waiter[I, A]) int { return g.Compare(a.item, b.item) })
	}
	for len(list) > 0 {
		n := g.fitting(list)
		g.start(list[:n:n])
		list = list[n:]
	}
}

// fitting is how many of the items fit into one request; one always does.
func (g *Group[I, A]) fitting(list []*waiter[I, A]) int {
	size := 0
	for n, w := range list {
		if g.Size != nil {
			size += g.Size(w.item)
		}
		if n > 0 && (g.Most > 0 && n == g.Most || g.Size != nil && size > g.Largest) {
			return n
		}
	}
	return len(list)
}

// start begins one request. It is called with the lock held.
func (g *Group[I, A]) start(list []*waiter[I, A]) {
	g.underWay++
	if len(list) == 1 {
		list[0].single = true
		close(list[0].settled)
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(list[0].ctx))
	r := &request{callers: len(list), cancel: cancel}
	items := make([]I, len(list))
	for i, w := range list {
		w.request = r
		items[i] = w.item
	}
	go func() {
		defer cancel()
		replies := g.Together(ctx, items)
		for i, w := range list {
			if i < len(replies) {
				w.reply = replies[i]
			}
			close(w.settled)
		}
		g.ended()
	}()
}

// ended notes that a request has ended. Who came meanwhile is sent now.
func (g *Group[I, A]) ended() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.underWay--; g.underWay == 0 && len(g.waiting) > 0 {
		g.send()
	}
}

// Same returns the reply for each of n items that a joint request has failed with one
// error: that error if it concerns all, and none if alone says that a request for a
// single item may succeed.
func Same[A any](n int, err error, alone func(error) bool) []Reply[A] {
	replies := make([]Reply[A], n)
	if err == nil || alone(err) {
		return replies
	}
	for i := range replies {
		replies[i] = Failed[A](err)
	}
	return replies
}
