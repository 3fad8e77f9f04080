package defender

import (
	"slices"
	"time"
)

// Forecast is how long calls would take that began now.
type Forecast struct {
	Took time.Duration // until the last of them is answered
	Held time.Duration // of that, how long the quota keeps all of them waiting
}

// Forecast estimates the duration of calls under the current budget, with the
// calls of this process and others in the last hour. Each call takes each, at most
// atOnce run concurrently, and chain of them depend on each other. It makes no
// call.
func (b *Budget) Forecast(calls, chain, atOnce int, each time.Duration) Forecast {
	b.mu.Lock()
	copied := NewBudget(b.quota, min(max(atOnce, 1), b.most), 0, nil)
	copied.made, copied.others, copied.until = slices.Clone(b.made), slices.Clone(b.others), b.until
	b.mu.Unlock()
	f := copied.simulate(time.Now(), calls, each)
	f.Took = max(f.Took, time.Duration(chain)*each)
	return f
}

// simulate simulates calls one after the other, as enter and leave do, on a
// clock of its own.
func (b *Budget) simulate(now time.Time, calls int, each time.Duration) Forecast {
	start, end := now, now
	var f Forecast
	var under []time.Time // when the calls under way end, in order
	for range calls {
		for len(under) >= b.limit {
			now, under = later(now, under[0]), under[1:]
			b.leave(bearable)
		}
		if _, at := b.next(now); at.After(now) {
			f.Held += at.Sub(now)
			now = at
		}
		b.running++
		b.made = append(b.made, now)
		under = append(under, now.Add(each))
		end = later(end, now.Add(each))
		for len(under) > 0 && !under[0].After(now) {
			under = under[1:]
			b.leave(bearable)
		}
	}
	f.Took = end.Sub(start)
	return f
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Quota is what the budget keeps to.
func (b *Budget) Quota() Quota { return b.quota }
