package defender

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Quota is what the service allows a tenant. A zero field is no limit.
type Quota struct {
	Rows           int           // of one answer; further rows are cut silently
	Bytes          int64         // of one answer as JSON; more is a 400
	CallsPerMinute int           // of one front, by all apps of the tenant together
	CallsPerHour   int           // the same, of the MDE front only
	FixedWindows   bool          // count calls by the clock's minutes and hours, not backwards from now
	CPU            time.Duration // processing time of all fronts together in a cycle
	CPUCycle       time.Duration // length of a cycle
	RequestTime    time.Duration // estimated running time of one request; more is a 504
	RequestCPU     time.Duration // estimated processing time of one request; more is a 400, "preempted"
	DataRange      time.Duration // how far back event tables can be seen at least; the rest of the day and the day before too
	RequestBody    int64         // bytes of a request
}

// Documented is the quota of the documentation of 2026:
// https://learn.microsoft.com/defender-xdr/api-advanced-hunting#quotas-and-resource-allocation
// and https://learn.microsoft.com/defender-endpoint/api/run-advanced-query-api#limitations.
//
// How much processing time a tenant gets is not documented (it depends on
// the tenant's size). The value here is the 10 minutes of running time an hour that
// the older API's terms name, spread over the four cycles of an hour. The request
// body's limit is what the proxy before Graph was seen to enforce.
func Documented() Quota {
	return Quota{
		Rows:           100_000,
		Bytes:          50 << 20,
		CallsPerMinute: 45,
		CallsPerHour:   1_500,
		CPU:            150 * time.Second,
		CPUCycle:       15 * time.Minute,
		RequestTime:    3 * time.Minute,
		DataRange:      30 * 24 * time.Hour,
		RequestBody:    1 << 20,
	}
}

// Off returns no quota at all, except for the range of the data: how long the
// service keeps events.
func Off() Quota { return Quota{DataRange: 30 * 24 * time.Hour} }

// ParseQuota reads the name of a quota: documented or off.
func ParseQuota(name string) (Quota, error) {
	switch strings.ToLower(name) {
	case "documented", "":
		return Documented(), nil
	case "off":
		return Off(), nil
	}
	return Quota{}, fmt.Errorf("quota %q is not known; it is documented or off", name)
}

// The cost of a query is estimated, so that it does not hang on the machine the
// emulator runs on: a start-up share, the rows that its tables yielded and the
// bytes of its answer. The services publish no such figures; these are those of a
// column store on one core.
const (
	costBase    = 10 * time.Millisecond
	costPerRow  = 200 * time.Nanosecond
	costPerByte = 10 * time.Nanosecond
)

// cost is the estimated processing time.
func cost(rowsScanned, bytes int64) time.Duration {
	return costBase + time.Duration(rowsScanned)*costPerRow + time.Duration(bytes)*costPerByte
}

// callWindows are the call limits of one front.
type callWindows struct {
	mu     sync.Mutex
	limits []*callWindow
}

// callWindow counts the calls of the last minute or hour.
type callWindow struct {
	kind   string // minute, hour
	length time.Duration
	most   int
	fixed  bool
	calls  []time.Time // oldest first
}

func newCallWindows(q Quota, hourly bool) *callWindows {
	w := &callWindows{}
	if q.CallsPerMinute > 0 {
		w.limits = append(w.limits, &callWindow{kind: "minute", length: time.Minute, most: q.CallsPerMinute, fixed: q.FixedWindows})
	}
	if q.CallsPerHour > 0 && hourly {
		w.limits = append(w.limits, &callWindow{kind: "hour", length: time.Hour, most: q.CallsPerHour, fixed: q.FixedWindows})
	}
	return w
}

// admit counts a call at now. If a limit is reached it counts nothing and gives
// the throttle: a refused call does not use the quota up.
func (w *callWindows) admit(now time.Time) *throttle {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.limits {
		l.forget(now)
		if len(l.calls) >= l.most {
			return &throttle{kind: l.kind, most: l.most, window: l.length, wait: l.frees(now).Sub(now)}
		}
	}
	for _, l := range w.limits {
		l.calls = append(l.calls, now)
	}
	return nil
}

// forget drops the calls that do not count any more at now.
func (l *callWindow) forget(now time.Time) {
	from := now.Add(-l.length)
	if l.fixed {
		from = now.Truncate(l.length).Add(-1)
	}
	n := 0
	for n < len(l.calls) && !l.calls[n].After(from) {
		n++
	}
	l.calls = append(l.calls[:0], l.calls[n:]...)
}

// frees is when the next call will be admitted.
func (l *callWindow) frees(now time.Time) time.Time {
	if l.fixed {
		return now.Truncate(l.length).Add(l.length)
	}
	return l.calls[0].Add(l.length)
}

// cpuCycle is the processing time of a tenant, which all fronts share.
type cpuCycle struct {
	mu     sync.Mutex
	budget time.Duration
	length time.Duration
	start  time.Time
	used   time.Duration
}

// admit says whether a query may run at now; if not, how long to wait.
func (c *cpuCycle) admit(now time.Time) *throttle {
	if c.budget <= 0 || c.length <= 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	if c.used < c.budget {
		return nil
	}
	return &throttle{kind: "cpu", wait: c.start.Add(c.length).Sub(now)}
}

// spend takes a query's cost from the cycle of now. A query that has begun may
// overdraw it.
func (c *cpuCycle) spend(now time.Time, d time.Duration) {
	if c.budget <= 0 || c.length <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	c.used += d
}

// turn begins a new cycle when it is time. Cycles begin by the clock.
func (c *cpuCycle) turn(now time.Time) {
	if start := now.Truncate(c.length); !start.Equal(c.start) {
		c.start, c.used = start, 0
	}
}

// throttle is a call that was refused because a quota is used up.
type throttle struct {
	kind   string        // minute, hour, cpu
	most   int           // calls allowed in window; 0 for cpu
	window time.Duration // 0 for cpu
	wait   time.Duration // until a call can succeed
}

// seconds is the wait in whole seconds, at least one, rounded up: who waits that
// long is admitted.
func (t *throttle) seconds() int {
	return max(1, int((t.wait+time.Second-1)/time.Second))
}
