package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// collector offers the metrics of the only tenant to a registry.
type collector struct {
	*Metrics
	descs []*prometheus.Desc // by families; nil: only a fleet has it
}

func newCollector(m *Metrics) *collector {
	c := &collector{Metrics: m, descs: make([]*prometheus.Desc, len(families))}
	for i, f := range families {
		if !f.inFleet {
			c.descs[i] = prometheus.NewDesc(f.name, f.help, f.labels, nil)
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		if d != nil {
			to <- d
		}
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	at := c.at(time.Now())
	var all []prometheus.Metric
	c.change(func() { all = c.collect(at) })
	for _, m := range all {
		to <- m
	}
}

func (c *collector) collect(at moment) (all []prometheus.Metric) {
	for i, f := range families {
		d := c.descs[i]
		switch {
		case d == nil:
		case f.hist != nil:
			f.hist(c.Metrics, func(h histogram, values ...string) {
				by, n := h.cumulative()
				all = append(all, prometheus.MustNewConstHistogramWithCreatedTimestamp(d, n, h.sum, by, c.created, values...))
			})
		default:
			f.each(c.Metrics, at, func(v float64, values ...string) { all = append(all, c.constant(d, f.kind, v, values)) })
		}
	}
	return all
}

// constant is a series. Counters say since when they count.
func (c *collector) constant(d *prometheus.Desc, kind dto.MetricType, v float64, values []string) prometheus.Metric {
	if kind == dto.MetricType_COUNTER {
		return prometheus.MustNewConstMetricWithCreatedTimestamp(d, prometheus.CounterValue, v, c.created, values...)
	}
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, values...)
}
