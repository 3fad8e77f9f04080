package telemetry_test

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"
)

// grpcCollector is an OTLP endpoint over gRPC, without TLS. It decodes the messages and remembers how many spans and
// metrics came.
type grpcCollector struct {
	mu             sync.Mutex
	spans, metrics int
	wrong          []string
}

func (c *grpcCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	// A message of gRPC: a byte for the compression, four for the length, the message.
	if err != nil || len(body) < 5 || body[0] != 0 || int(binary.BigEndian.Uint32(body[1:])) != len(body)-5 {
		c.wrong = append(c.wrong, r.URL.Path+": not one message")
		return
	}
	var traces tracepb
	var metrics metricspb
	switch {
	case strings.HasSuffix(r.URL.Path, "TraceService/Export") && proto.Unmarshal(body[5:], &traces) == nil:
		for _, rs := range traces.ResourceSpans {
			for _, s := range rs.ScopeSpans {
				c.spans += len(s.Spans)
			}
		}
	case strings.HasSuffix(r.URL.Path, "MetricsService/Export") && proto.Unmarshal(body[5:], &metrics) == nil:
		for _, rm := range metrics.ResourceMetrics {
			for _, s := range rm.ScopeMetrics {
				c.metrics += len(s.Metrics)
			}
		}
	default:
		c.wrong = append(c.wrong, r.URL.Path)
	}
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	_, _ = w.Write(make([]byte, 5)) // an empty message; the exporter reports a failure of the call
	w.Header().Set("Grpc-Status", "0")
}

// OTEL_EXPORTER_OTLP_PROTOCOL selects gRPC for both signals.
func TestGRPC(t *testing.T) {
	c := &grpcCollector{}
	s := httptest.NewUnstartedServer(c)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	defer s.Close()
	play(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
	if c.spans != 4 || c.metrics != 1 || len(c.wrong) > 0 {
		t.Errorf("%d spans and %d metrics came, wrong %v; want 4 and 1", c.spans, c.metrics, c.wrong)
	}
}

// The protocol defaults to http/protobuf, and a signal can have a protocol and an endpoint of its own.
func TestProtocols(t *testing.T) {
	over := &collector{}
	s := httptest.NewServer(over)
	defer s.Close()
	for name, env := range map[string]map[string]string{
		"default": {"OTEL_EXPORTER_OTLP_ENDPOINT": s.URL},
		"by signal": {
			"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": s.URL + "/v1/traces",
		},
		"by exporter": {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": s.URL + "/v1/traces"},
	} {
		t.Run(name, func(t *testing.T) {
			over.spans = nil
			play(t, env)
			if slices.Sort(over.spans); len(over.spans) != 4 {
				t.Errorf("spans %v, want 4", over.spans)
			}
		})
	}
}
