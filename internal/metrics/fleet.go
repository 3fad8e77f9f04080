package metrics

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Fleet is the metrics of many tenants: each series of a tenant has its name as the label
// tenant, and its Entra id as tenant_id. Series that count what is rare begin with the
// first event, and the duration of runs is that of all tables of a tenant. What is
// left is about 140 series of a tenant with nine tables.
type Fleet struct {
	version string
	process prometheus.Gatherer

	mu       sync.Mutex
	tenants  map[string]*Metrics
	states   func() map[string]int
	workers  func() Workers
	reloaded bool
	jumps    tally[string]
}

// Workers are those that export the tenants of a fleet.
type Workers struct {
	All, Busy int
	Waiting   int // tenants that wait for a worker
}

// NewFleet makes a fleet without tenants. The metrics of process have no tenant.
func NewFleet(version string, process prometheus.Gatherer) *Fleet {
	f := &Fleet{version: version, process: process, tenants: map[string]*Metrics{}, reloaded: true}
	for _, d := range directions {
		f.jumps.add(d, 0)
	}
	return f
}

// Tenant is the metrics of a tenant. They exist from now on.
func (f *Fleet) Tenant(name string) *Metrics {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.tenants[name]
	if m == nil {
		m = newMetrics(f.version)
		f.tenants[name] = m
	}
	return m
}

// Remove makes the series of a tenant vanish.
func (f *Fleet) Remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.tenants, name)
}

// Watch sets whom to ask for the number of tenants by state, and for the workers.
func (f *Fleet) Watch(states func() map[string]int, workers func() Workers) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.states, f.workers = states, workers
}

// Reloaded records whether a reload of the configuration of the fleet succeeded.
func (f *Fleet) Reloaded(ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reloaded = ok
}

// Jumped records a change of this machine's wall clock.
func (f *Fleet) Jumped(by time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jumps.add(direction(by), 1)
}

// Gather implements prometheus.Gatherer.
func (f *Fleet) Gather() (all []*dto.MetricFamily, err error) {
	err = f.each(func(family *dto.MetricFamily) error {
		all = append(all, family)
		return nil
	})
	return all, err
}

// each makes the families one after the other, so that only one has to be in memory.
func (f *Fleet) each(use func(*dto.MetricFamily) error) error {
	process, err := f.process.Gather()
	if err != nil {
		return err
	}
	for _, family := range append(process, f.own()...) {
		if err := use(family); err != nil {
			return err
		}
	}
	rows := f.rows(time.Now())
	known := pairs{}
	for _, family := range families {
		if family.alone {
			continue
		}
		made := gathered(family, rows, known)
		if family.name == prefix+"config_last_reload_successful" {
			made.Metric = append(made.Metric, f.reload())
		}
		if len(made.Metric) == 0 {
			continue
		}
		if err := use(made); err != nil {
			return err
		}
	}
	return nil
}

// row is a tenant while its families are made.
type row struct {
	*Metrics
	at     moment
	labels [len(namedLabels)]string
	shared [len(namedLabels)]*dto.LabelPair // nil: not known
}

// rows are the tenants, by name.
func (f *Fleet) rows(now time.Time) []row {
	f.mu.Lock()
	tenants := maps.Clone(f.tenants)
	f.mu.Unlock()
	rows := make([]row, 0, len(tenants))
	for name, m := range tenants {
		r := row{Metrics: m, at: m.at(now), labels: m.labels.Load().named(name)}
		for i, value := range r.labels {
			if value != "" {
				r.shared[i] = pair(namedLabels[i], value)
			}
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.labels[1], b.labels[1]) })
	return rows
}
