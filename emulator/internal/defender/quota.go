package defender

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/callquota"
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

// newCallWindows are the call limits of one front.
func newCallWindows(q Quota, hourly bool) *callquota.Windows {
	var limits []callquota.Limit
	if q.CallsPerMinute > 0 {
		limits = append(limits, callquota.Limit{Kind: "minute", Length: time.Minute, Most: q.CallsPerMinute, Fixed: q.FixedWindows})
	}
	if q.CallsPerHour > 0 && hourly {
		limits = append(limits, callquota.Limit{Kind: "hour", Length: time.Hour, Most: q.CallsPerHour, Fixed: q.FixedWindows})
	}
	return callquota.New(limits...)
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
func (c *cpuCycle) admit(now time.Time) *callquota.Throttle {
	if c.budget <= 0 || c.length <= 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	if c.used < c.budget {
		return nil
	}
	return &callquota.Throttle{Kind: "cpu", Wait: c.start.Add(c.length).Sub(now)}
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
