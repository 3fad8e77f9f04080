package metrics

import "strings"

// Description says what a metric is, for documentation.
type Description struct {
	Name, Help, Kind string
	Labels           []string // of its own; all metrics but those of the fleet also have [SharedLabels]
	Single, Fleet    bool     // whether a process with one tenant has it, and one with many
}

// SharedLabels are the labels that each metric of a tenant has.
func SharedLabels() []string { return namedLabels[:] }

// Descriptions are all metrics: those of a tenant, then those of a fleet itself.
func Descriptions() []Description {
	var out []Description
	for _, f := range families {
		out = append(out, Description{
			Name: f.name, Help: f.help, Kind: strings.ToLower(f.kind.String()), Labels: f.labels,
			Single: !f.inFleet, Fleet: !f.alone,
		})
	}
	fleet := NewFleet("", nil)
	fleet.Watch(func() map[string]int { return map[string]int{"": 0} }, func() Workers { return Workers{} })
	for _, f := range fleet.own() {
		d := Description{Name: f.GetName(), Help: f.GetHelp(), Kind: strings.ToLower(f.GetType().String()), Fleet: true}
		for _, l := range f.GetMetric()[0].GetLabel() {
			d.Labels = append(d.Labels, l.GetName())
		}
		out = append(out, d)
	}
	return out
}
