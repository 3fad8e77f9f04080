package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// slowly is a destination that shows nothing before a time.
type slowly struct {
	*contract.Destination
	until time.Time
}

func (s slowly) Landed(ctx context.Context, run tvmexport.Run) (tvmexport.Delivery, error) {
	if time.Now().Before(s.until) {
		return tvmexport.Delivery{Slow: "a policy"}, nil
	}
	return s.Destination.Landed(ctx, run)
}

// A run that waits for its batches says so each minute, and why.
func TestARunThatWaitsSaysSoEachMinute(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		began := time.Now()
		w.Destination = slowly{w.destination, began.Add(5*time.Minute + 30*time.Second)}
		w.source.Set(software, fleet(3, 4))
		var got []string
		w.Hooks.Awaiting = func(_ tvmexport.Run, a tvmexport.Awaited) {
			got = append(got, fmt.Sprintf("%s: %d of %d, at most %s, %s", a.For.Truncate(time.Minute), a.Landed, a.Of, a.Most, a.Slow))
		}
		w.export(t)
		var want []string
		for n := range 5 {
			want = append(want, fmt.Sprintf("%dm0s: 0 of 1, at most 15m0s, a policy", n+1))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}
