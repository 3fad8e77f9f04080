package defender

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/internal/wait"
)

// Quota is how many calls a tenant may make; 0 is without limit.
type Quota struct {
	PerMinute int
	PerHour   int
}

// Or is the quota with the numbers of another one in place of zeros.
func (q Quota) Or(usual Quota) Quota {
	return Quota{PerMinute: cmp.Or(q.PerMinute, usual.PerMinute), PerHour: cmp.Or(q.PerHour, usual.PerHour)}
}

// Share is a part of the quota, at least one call.
func (q Quota) Share(share float64) Quota {
	return Quota{
		PerMinute: max(1, int(float64(q.PerMinute)*share)),
		PerHour:   max(1, int(float64(q.PerHour)*share)),
	}
}

// Budget delays calls. It keeps the quota in every period of a minute and of an
// hour, respects the wait time of throttled calls, and limits the number of
// concurrent calls. It belongs to the tenant: all tables share it. The calls of a
// minute may come in one burst.
type Budget struct {
	quota   Quota
	most    int           // calls at once
	silence time.Duration // longest time without any answer but throttling
	onWait  func(cause string, until time.Time)

	mu        sync.Mutex
	made      []time.Time // calls of the last hour, oldest first
	until     time.Time   // the whole tenant rests until then
	held      time.Time   // when that was last decided
	episodes  int         // of throttling in a row
	running   int
	limit     int // of calls at once; adapts
	streak    int // good answers since the limit changed
	freed     chan struct{}
	announced time.Time
	silent    time.Time   // since when nothing but throttling has come back; zero: it has not
	others    []time.Time // calls of the last hour that others have made, oldest first
	gateway   int         // failures of gateways in a row, over all calls
	throttled int64
	waited    time.Duration
}

const startConcurrency = 2

// NewBudget makes a budget of a quota, for at most atOnce calls at a time. A call
// fails if nothing but throttling comes back for longer than silence. onWait receives
// the cause and the end of each wait; it may be nil.
func NewBudget(q Quota, atOnce int, silence time.Duration, onWait func(cause string, until time.Time)) *Budget {
	if onWait == nil {
		onWait = func(string, time.Time) {}
	}
	return &Budget{quota: q, most: atOnce, silence: silence, onWait: onWait, limit: min(startConcurrency, atOnce), freed: make(chan struct{})}
}

// patience is how long one call may still wait, all its waits together.
type patience struct{ left time.Duration }

// errPatience: the wait would be longer than is allowed.
type errPatience struct {
	cause string
	until time.Time
}

func (e *errPatience) Error() string {
	return fmt.Sprintf("%s; calls are allowed again at %s, which exceeds the maximum wait", e.cause, e.until.UTC().Format(time.RFC3339))
}

// enter waits for a place and counts the call. made is when.
func (b *Budget) enter(ctx context.Context, p *patience) (made time.Time, err error) {
	for {
		b.mu.Lock()
		now := time.Now()
		cause, at := b.next(now)
		if at.After(now) {
			tell := at.After(b.announced)
			if tell {
				b.announced = at
				b.waited += at.Sub(now)
			}
			if p.left -= at.Sub(now); p.left < 0 || !b.silent.IsZero() && at.Sub(b.silent) > b.silence {
				b.mu.Unlock()
				return now, &errPatience{cause, at}
			}
			b.mu.Unlock()
			if tell {
				b.onWait(cause, at.Add(time.Second-1).Truncate(time.Second)) // as it is shown
			}
			if err := wait.For(ctx, at.Sub(now)); err != nil {
				return now, err
			}
			continue
		}
		if b.running >= b.limit {
			freed := b.freed
			b.mu.Unlock()
			if err := wait.ForOr(ctx, time.Hour, freed); err != nil {
				return now, err
			}
			continue
		}
		b.running++
		b.made = append(b.made, now)
		b.mu.Unlock()
		return now, nil
	}
}

// mostOnTheWay is the longest time that a call counts as being on its way to the service. A
// service that answers later than that was computing.
const mostOnTheWay = 5 * time.Second

// arrived says that a call was answered. The service has counted it between then and made, on a
// slow machine or network long after made, and only calls that come a minute later are free.
func (b *Budget) arrived(made time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.made, made)
	if i < 0 {
		return
	}
	at := time.Now()
	if latest := made.Add(mostOnTheWay); at.After(latest) {
		at = latest
	}
	b.made = slices.Delete(b.made, i, i+1)
	for i = len(b.made); i > 0 && b.made[i-1].After(at); i-- {
	}
	b.made = slices.Insert(b.made, i, at)
}

// forget drops calls that no quota looks at any more.
func (b *Budget) forget(now time.Time) {
	old := func(t time.Time) bool { return now.Sub(t) < time.Hour+margin }
	for _, list := range []*[]time.Time{&b.made, &b.others} {
		n := slices.IndexFunc(*list, old)
		if n < 0 {
			n = len(*list)
		}
		*list = (*list)[n:]
	}
}

// margin is for clocks and latency that differ from call to call.
const margin = 500 * time.Millisecond

// next is when the next call may be made, and what holds it back.
func (b *Budget) next(now time.Time) (cause string, at time.Time) {
	b.forget(now)
	made := b.made
	if len(b.others) > 0 {
		made = slices.SortedFunc(slices.Values(slices.Concat(b.made, b.others)), time.Time.Compare)
	}
	cause, at = throttles, b.until
	for _, w := range []struct {
		calls int
		span  time.Duration
		name  string
	}{{b.quota.PerMinute, time.Minute, ofMinute}, {b.quota.PerHour, time.Hour, ofHour}} {
		if w.calls == 0 || len(made) < w.calls {
			continue
		}
		if free := made[len(made)-w.calls].Add(w.span + margin); free.After(at) {
			cause, at = fmt.Sprintf("all %d %s are used", w.calls, w.name), free
		}
	}
	return cause, at
}

// load is what a call says of how much the service bears.
type load int

const (
	unknown  load = iota
	bearable      // answered
	strained      // throttled, pre-empted, or timed out
)

// leave gives the place back. Good answers let more calls run at once, strained
// ones fewer.
func (b *Budget) leave(l load) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running--
	switch l {
	case bearable:
		b.episodes, b.gateway, b.silent = 0, 0, time.Time{}
		if b.streak++; b.streak >= 2*b.limit && b.limit < b.most {
			b.limit, b.streak = b.limit+1, 0
		}
	case strained:
		b.limit, b.streak = max(1, b.limit-1), 0
	}
	close(b.freed)
	b.freed = make(chan struct{})
}

// throttleBackoff is the pause after throttling if the service names none. Its
// limit is the cycle of the service's CPU quota
// (https://learn.microsoft.com/defender-xdr/api-advanced-hunting).
var throttleBackoff = wait.Backoff{First: 30 * time.Second, Longest: 15 * time.Minute, Low: 1, High: 1.1}

// hold lets the whole tenant rest after a throttled call that began at began:
// as long as the service asks. Calls that were under way when a rest was
// decided do not lengthen it, unless the service says so.
func (b *Budget) hold(began time.Time, after time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.throttled++
	now := time.Now()
	if b.silent.IsZero() {
		b.silent = began
	}
	if after <= 0 {
		if began.Before(b.held) {
			return
		}
		b.episodes++
		after = throttleBackoff.After(b.episodes)
	}
	b.held = now
	if until := now.Add(after + margin); until.After(b.until) {
		b.until = until
	}
}

// mostGateway is how many failures of gateways in a row, over all calls and
// without one answer between them, mean that the service is down.
const mostGateway = 12

// broke counts a gateway's failure. It says whether the service is down.
func (b *Budget) broke() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gateway++
	return b.gateway >= mostGateway
}
