package tvmexport

import (
	"context"
	"fmt"
	"time"
)

const (
	leaseTerm  = 5 * time.Minute
	leaseRenew = time.Minute
)

// keepLease renews the owner's leases until stop is called. The context that
// it returns ends when another owner is found to hold one of the tables, or
// when no renewal has succeeded for a whole term.
func keepLease(ctx context.Context, d Destination, owner string, tables []Table) (_ context.Context, stop func()) {
	ctx, lost := context.WithCancelCause(ctx)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(leaseRenew)
		defer tick.Stop()
		kept := time.Now()
		for {
			select {
			case <-quit:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			held, err := d.Acquire(ctx, owner, tables, leaseTerm)
			switch {
			case err == nil && len(held) == 0:
				kept = time.Now()
			case err == nil:
				for table, by := range held {
					lost(heldError(table, by))
				}
			case time.Since(kept) > leaseTerm:
				lost(&Error{Op: "renew lease", Action: Stop, Cause: Held, Err: err})
			}
		}
	}()
	return ctx, func() {
		close(quit)
		<-done
		lost(context.Canceled)
	}
}

func heldError(table string, by Holder) error {
	return &Error{
		Op: "lease", Table: table, Action: Stop, Cause: Held,
		Err:  fmt.Errorf("another run holds the table until %s (%s)", by.Expires.UTC().Format(time.RFC3339), by.Owner),
		Hint: "wait for it to end; if it died, the lease ends at that time by itself",
	}
}
