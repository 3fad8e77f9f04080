package lake

import (
	"context"
	"time"

	"github.com/tvmexport/tvmexport"
)

// usage is what was used of a quota. Times are seconds from when it was written: the clocks of
// those who write and read it differ.
type usage struct {
	Calls  [][2]int64 `json:"calls,omitempty"`  // seconds ago, calls
	Paused int64      `json:"paused,omitempty"` // seconds ahead
}

func usageOf(q tvmexport.QuotaUsage, now time.Time) (u usage) {
	for _, c := range q.Calls {
		u.Calls = append(u.Calls, [2]int64{max(0, int64(now.Sub(c.At)/time.Second)), int64(c.Calls)})
	}
	if ahead := q.Paused.Sub(now); ahead > 0 {
		u.Paused = int64((ahead + time.Second - 1) / time.Second)
	}
	return u
}

func (u usage) since(then time.Time) (q tvmexport.QuotaUsage) {
	for _, c := range u.Calls {
		q.Calls = append(q.Calls, tvmexport.CallCount{At: then.Add(-time.Duration(c[0]) * time.Second), Calls: int(c[1])})
	}
	if u.Paused > 0 {
		q.Paused = then.Add(time.Duration(u.Paused) * time.Second)
	}
	return q
}

// spend notes what an invocation has used, by the clock of this process.
func (i *invocation) spend(q tvmexport.QuotaUsage, now time.Time) {
	i.Used, i.Nested = usageOf(q, now), nil
	for name, own := range q.Endpoints {
		if i.Nested == nil {
			i.Nested = map[string]usage{}
		}
		i.Nested[name] = usageOf(own, now)
	}
}

// quotaUsage implements tvmexport.Leases.
func (v *invocations) quotaUsage(ctx context.Context, owner string) ([]tvmexport.QuotaUsage, error) {
	if _, err := v.understood(ctx, "read ledger", ""); err != nil {
		return nil, err
	}
	now, err := v.now(ctx)
	if err != nil {
		return nil, err
	}
	list, err := v.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []tvmexport.QuotaUsage
	for _, i := range list {
		age := now.Sub(i.At)
		if i.Owner == owner || age >= time.Hour {
			continue
		}
		then := time.Now().Add(-age)
		q := i.Used.since(then)
		for name, own := range i.Nested {
			if q.Endpoints == nil {
				q.Endpoints = map[string]tvmexport.QuotaUsage{}
			}
			q.Endpoints[name] = own.since(then)
		}
		out = append(out, q)
	}
	return out, nil
}
