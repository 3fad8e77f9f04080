package telemetry_test

import (
	"net"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tvmexport/tvmexport/internal/telemetry"
)

// start starts the telemetry with variables, which it sets: OpenTelemetry reads
// them from the process.
func start(t *testing.T, env map[string]string) (*telemetry.Telemetry, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	return telemetry.Start(t.Context(), func(name string) (string, bool) { v, ok := env[name]; return v, ok }, "test", prometheus.NewRegistry())
}

// TestPrometheusOpensNoServer holds the port on which OpenTelemetry's exporter
// would listen: serve has the same default.
func TestPrometheusOpensNoServer(t *testing.T) {
	held, err := net.Listen("tcp", "localhost:9464")
	if err == nil {
		defer held.Close()
	} // else another process holds it, which serves the test as well
	tel, err := start(t, map[string]string{"OTEL_METRICS_EXPORTER": "prometheus"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tel.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestExporterVariables(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string // in the error
	}{
		"a port of its own":     {map[string]string{"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": "9465"}, `OTEL_EXPORTER_PROMETHEUS_PORT is "9465"`},
		"a host of its own":     {map[string]string{"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_HOST": "0.0.0.0"}, "set serve.listen instead"},
		"two exporters":         {map[string]string{"OTEL_METRICS_EXPORTER": "otlp,prometheus"}, "leave out prometheus"},
		"unknown":               {map[string]string{"OTEL_METRICS_EXPORTER": "statsd"}, `OTEL_METRICS_EXPORTER is "statsd"; it must be one of otlp, console, prometheus, none`},
		"traces by Prometheus":  {map[string]string{"OTEL_TRACES_EXPORTER": "prometheus"}, `OTEL_TRACES_EXPORTER is "prometheus"; it must be one of otlp, console, none`},
		"disabled":              {map[string]string{"OTEL_METRICS_EXPORTER": "statsd", "OTEL_SDK_DISABLED": "true"}, ""},
		"a port, and no server": {map[string]string{"OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_PROMETHEUS_PORT": "9465"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(t, c.env)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want an error with %s", err, c.want)
			}
		})
	}
}
