package metrics_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/jsonnames"
	"github.com/tvmexport/tvmexport/internal/metrics"
)

// Dashboards and alerts of users name these metrics, labels and words.
func TestMetricNames(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := metrics.New(reg, "v1")
	h := m.Hooks()
	run := tvmexport.Run{ID: "R1", Table: tvmexport.Table{Name: "T"}}
	h.Started(run)
	h.Fetched(run, tvmexport.Slice{}, tvmexport.Answer{Unread: []tvmexport.Unread{{Column: "C", Values: 1}}})
	h.Committed(run, 1)
	h.Retrying(run, "fetch", time.Second, errors.New("cut"))
	m.Missed("T", "down", 1)
	m.Quota(func() metrics.Quota { return metrics.Quota{} })
	answers := m.RoundTripper("defender", roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("cut") }))
	if _, err := answers.RoundTrip(nil); err == nil {
		t.Fatal("the call succeeds")
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range families {
		lines = append(lines, fmt.Sprintf("%s %s", f.GetName(), f.GetType()))
		for _, metric := range f.GetMetric() {
			lines = append(lines, f.GetName()+labels(metric))
			for _, b := range metric.GetHistogram().GetBucket() {
				lines = append(lines, fmt.Sprintf("%s le=%v", f.GetName(), b.GetUpperBound()))
			}
		}
	}
	jsonnames.Kept(t, "metric_names", lines)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func labels(m *dto.Metric) string {
	out := ""
	for _, l := range m.GetLabel() {
		out += fmt.Sprintf(" %s=%s", l.GetName(), l.GetValue())
	}
	return out
}
