package metrics

import (
	"cmp"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// Labels are on every metric of an exporter. An empty one is left out.
type Labels struct {
	Tenant   string // as configured; where it is not, the id that the token names
	Database string
}

// named are the labels of a tenant of a fleet: its name is the tenant, and what the
// only tenant of an exporter has as its name is its id.
func (l *Labels) named(name string) [3]string {
	if l == nil {
		return [3]string{"", name, ""}
	}
	return [3]string{l.Database, name, l.Tenant}
}

// namedLabels are the names of what named returns.
var namedLabels = [3]string{"database", "tenant", "tenant_id"}

// Label sets the labels from now on: a reload can change them.
func (m *Metrics) Label(l Labels) { m.labels.Store(&l) }

// Labelled returns a gatherer whose metrics carry the labels. A metric's own label
// of the same name stays.
func (m *Metrics) Labelled(g prometheus.Gatherer) prometheus.Gatherer {
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		families, err := g.Gather()
		more := m.labels.Load().pairs()
		for _, f := range families {
			for _, m := range f.Metric {
				m.Label = joinLabels(m.Label, more)
			}
		}
		return families, err
	})
}

func (l *Labels) pairs() []*dto.LabelPair {
	if l == nil {
		return nil
	}
	var out []*dto.LabelPair
	for _, p := range [][2]string{{"database", l.Database}, {"tenant", l.Tenant}} {
		if p[1] != "" {
			out = append(out, &dto.LabelPair{Name: proto.String(p[0]), Value: proto.String(p[1])})
		}
	}
	return out
}

// joinLabels returns both lists in one, by name. The registry shares own with other
// answers, so it is not changed.
func joinLabels(own, more []*dto.LabelPair) []*dto.LabelPair {
	out := slices.Clone(own)
	for _, p := range more {
		if !slices.ContainsFunc(own, func(o *dto.LabelPair) bool { return o.GetName() == p.GetName() }) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return out
}
