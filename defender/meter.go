package defender

import (
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// noteStep is how exactly the calls of the last two minutes are noted, so that who
// begins within a minute waits as long as the quota asks, and not longer.
const noteStep = 5 * time.Second

// QuotaUsage returns the calls of the last hour, by minute, and the newest ones more
// exactly: what other processes need to know of them (tvmexport.Meter).
func (b *Budget) QuotaUsage() tvmexport.QuotaUsage {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.forget(now)
	s := tvmexport.QuotaUsage{Paused: b.until}
	for _, t := range b.made {
		step := time.Minute
		if now.Sub(t) < 2*time.Minute {
			step = noteStep
		}
		end := t.Truncate(step).Add(step)
		if n := len(s.Calls); n > 0 && s.Calls[n-1].At.Equal(end) {
			s.Calls[n-1].Calls++
			continue
		}
		s.Calls = append(s.Calls, tvmexport.CallCount{At: end, Calls: 1})
	}
	return s
}

// Begin starts an invocation, with the calls that others have made (tvmexport.Meter).
func (b *Budget) Begin(others []tvmexport.QuotaUsage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.silent, b.others, b.gateway = time.Time{}, nil, 0
	for _, s := range others {
		for _, m := range s.Calls {
			at := m.At
			if at.After(now) {
				at = now
			}
			for range min(m.Calls, b.quota.PerHour) {
				b.others = append(b.others, at)
			}
		}
		if s.Paused.After(b.until) && s.Paused.Sub(now) < longestHint {
			b.until = s.Paused
		}
	}
	slices.SortFunc(b.others, time.Time.Compare)
}
