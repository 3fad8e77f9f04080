// Package metrics counts what the engine announces, under the conventions of
// Prometheus. What is counted as committed is what the ledger holds: a commit that
// this process never heard of itself is counted when the ledger shows it.
//
// Metrics is what is counted of one tenant, in a few kilobytes. New puts it on a
// registry; Fleet offers the same metrics of many tenants, each with its name.
package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tvmexport/tvmexport"
)

// Metrics is a listener on hooks. It is safe for concurrent use.
type Metrics struct {
	version string
	created time.Time
	labels  atomic.Pointer[Labels] // nil: none

	mu       sync.Mutex
	tables   []*tableCounts // by name
	retries  tally[string]  // by op
	jumps    tally[string]  // by direction
	waited   tally[string]  // by cause: seconds
	requests tally[[2]string]
	success  time.Time // the newest commit of any table
	reloaded bool      // the newest configuration is in effect
	unread   bool      // the ledger could not be read
	under    map[tvmexport.RunID]*run
	quota    func() Quota
}

// run is a run that is under way.
type run struct {
	queued    int
	confirmed int
}

// Quota is how much of the source's quota is used.
type Quota struct {
	Minute, Hour       int // calls of the last minute and hour
	PerMinute, PerHour int // that are allowed
	PausedUntil        time.Time
}

// The states of a batch, the outcomes of a run, and what else labels say.
var (
	batchStates  = []string{"queued", "confirmed", "committed", "dropped"}
	splitReasons = []string{"rows", "size", "timeout", "resources"}
	outcomes     = []string{"committed", "failed"}
	waitCauses   = []string{"throttled", "minute", "hour", "retry"}
	directions   = []string{"back", "forward"}
)

// New registers the metrics of the only tenant.
func New(reg prometheus.Registerer, version string) *Metrics {
	m := newMetrics(version)
	reg.MustRegister(newCollector(m))
	return m
}

func newMetrics(version string) *Metrics {
	m := &Metrics{version: version, created: time.Now(), reloaded: true, under: map[tvmexport.RunID]*run{}}
	for _, direction := range directions {
		m.jumps.add(direction, 0)
	}
	for _, cause := range waitCauses {
		m.waited.add(cause, 0)
	}
	return m
}

// change changes what is counted.
func (m *Metrics) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// of changes what is counted of a table.
func (m *Metrics) of(table string, f func(t *tableCounts)) {
	m.change(func() { f(m.table(table)) })
}

// Table makes the series of a table exist, so that rates begin at 0.
func (m *Metrics) Table(name string) { m.of(name, func(*tableCounts) {}) }

// Waiting records that calls to the source wait from now on.
func (m *Metrics) Waiting(cause string, d time.Duration) {
	m.change(func() { m.waited.add(cause, max(d, 0).Seconds()) })
}

// Retrying records that a call is repeated after a pause.
func (m *Metrics) Retrying(op string, d time.Duration) {
	m.change(func() { m.retries.add(op, 1) })
	m.Waiting("retry", d)
}

// Missed records scheduled times without a run.
func (m *Metrics) Missed(table, reason string, n int) {
	m.of(table, func(t *tableCounts) { t.missed.add(reason, float64(n)) })
}

// Jumped records a change of this machine's wall clock.
func (m *Metrics) Jumped(by time.Duration) {
	m.change(func() { m.jumps.add(direction(by), 1) })
}

func direction(by time.Duration) string {
	if by < 0 {
		return "back"
	}
	return "forward"
}

// Reloaded records whether a reload of the configuration succeeded.
func (m *Metrics) Reloaded(ok bool) { m.change(func() { m.reloaded = ok }) }

// LedgerRead records whether the ledger could be read. Only a fleet has a metric of
// it: alone, an exporter that cannot read its ledger is not ready.
func (m *Metrics) LedgerRead(ok bool) { m.change(func() { m.unread = !ok }) }

// Quota sets whom to ask how much of the quota is used.
func (m *Metrics) Quota(ask func() Quota) { m.change(func() { m.quota = ask }) }
