package metrics

import (
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// own are the metrics of the fleet itself.
func (f *Fleet) own() (all []*dto.MetricFamily) {
	f.mu.Lock()
	states, workers, jumps := f.states, f.workers, slices.Clone(f.jumps)
	f.mu.Unlock()
	if states != nil {
		by := states()
		var list []*dto.Metric
		for _, state := range slices.Sorted(maps.Keys(by)) {
			list = append(list, value(float64(by[state]), pair("state", state)))
		}
		all = append(all, gauges("fleet_tenants", "Tenants of the configuration by state.", list...))
	}
	if workers != nil {
		w := workers()
		all = append(all,
			gauges("fleet_workers", "Tenants that can be exported at a time.", value(float64(w.All))),
			gauges("fleet_workers_busy", "Tenants that are being exported.", value(float64(w.Busy))),
			gauges("fleet_tenants_waiting", "Tenants that are due and wait for a worker.", value(float64(w.Waiting))))
	}
	clock := &dto.MetricFamily{
		Name: proto.String(prefix + "fleet_clock_jumps_total"), Type: dto.MetricType_COUNTER.Enum(),
		Help: proto.String("Changes of this machine's wall clock by two seconds or more; a suspension counts as forward."),
	}
	for _, j := range jumps {
		clock.Metric = append(clock.Metric, &dto.Metric{Label: []*dto.LabelPair{pair("direction", j.label)}, Counter: &dto.Counter{Value: &j.n}})
	}
	return append(all, clock)
}

// reload is whether the configuration of the fleet is in effect.
func (f *Fleet) reload() *dto.Metric {
	f.mu.Lock()
	defer f.mu.Unlock()
	return value(truth(f.reloaded))
}

func gauges(name, help string, list ...*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: proto.String(prefix + name), Help: proto.String(help), Type: dto.MetricType_GAUGE.Enum(), Metric: list}
}

func value(v float64, labels ...*dto.LabelPair) *dto.Metric {
	return &dto.Metric{Label: labels, Gauge: &dto.Gauge{Value: &v}}
}
