package hunting

import (
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// QuotaUsage implements tvmexport.Meter: the calls of the last hour, by minute.
func (c *Client) QuotaUsage() tvmexport.QuotaUsage {
	b := c.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(time.Now())
	s := tvmexport.QuotaUsage{Paused: b.until}
	for _, t := range b.made {
		end := t.Truncate(time.Minute).Add(time.Minute)
		if n := len(s.Calls); n > 0 && s.Calls[n-1].At.Equal(end) {
			s.Calls[n-1].Calls++
			continue
		}
		s.Calls = append(s.Calls, tvmexport.CallCount{At: end, Calls: 1})
	}
	return s
}

// Begin implements tvmexport.Meter.
func (c *Client) Begin(others []tvmexport.QuotaUsage) {
	b := c.budget
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
