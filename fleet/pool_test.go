package fleet_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/fleet"
)

// Tenants enter in the order in which they came, and no more of them than there are places.
func TestPoolIsFairAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fleet.NewPool(3)
		var mu sync.Mutex
		var order []int
		inside, most := 0, 0
		var wait sync.WaitGroup
		for i := range 20 {
			wait.Go(func() {
				if err := p.Enter(t.Context()); err != nil {
					t.Error(err)
				}
				defer p.Leave()
				mu.Lock()
				order = append(order, i/3) // three enter at once
				inside++
				most = max(most, inside)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				inside--
				mu.Unlock()
			})
			synctest.Wait() // it is in the queue before the next one comes
		}
		if size, busy, waiting := p.Load(); size != 3 || busy != 3 || waiting != 17 {
			t.Errorf("size %d, busy %d, waiting %d", size, busy, waiting)
		}
		wait.Wait()
		if !slices.IsSorted(order) || most != 3 {
			t.Errorf("rounds %v, at most %d at the same time", order, most)
		}
		if _, busy, waiting := p.Load(); busy != 0 || waiting != 0 {
			t.Errorf("busy %d, waiting %d", busy, waiting)
		}
	})
}

// Who is cancelled while waiting takes no place.
func TestPoolGivesUpWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := fleet.NewPool(0) // at least one
		if err := p.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		reason := errors.New("the tenant is gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		result := make(chan error)
		go func() { result <- p.Enter(ctx) }()
		synctest.Wait()
		cancel(reason)
		if err := <-result; !errors.Is(err, reason) {
			t.Errorf("%v", err)
		}
		p.Leave()
		if err := p.Enter(ctx); !errors.Is(err, reason) {
			t.Errorf("a place for a context that has ended: %v", err)
		}
		if err := p.Enter(t.Context()); err != nil {
			t.Error(err)
		}
		p.Leave()
	})
}
