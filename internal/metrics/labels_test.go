package metrics_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tvmexport/tvmexport/internal/metrics"
)

func TestWithLabels(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := metrics.New(reg, "v1")
	m.Known("T", 1, time.Now())
	own := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "own", Help: "Has a label of that name."}, []string{"tenant"})
	own.WithLabelValues("mine").Set(1)
	reg.MustRegister(own)
	g := m.Labelled(reg)

	seen := func() map[string]string {
		t.Helper()
		families, err := g.Gather()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, f := range families {
			for _, metric := range f.Metric {
				out[f.GetName()] = labels(metric)
			}
		}
		return out
	}
	for _, tt := range []struct {
		labels               metrics.Labels
		build, rows, success string
		own                  string
	}{
		{metrics.Labels{}, " version=v1", " table=T", "", " tenant=mine"},
		{metrics.Labels{Database: "d"}, " database=d version=v1", " database=d table=T", " database=d", " database=d tenant=mine"},
		{metrics.Labels{Tenant: "x", Database: "d"}, " database=d tenant=x version=v1", " database=d table=T tenant=x", " database=d tenant=x", " database=d tenant=mine"},
		{metrics.Labels{Tenant: "y", Database: "e"}, " database=e tenant=y version=v1", " database=e table=T tenant=y", " database=e tenant=y", " database=e tenant=mine"},
	} {
		m.Label(tt.labels)
		got := seen()
		for name, want := range map[string]string{
			"tvmexport_build_info": tt.build, "tvmexport_table_last_commit_rows": tt.rows, "tvmexport_last_success_timestamp_seconds": tt.success, "own": tt.own,
		} {
			if got[name] != want {
				t.Errorf("%+v: %s has the labels %q, want %q", tt.labels, name, got[name], want)
			}
		}
	}
}
