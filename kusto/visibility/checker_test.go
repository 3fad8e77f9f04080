package visibility

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// While one goroutine waits for the policies, another one that is cancelled does
// not wait with it.
func TestReadersOfPoliciesCanBeToldToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(nil)
		c.hiding.turn <- struct{}{} // somebody reads them
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.ReadPolicies(ctx, "check", time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
