package metrics

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tvmexport/tvmexport"
)

// moving are the metrics whose values depend on when they are asked for.
type moving struct{ *Metrics }

var (
	ageDesc   = prometheus.NewDesc("tvmexport_table_age_seconds", "Age of the newest committed run.", []string{"table"}, nil)
	usedDesc  = prometheus.NewDesc("tvmexport_quota_used_calls", "Calls in the last minute and hour, by this and other exporters of the tenant.", []string{"window"}, nil)
	limitDesc = prometheus.NewDesc("tvmexport_quota_limit_calls", "Calls that the exporter allows itself per minute and per hour.", []string{"window"}, nil)
	pauseDesc = prometheus.NewDesc("tvmexport_quota_pause_seconds", "Remaining seconds of the pause that Defender asked for.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *moving) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{ageDesc, usedDesc, limitDesc, pauseDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *moving) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	newest, quota := maps.Clone(m.newest), m.quota
	m.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for table, at := range newest {
		gauge(ageDesc, time.Since(at).Seconds(), table)
	}
	if quota == nil {
		return
	}
	q := quota()
	gauge(usedDesc, float64(q.Minute), "minute")
	gauge(usedDesc, float64(q.Hour), "hour")
	gauge(limitDesc, float64(q.PerMinute), "minute")
	gauge(limitDesc, float64(q.PerHour), "hour")
	gauge(pauseDesc, max(0, time.Until(q.PausedUntil).Seconds()))
}

// oldest is the id behind which n ids of the set lie; ids of later runs sort
// behind those of earlier ones.
func oldest(set map[tvmexport.RunID]bool, n int) tvmexport.RunID {
	ids := slices.Sorted(maps.Keys(set))
	return ids[max(0, len(ids)-n)]
}
