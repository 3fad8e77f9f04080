package telemetry

import (
	"fmt"
	"slices"
	"strings"
)

// exporters are the values of OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER.
var exporters = map[string][]string{
	"TRACES":  {"otlp", "console", "none"},
	"METRICS": {"otlp", "console", "prometheus", "none"},
}

// wanted says whether a signal is sent: the variables name its exporter or an
// endpoint. Prometheus is not sent to: serve offers the same metrics at
// /metrics of its own address. The exporter of OpenTelemetry would open a second
// server, by default on the same port.
func wanted(env Lookup, signal string) (bool, error) {
	value := func(name string) string { v, _ := env(name); return strings.TrimSpace(v) }
	if strings.EqualFold(value("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	variable := "OTEL_" + signal + "_EXPORTER"
	switch name := value(variable); {
	case name == "":
		return value("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || value("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != "", nil
	case !slices.Contains(exporters[signal], name):
		err := fmt.Errorf("%s is %q; it must be one of %s", variable, name, strings.Join(exporters[signal], ", "))
		if signal == "METRICS" && strings.Contains(name, "prometheus") {
			err = fmt.Errorf("%w; leave out prometheus: serve always offers Prometheus metrics at /metrics of serve.listen", err)
		}
		return false, err
	case name == "prometheus":
		for _, own := range []string{"OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_PORT"} {
			if at := value(own); at != "" {
				return false, fmt.Errorf("%s is %q, but serve offers Prometheus metrics at /metrics of serve.listen; set serve.listen instead", own, at)
			}
		}
		return false, nil
	default:
		return name != "none", nil
	}
}
