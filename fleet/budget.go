package fleet

import (
	"net/http"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Budget bounds how many control commands each cluster executes at the same time for all
// tenants together. A cluster has few slots for commands that ingest, and refuses more.
// Queries and uploads are not counted: the service queues them itself. It is safe for
// concurrent use.
type Budget struct {
	commands int64

	mu    sync.Mutex
	slots map[string]*semaphore.Weighted // by host
}

// NewBudget makes a budget of that many commands for each cluster, at least one.
func NewBudget(commands int) *Budget {
	return &Budget{commands: int64(max(1, commands)), slots: map[string]*semaphore.Weighted{}}
}

// Transport sends requests with next, commands only while the budget has room for them.
// A command waits in the order in which it came, until its request is cancelled.
func (b *Budget) Transport(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &budgeted{budget: b, next: next}
}

func (b *Budget) of(host string) *semaphore.Weighted {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.slots[host]
	if !ok {
		s = semaphore.NewWeighted(b.commands)
		b.slots[host] = s
	}
	return s
}

type budgeted struct {
	budget *Budget
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper. The service answers a command when it has been
// executed, so the slot is free again when the answer begins.
func (b *budgeted) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/rest/mgmt") {
		return b.next.RoundTrip(r)
	}
	slots := b.budget.of(strings.ToLower(r.URL.Host))
	if err := slots.Acquire(r.Context(), 1); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as RoundTrip must, also on errors
		}
		return nil, err
	}
	defer slots.Release(1)
	return b.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the connections.
func (b *budgeted) CloseIdleConnections() {
	if c, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
