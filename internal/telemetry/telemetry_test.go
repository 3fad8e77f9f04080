package telemetry_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	v1metrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	v1trace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/telemetry"
)

// collector is an OTLP endpoint that remembers names.
type collector struct {
	mu      sync.Mutex
	spans   []string // "name" or "name!" where it failed
	metrics []string
	service []string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r.URL.Path {
	case "/v1/traces":
		var m tracepb
		if proto.Unmarshal(body, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, rs := range m.ResourceSpans {
			for _, a := range rs.Resource.Attributes {
				if a.Key == "service.name" {
					c.service = append(c.service, a.Value.GetStringValue())
				}
			}
			for _, s := range rs.ScopeSpans {
				for _, span := range s.Spans {
					name := span.Name
					if span.Status.GetCode() == 2 {
						name += "!"
					}
					c.spans = append(c.spans, name)
				}
			}
		}
	case "/v1/metrics":
		var m metricspb
		if proto.Unmarshal(body, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, rm := range m.ResourceMetrics {
			for _, s := range rm.ScopeMetrics {
				for _, one := range s.Metrics {
					c.metrics = append(c.metrics, one.Name)
				}
			}
		}
	}
}

type (
	tracepb   = v1trace.ExportTraceServiceRequest
	metricspb = v1metrics.ExportMetricsServiceRequest
)

func play(t *testing.T, env map[string]string) {
	t.Helper()
	for k, v := range env {
		t.Setenv(k, v)
	}
	reg := prometheus.NewRegistry()
	rows := prometheus.NewCounter(prometheus.CounterOpts{Name: "tvmexport_rows_committed_total"})
	reg.MustRegister(rows)
	rows.Add(7)
	s, err := telemetry.Start(t.Context(), func(name string) (string, bool) { v, ok := env[name]; return v, ok }, "v1", reg)
	if err != nil {
		t.Fatal(err)
	}
	end := s.Export(t.Context(), []string{"A", "B"})
	h := s.Hooks()
	a := tvmexport.Run{ID: "R1", Table: tvmexport.Table{Name: "A"}}
	b := tvmexport.Run{ID: "R2", Table: tvmexport.Table{Name: "B"}}
	h.Started(a)
	h.Started(b)
	h.Fetched(a, tvmexport.Slice{}, tvmexport.Answer{Rows: 7, Request: "id"})
	h.Committed(a, 7)
	h.Failed("B", b.ID, errors.New("no"))
	h.Failed("C", "", errors.New("never began"))
	end(1, nil)
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSends(t *testing.T) {
	c := &collector{}
	s := httptest.NewServer(c)
	defer s.Close()
	play(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"})
	slices.Sort(c.spans)
	if want := []string{"export", "fetch", "run A", "run B!"}; !slices.Equal(c.spans, want) {
		t.Errorf("spans %v, want %v", c.spans, want)
	}
	if !slices.Contains(c.metrics, "tvmexport_rows_committed_total") || !slices.Contains(c.service, "tvmexport") {
		t.Errorf("metrics %v of %v", c.metrics, c.service)
	}
}

func TestSendsNothing(t *testing.T) {
	c := &collector{}
	s := httptest.NewServer(c)
	defer s.Close()
	for _, env := range []map[string]string{
		{},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
	} {
		play(t, env)
	}
	if len(c.spans)+len(c.metrics) > 0 {
		t.Errorf("sent %v and %v", c.spans, c.metrics)
	}
}

func TestTracesAlone(t *testing.T) {
	c := &collector{}
	s := httptest.NewServer(c)
	defer s.Close()
	play(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": s.URL + "/v1/traces", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"})
	if len(c.spans) != 4 || len(c.metrics) > 0 {
		t.Errorf("sent %v and %v", c.spans, c.metrics)
	}
}

func TestMistakes(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "nonsense")
	_, err := telemetry.Start(t.Context(), func(name string) (string, bool) { return "nonsense", name == "OTEL_TRACES_EXPORTER" }, "v1", prometheus.NewRegistry())
	if err == nil {
		t.Error("an exporter that is none is taken")
	}
}
