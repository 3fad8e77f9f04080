// Package metrics counts what the engine announces, under the conventions of
// Prometheus, on a registry that is passed in. What is counted as committed is
// what the ledger holds: a commit that this process never heard of itself is
// counted when the ledger shows it.
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
	fetched, committed, bytes *prometheus.CounterVec // by table
	batches                   *prometheus.CounterVec // table, state
	splits                    *prometheus.CounterVec // table, reason
	runs                      *prometheus.CounterVec // table, outcome
	retries                   *prometheus.CounterVec // op
	fallbacks                 *prometheus.CounterVec // table
	unread                    *prometheus.CounterVec // table, column
	missed                    *prometheus.CounterVec // table, reason
	jumps                     *prometheus.CounterVec // direction
	requests                  *prometheus.CounterVec // service, code
	waited                    *prometheus.CounterVec // cause
	duration                  *prometheus.HistogramVec
	running                   *prometheus.GaugeVec
	rows                      *prometheus.GaugeVec
	tableRows                 *prometheus.GaugeVec
	commitAt                  *prometheus.GaugeVec
	success                   prometheus.Gauge
	reloaded                  prometheus.Gauge
	labels                    atomic.Pointer[Labels] // nil: none

	mu      sync.Mutex
	under   map[tvmexport.RunID]*run
	commits map[string]map[tvmexport.RunID]bool // by table: commits that are counted
	newest  map[string]time.Time                // by table: its newest commit
	quota   func() Quota
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
)

// New registers the metrics.
func New(reg prometheus.Registerer, version string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tvmexport_" + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tvmexport_" + name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	m := &Metrics{
		fetched:   counter("rows_fetched_total", "Rows in complete answers of Defender.", "table"),
		committed: counter("rows_committed_total", "Rows published by committed runs, according to the ledger.", "table"),
		bytes:     counter("fetched_bytes_total", "Decompressed JSON bytes in complete answers of Defender.", "table"),
		batches:   counter("batches_total", "Batches by state: queued for ingestion, confirmed by counting, committed, or dropped because they did not land or their run failed.", "table", "state"),
		splits:    counter("partition_splits_total", "Calls that were split into smaller ones, by reason: rows, size, timeout or resources.", "table", "reason"),
		runs:      counter("runs_total", "Completed runs of tables, by outcome.", "table", "outcome"),
		retries:   counter("retries_total", "Retried calls to Defender.", "op"),
		fallbacks: counter("fallbacks_total", "Fallbacks to a simpler query because Defender refused a query.", "table"),
		jumps:     counter("clock_jumps_total", "Changes of this machine's wall clock by two seconds or more; a suspension counts as forward.", "direction"),
		unread:    counter("values_unread_total", "Values in complete answers of Defender that do not match the type of their column; records keep them as text.", "table", "column"),
		missed:    counter("schedules_missed_total", "Scheduled times without a run of the table.", "table", "reason"),
		requests:  counter("api_requests_total", "HTTP requests by service and status code; code is error if there was no answer.", "service", "code"),
		waited:    counter("wait_seconds_total", "Seconds that calls to Defender waited, by cause: throttled by the service, the quota of the minute or hour, or a retry.", "cause"),
		running:   gauge("run_in_progress", "1 while the table is being exported.", "table"),
		rows:      gauge("table_last_commit_rows", "Rows that the newest committed run published.", "table"),
		tableRows: gauge("table_rows", "Rows of the table as readers see it since the newest committed run.", "table"),
		commitAt:  gauge("table_last_commit_timestamp_seconds", "Commit time of the newest committed run.", "table"),
		under:     map[tvmexport.RunID]*run{}, commits: map[string]map[tvmexport.RunID]bool{}, newest: map[string]time.Time{},
	}
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tvmexport_run_duration_seconds", Help: "Duration of committed and failed runs, without the wait for their turn among the tables.",
		Buckets: []float64{5, 15, 60, 300, 900, 1800, 3600, 7200, 14400},
	}, []string{"table"})
	m.success = prometheus.NewGauge(prometheus.GaugeOpts{Name: "tvmexport_last_success_timestamp_seconds", Help: "Commit time of the newest run of any table."})
	m.reloaded = prometheus.NewGauge(prometheus.GaugeOpts{Name: "tvmexport_config_last_reload_successful", Help: "1 if the newest configuration is in effect, 0 if a reload failed and the old one was kept."})
	m.reloaded.Set(1)
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tvmexport_build_info", Help: "Always 1."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	reg.MustRegister(m.duration, m.success, m.reloaded, build, &moving{m})
	for _, direction := range []string{"back", "forward"} {
		m.jumps.WithLabelValues(direction)
	}
	for _, cause := range waitCauses {
		m.waited.WithLabelValues(cause)
	}
	return m
}

// Table makes the series of a table exist, so that rates begin at 0.
func (m *Metrics) Table(name string) {
	for _, c := range []*prometheus.CounterVec{m.fetched, m.committed, m.bytes, m.fallbacks} {
		c.WithLabelValues(name)
	}
	for _, s := range batchStates {
		m.batches.WithLabelValues(name, s)
	}
	for _, r := range splitReasons {
		m.splits.WithLabelValues(name, r)
	}
	for _, o := range outcomes {
		m.runs.WithLabelValues(name, o)
	}
	m.running.WithLabelValues(name)
	m.duration.WithLabelValues(name)
}

// Waiting records that calls to the source wait from now on.
func (m *Metrics) Waiting(cause string, d time.Duration) {
	m.waited.WithLabelValues(cause).Add(max(d, 0).Seconds())
}

// Retrying records that a call is repeated after a pause.
func (m *Metrics) Retrying(op string, d time.Duration) {
	m.retries.WithLabelValues(op).Inc()
	m.Waiting("retry", d)
}

// Missed records scheduled times without a run.
func (m *Metrics) Missed(table, reason string, n int) {
	m.missed.WithLabelValues(table, reason).Add(float64(n))
}

// Jumped records a change of this machine's wall clock.
func (m *Metrics) Jumped(by time.Duration) {
	direction := "forward"
	if by < 0 {
		direction = "back"
	}
	m.jumps.WithLabelValues(direction).Inc()
}

// Reloaded records whether a reload of the configuration succeeded.
func (m *Metrics) Reloaded(ok bool) {
	if ok {
		m.reloaded.Set(1)
		return
	}
	m.reloaded.Set(0)
}

// Quota sets whom to ask how much of the quota is used.
func (m *Metrics) Quota(ask func() Quota) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.quota = ask
}
