package metrics

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// gathered is a family with the series of all tenants.
func gathered(f family, rows []row, known pairs) *dto.MetricFamily {
	out := &dto.MetricFamily{Name: proto.String(f.name), Help: proto.String(f.help), Type: f.kind.Enum()}
	places := placesOf(f.labels)
	for i := range rows {
		r := &rows[i]
		add := func(m *dto.Metric, values []string) {
			m.Label = make([]*dto.LabelPair, 0, len(places))
			for _, p := range places {
				switch {
				case p.own >= 0:
					m.Label = append(m.Label, known.get(f.labels[p.own], values[p.own]))
				case r.shared[p.shared] != nil:
					m.Label = append(m.Label, r.shared[p.shared])
				}
			}
			out.Metric = append(out.Metric, m)
		}
		r.change(func() {
			if f.hist != nil {
				f.hist(r.Metrics, func(h histogram, values ...string) { add(&dto.Metric{Histogram: h.dto(r.created)}, values) })
				return
			}
			since := timestamppb.New(r.created)
			f.each(r.Metrics, r.at, func(v float64, values ...string) {
				switch {
				case f.kind == dto.MetricType_GAUGE:
					add(&dto.Metric{Gauge: &dto.Gauge{Value: &v}}, values)
				case v != 0 || !f.rare:
					add(&dto.Metric{Counter: &dto.Counter{Value: &v, CreatedTimestamp: since}}, values)
				}
			})
		})
	}
	return out
}

// place is a label: one of the family's own, or one of those that all series of a
// tenant share.
type place struct{ own, shared int }

// placesOf are the labels of a family's series, by name.
func placesOf(own []string) (list []place) {
	names := map[place]string{}
	for i, name := range own {
		names[place{own: i}] = name
	}
	for i, name := range namedLabels {
		if !slices.Contains(own, name) {
			names[place{own: -1, shared: i}] = name
		}
	}
	for p := range names {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b place) int { return strings.Compare(names[a], names[b]) })
	return list
}

// pairs are labels by value: those of nine tables are the same in all tenants.
type pairs map[[2]string]*dto.LabelPair

func (k pairs) get(name, value string) *dto.LabelPair {
	key := [2]string{name, value}
	p := k[key]
	if p == nil {
		p = pair(name, value)
		k[key] = p
	}
	return p
}

func pair(name, value string) *dto.LabelPair {
	return &dto.LabelPair{Name: proto.String(name), Value: proto.String(value)}
}
