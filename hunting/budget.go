package hunting

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Quota is what a tenant may call.
type Quota struct {
	PerMinute int
	PerHour   int
}

// DocumentedQuota is 45 calls a minute, and 1,500 an hour, the latter stated
// for MDE and assumed of the others
// (https://learn.microsoft.com/defender-endpoint/api/run-advanced-query-api).
var DocumentedQuota = Quota{PerMinute: 45, PerHour: 1500}

// scaled is a share of the quota, at least one call.
func (q Quota) scaled(share float64) Quota {
	return Quota{
		PerMinute: max(1, int(float64(q.PerMinute)*share)),
		PerHour:   max(1, int(float64(q.PerHour)*share)),
	}
}

// budget holds calls back so that in no minute and in no hour, wherever they
// begin, more are made than the quota allows; so that none is made before the
// time that a throttled call was told; and so that only as many run at once as
// the service bears. It belongs to the tenant: all tables share it.
type budget struct {
	quota   Quota
	maxWait time.Duration
	onWait  func(cause string, until time.Time)

	mu       sync.Mutex
	made     []time.Time // calls of the last hour, oldest first
	until    time.Time   // the whole tenant rests until then
	throttle int         // throttled calls in a row without a hint
	running  int
	limit    int // of calls at once; adapts
	streak   int // good answers since the limit changed
	freed    chan struct{}
}

const (
	startConcurrency = 2
	mostConcurrency  = 6
)

func newBudget(q Quota, maxWait time.Duration, onWait func(string, time.Time)) *budget {
	if onWait == nil {
		onWait = func(string, time.Time) {}
	}
	return &budget{quota: q, maxWait: maxWait, onWait: onWait, limit: startConcurrency, freed: make(chan struct{})}
}

// enter waits for a place and counts the call.
func (b *budget) enter(ctx context.Context) error {
	for {
		b.mu.Lock()
		now := time.Now()
		cause, at := b.next(now)
		if at.After(now) {
			b.mu.Unlock()
			b.onWait(cause, at)
			if err := wait(ctx, at.Sub(now), nil); err != nil {
				return err
			}
			continue
		}
		if b.running >= b.limit {
			freed := b.freed
			b.mu.Unlock()
			if err := wait(ctx, time.Hour, freed); err != nil {
				return err
			}
			continue
		}
		b.running++
		b.made = append(b.made, now)
		b.mu.Unlock()
		return nil
	}
}

// next is when the next call may be made, and what holds it back.
func (b *budget) next(now time.Time) (cause string, at time.Time) {
	for len(b.made) > 0 && now.Sub(b.made[0]) >= time.Hour+margin {
		b.made = b.made[1:]
	}
	cause, at = "throttled", b.until
	for _, w := range []struct {
		calls int
		span  time.Duration
		name  string
	}{{b.quota.PerMinute, time.Minute, "calls a minute"}, {b.quota.PerHour, time.Hour, "calls an hour"}} {
		if len(b.made) < w.calls {
			continue
		}
		if free := b.made[len(b.made)-w.calls].Add(w.span + margin); free.After(at) {
			cause, at = fmt.Sprintf("%d %s are used", w.calls, w.name), free
		}
	}
	return cause, at
}

// margin is for clocks and latency that differ from call to call.
const margin = 500 * time.Millisecond

// leave gives the place back. Good answers let more calls run at once.
func (b *budget) leave(good bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running--
	if good {
		b.throttle = 0
		if b.streak++; b.streak >= 2*b.limit && b.limit < mostConcurrency {
			b.limit, b.streak = b.limit+1, 0
		}
	} else if b.limit > 1 {
		b.limit, b.streak = b.limit-1, 0
	}
	close(b.freed)
	b.freed = make(chan struct{})
}

// hold lets the whole tenant rest: as long as the service asks, or, where it
// does not say, half a minute and longer each time. The error says that this
// is longer than the waiting allowed.
func (b *budget) hold(after time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if after <= 0 {
		after = min(30*time.Second<<min(b.throttle, 5), 15*time.Minute)
		after += rand.N(after / 10)
		b.throttle++
	}
	if after > b.maxWait {
		return fmt.Errorf("the service asks to wait %s, longer than the %s allowed", after.Round(time.Second), b.maxWait)
	}
	if until := time.Now().Add(after + margin); until.After(b.until) {
		b.until = until
	}
	return nil
}

// wait sleeps until d is over, freed is closed, or ctx ends.
func wait(ctx context.Context, d time.Duration, freed <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-freed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
