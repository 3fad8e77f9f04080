// Package callquota counts the calls that an API allows in a minute and in an hour.
package callquota

import (
	"sync"
	"time"
)

// Limit is how many calls an API allows in a time.
type Limit struct {
	Kind   string // what the time is called: minute, hour
	Length time.Duration
	Most   int
	Fixed  bool // count by the clock's minutes and hours, not backwards from now
}

// Windows counts the calls of one API against its limits. It is safe for concurrent use.
type Windows struct {
	mu     sync.Mutex
	limits []*window
}

// window counts the calls of the last minute or hour.
type window struct {
	Limit
	calls []time.Time // oldest first
}

// New makes Windows; no limits admit every call.
func New(limits ...Limit) *Windows {
	w := &Windows{}
	for _, l := range limits {
		w.limits = append(w.limits, &window{Limit: l})
	}
	return w
}

// Throttle is a call that was refused because a quota is used up.
type Throttle struct {
	Kind   string        // of the limit; cpu for processing time
	Most   int           // calls allowed in Window; 0 for cpu
	Window time.Duration // 0 for cpu
	Wait   time.Duration // until a call can succeed
}

// Seconds is the wait in whole seconds, at least one, rounded up: who waits that
// long is admitted.
func (t *Throttle) Seconds() int {
	return max(1, int((t.Wait+time.Second-1)/time.Second))
}

// Admit counts a call at now. If a limit is reached it counts nothing and returns
// the throttle: a refused call does not use the quota up.
func (w *Windows) Admit(now time.Time) *Throttle {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.limits {
		l.forget(now)
		if len(l.calls) >= l.Most {
			return &Throttle{Kind: l.Kind, Most: l.Most, Window: l.Length, Wait: l.frees(now).Sub(now)}
		}
	}
	for _, l := range w.limits {
		l.calls = append(l.calls, now)
	}
	return nil
}

// forget drops the calls that do not count any more at now.
func (l *window) forget(now time.Time) {
	from := now.Add(-l.Length)
	if l.Fixed {
		from = now.Truncate(l.Length).Add(-1)
	}
	n := 0
	for n < len(l.calls) && !l.calls[n].After(from) {
		n++
	}
	l.calls = append(l.calls[:0], l.calls[n:]...)
}

// frees is when the next call will be admitted.
func (l *window) frees(now time.Time) time.Time {
	if l.Fixed {
		return now.Truncate(l.Length).Add(l.Length)
	}
	return l.calls[0].Add(l.Length)
}
