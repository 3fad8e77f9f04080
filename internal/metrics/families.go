package metrics

import (
	"time"

	dto "github.com/prometheus/client_model/go"
)

// family is the metrics of one name: how what is counted of a tenant becomes series.
type family struct {
	name, help string
	kind       dto.MetricType
	labels     []string
	rare       bool // a fleet has no series of it that are 0
	alone      bool // a fleet has it in another form
	inFleet    bool // only a fleet has it
	each       each
	hist       func(m *Metrics, emit func(h histogram, values ...string))
}

// moment is what is not counted: the time, and how much of the quota is used.
type moment struct {
	now   time.Time
	quota *Quota // nil: not known
}

// at asks for the moment. The caller does not hold the lock: whom it asks may wait for it.
func (m *Metrics) at(now time.Time) moment {
	m.mu.Lock()
	ask := m.quota
	m.mu.Unlock()
	if ask == nil {
		return moment{now: now}
	}
	q := ask()
	return moment{now, &q}
}

// emit makes a series: its value, and the values of the family's labels.
type emit func(v float64, values ...string)

const prefix = "tvmexport_"

// families are all metrics of a tenant. Their functions are called with its lock held.
var families = []family{
	counter("rows_fetched_total", "Rows in complete answers of Defender.", perTable(func(t *tableCounts) float64 { return t.fetched })),
	counter("rows_committed_total", "Rows published by committed runs, according to the ledger.", perTable(func(t *tableCounts) float64 { return t.committed })),
	counter("fetched_bytes_total", "Decompressed JSON bytes in complete answers of Defender.", perTable(func(t *tableCounts) float64 { return t.bytes })),
	counter("batches_total", "Batches by state: queued for ingestion, confirmed by counting, committed, or dropped because they did not land or their run failed.",
		perWord(batchStates, func(t *tableCounts) []float64 { return t.batches[:] }), "table", "state"),
	rare(counter("partition_splits_total", "Calls that were split into smaller ones, by reason: rows, size, timeout or resources.",
		perWord(splitReasons, func(t *tableCounts) []float64 { return t.splits[:] }), "table", "reason")),
	counter("runs_total", "Completed runs of tables, by outcome.", perWord(outcomes, func(t *tableCounts) []float64 { return t.runs[:] }), "table", "outcome"),
	counter("retries_total", "Retried calls to Defender.", perLabel(func(m *Metrics) tally[string] { return m.retries }), "op"),
	rare(counter("fallbacks_total", "Fallbacks to a simpler query because Defender refused a query.", perTable(func(t *tableCounts) float64 { return t.fallbacks }))),
	rare(counter("clock_jumps_total", "Changes of this machine's wall clock by two seconds or more; a suspension counts as forward.",
		perLabel(func(m *Metrics) tally[string] { return m.jumps }), "direction")),
	counter("values_unread_total", "Values in complete answers of Defender that do not match the type of their column; records keep them as text.",
		perTally(func(t *tableCounts) tally[string] { return t.unread }), "table", "column"),
	counter("schedules_missed_total", "Scheduled times without a run of the table.", perTally(func(t *tableCounts) tally[string] { return t.missed }), "table", "reason"),
	counter("api_requests_total", "HTTP requests by service and status code; code is error if there was no answer.", func(m *Metrics, _ moment, emit emit) {
		for _, e := range m.requests {
			emit(e.n, e.label[0], e.label[1])
		}
	}, "service", "code"),
	counter("wait_seconds_total", "Seconds that calls to Defender waited, by cause: throttled by the service, the quota of the minute or hour, or a retry.",
		perLabel(func(m *Metrics) tally[string] { return m.waited }), "cause"),
	gauge("run_in_progress", "1 while the table is being exported.", perTable(func(t *tableCounts) float64 { return t.running }), "table"),
	gauge("table_last_commit_rows", "Rows that the newest committed run published.", ofCommitted(func(t *tableCounts, _ time.Time) float64 { return t.rows }), "table"),
	gauge("table_rows", "Rows of the table as readers see it since the newest committed run.", func(m *Metrics, _ moment, emit emit) {
		for _, t := range m.tables {
			if t.hasRows {
				emit(t.tableRows, t.name)
			}
		}
	}, "table"),
	gauge("table_last_commit_timestamp_seconds", "Commit time of the newest committed run.", ofCommitted(func(t *tableCounts, _ time.Time) float64 { return seconds(t.newest) }), "table"),
	gauge("table_age_seconds", "Age of the newest committed run.", ofCommitted(func(t *tableCounts, now time.Time) float64 { return now.Sub(t.newest).Seconds() }), "table"),
	{
		name: prefix + "run_duration_seconds", help: "Duration of committed and failed runs, without the wait for their turn among the tables.",
		kind: dto.MetricType_HISTOGRAM, labels: []string{"table"}, alone: true, hist: func(m *Metrics, emit func(h histogram, values ...string)) {
			for _, t := range m.tables {
				emit(t.duration, t.name)
			}
		},
	},
	{
		name: prefix + "run_duration_seconds", help: "Duration of committed and failed runs of all tables, without the wait for their turn.",
		kind: dto.MetricType_HISTOGRAM, inFleet: true, hist: func(m *Metrics, emit func(h histogram, values ...string)) {
			var all histogram
			for _, t := range m.tables {
				all.add(t.duration)
			}
			emit(all)
		},
	},
	gauge("last_success_timestamp_seconds", "Commit time of the newest run of any table.", one(func(m *Metrics) float64 {
		if m.success.IsZero() {
			return 0
		}
		return seconds(m.success)
	})),
	gauge("config_last_reload_successful", "1 if the newest configuration is in effect, 0 if a reload failed and the old one was kept.", one(func(m *Metrics) float64 { return truth(m.reloaded) })),
	inFleet(gauge("tenant_up", "1 if the tenant's ledger could be read the last time, 0 if not.", one(func(m *Metrics) float64 { return truth(!m.unread) }))),
	gauge("build_info", "Always 1.", func(m *Metrics, _ moment, emit emit) { emit(1, m.version) }, "version"),
	gauge("quota_used_calls", "Calls in the last minute and hour, by this and other exporters of the tenant.", ofQuota(func(q Quota, _ time.Time, emit emit) {
		emit(float64(q.Minute), "minute")
		emit(float64(q.Hour), "hour")
	}), "window"),
	gauge("quota_limit_calls", "Calls that the exporter allows itself per minute and per hour.", ofQuota(func(q Quota, _ time.Time, emit emit) {
		emit(float64(q.PerMinute), "minute")
		emit(float64(q.PerHour), "hour")
	}), "window"),
	gauge("quota_pause_seconds", "Remaining seconds of the pause that Defender asked for.", ofQuota(func(q Quota, now time.Time, emit emit) {
		emit(max(0, q.PausedUntil.Sub(now).Seconds()))
	})),
}

// counter is a family of counters; without labels it has those of a table.
func counter(name, help string, each each, labels ...string) family {
	if len(labels) == 0 {
		labels = []string{"table"}
	}
	return family{name: prefix + name, help: help, kind: dto.MetricType_COUNTER, labels: labels, each: each}
}

func gauge(name, help string, each each, labels ...string) family {
	return family{name: prefix + name, help: help, kind: dto.MetricType_GAUGE, labels: labels, each: each}
}

func rare(f family) family {
	f.rare = true
	return f
}

func inFleet(f family) family {
	f.inFleet = true
	return f
}

// The shapes of families.
type each = func(m *Metrics, at moment, emit emit)

func one(value func(*Metrics) float64) each {
	return func(m *Metrics, _ moment, emit emit) { emit(value(m)) }
}

func perTable(value func(*tableCounts) float64) each {
	return func(m *Metrics, _ moment, emit emit) {
		for _, t := range m.tables {
			emit(value(t), t.name)
		}
	}
}

func perWord(words []string, values func(*tableCounts) []float64) each {
	return func(m *Metrics, _ moment, emit emit) {
		for _, t := range m.tables {
			for i, v := range values(t) {
				emit(v, t.name, words[i])
			}
		}
	}
}

func perTally(values func(*tableCounts) tally[string]) each {
	return func(m *Metrics, _ moment, emit emit) {
		for _, t := range m.tables {
			for _, e := range values(t) {
				emit(e.n, t.name, e.label)
			}
		}
	}
}

func perLabel(values func(*Metrics) tally[string]) each {
	return func(m *Metrics, _ moment, emit emit) {
		for _, e := range values(m) {
			emit(e.n, e.label)
		}
	}
}

func ofCommitted(value func(*tableCounts, time.Time) float64) each {
	return func(m *Metrics, at moment, emit emit) {
		for _, t := range m.tables {
			if !t.newest.IsZero() {
				emit(value(t, at.now), t.name)
			}
		}
	}
}

func ofQuota(values func(Quota, time.Time, emit)) each {
	return func(_ *Metrics, at moment, emit emit) {
		if at.quota != nil {
			values(*at.quota, at.now, emit)
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
