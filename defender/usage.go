package defender

import (
	"strings"
	"time"
)

// What holds calls back, in the words of OnWait.
const (
	throttles = "the service throttles the tenant"
	ofMinute  = "calls of this minute"
	ofHour    = "calls of this hour"
)

// Brief is a cause that OnWait tells, in one word: throttled, minute or hour.
func Brief(cause string) string {
	switch {
	case strings.Contains(cause, ofMinute):
		return "minute"
	case strings.Contains(cause, ofHour):
		return "hour"
	}
	return "throttled"
}

// Usage is how much of a quota is used, by this process and by others.
type Usage struct {
	Minute, Hour int       // calls of the last minute and hour
	Quota        Quota     // what the budget keeps to: its share of the tenant's
	Paused       time.Time // no call before; past: none asked for it
}

// Usage says how much of the quota is used now.
func (b *Budget) Usage() Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.forget(now)
	u := Usage{Hour: len(b.made) + len(b.others), Quota: b.quota, Paused: b.until}
	for _, list := range [][]time.Time{b.made, b.others} {
		for _, t := range list {
			if now.Sub(t) < time.Minute {
				u.Minute++
			}
		}
	}
	return u
}
