package statuspage

import (
	"context"
	"sync"
	"time"
)

// mostKept is how many answers of the ledger are kept.
const mostKept = 32

// kept keeps what was read: the record of what is committed does not change any more,
// and the runs of a table change when the ledger was read again.
type kept[T any] struct {
	patience time.Duration // for which what failed is not tried again

	mu    sync.Mutex
	order []string
	by    map[string]*answer[T]
}

// answer is read once, while others wait for it.
type answer[T any] struct {
	turn   chan struct{} // holds one: whose turn it is
	read   bool
	text   T
	failed error
	at     time.Time
}

// get is what was read under a key. Many readers of a key are one question, and readers
// of different keys do not wait for each other. Only what can be kept is.
func (k *kept[T]) get(ctx context.Context, key string, read func() (text T, keep bool, err error)) (T, error) {
	a := k.answer(key)
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
	if a.read {
		return a.text, nil
	}
	if a.failed != nil && time.Since(a.at) < k.patience {
		return a.text, a.failed
	}
	text, keep, err := read()
	if a.failed, a.at = err, time.Now(); err == nil && keep {
		a.text, a.read = text, true
	}
	return text, err
}

// answer is that of a key; the oldest one is forgotten.
func (k *kept[T]) answer(key string) *answer[T] {
	k.mu.Lock()
	defer k.mu.Unlock()
	a := k.by[key]
	if a != nil {
		return a
	}
	if k.by == nil {
		k.by = map[string]*answer[T]{}
	}
	a = &answer[T]{turn: make(chan struct{}, 1)}
	k.by[key] = a
	if k.order = append(k.order, key); len(k.order) > mostKept {
		delete(k.by, k.order[0])
		k.order = k.order[1:]
	}
	return a
}
