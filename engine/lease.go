package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// defaultTerm is how long the lease of a dead run keeps others off.
const defaultTerm = 3 * time.Minute

// longestRenewal is how often a lease is renewed at least.
const longestRenewal = time.Minute

// keepLease renews a lease until stop is called: a third of its term before it
// ends, every minute at least, and soon after the source has asked for a
// pause, so that the ledger knows of it. The context that it returns ends when
// another owner is found to hold one of the tables, when a newer program has
// upgraded the destination, or when no renewal has succeeded for a whole term.
func keepLease(ctx context.Context, d tvmexport.Leases, lease func() tvmexport.Lease, term time.Duration) (_ context.Context, stop func()) {
	ctx, lost := context.WithCancelCause(ctx)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		every := min(term/3, longestRenewal)
		tick := time.NewTicker(min(every, 5*time.Second))
		defer tick.Stop()
		kept, tried := time.Now(), time.Now()
		var paused time.Time
		for {
			select {
			case <-quit:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			l := lease()
			if time.Since(tried) < every && !l.QuotaUsage.Paused.After(paused) {
				continue
			}
			tried, paused = time.Now(), l.QuotaUsage.Paused
			held, err := d.Acquire(ctx, l)
			switch {
			case err == nil && len(held) == 0:
				kept = time.Now()
			case err == nil:
				for table, by := range held {
					lost(heldError(table, by))
				}
			case tvmexport.CodeOf(err) == tvmexport.NewerShape:
				lost(err)
			case time.Since(kept) > term:
				lost(&tvmexport.Error{Op: "renew lease", Action: tvmexport.Stop, Cause: tvmexport.LeaseHeld, Err: err})
			}
		}
	}()
	return ctx, func() {
		close(quit)
		<-done
		lost(context.Canceled)
	}
}

func heldError(table string, by tvmexport.LeaseHolder) error {
	return &tvmexport.Error{
		Op: "lease", Table: table, Action: tvmexport.Stop, Cause: tvmexport.LeaseHeld,
		Err:  fmt.Errorf("another run holds the lease of the table until %s (%s)", by.Expires.UTC().Format(time.RFC3339), by.Owner),
		Hint: "wait until it ends; if it died, the lease expires at that time",
	}
}
