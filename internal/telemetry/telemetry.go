// Package telemetry sends metrics and traces by OTLP, as OpenTelemetry's
// standard OTEL_* variables say. Where none of them asks for it, nothing is
// sent. Metrics are those of the Prometheus registry; a trace is an export,
// with a span for each table's run and each answer of Defender.
package telemetry

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Lookup finds an environment variable.
type Lookup func(name string) (string, bool)

// Telemetry is what is sent. The zero value sends nothing.
type Telemetry struct {
	spans
	close []func(context.Context) error
}

// Start sends what the variables ask for, until Close.
func Start(ctx context.Context, env Lookup, version string, gather prometheus.Gatherer) (*Telemetry, error) {
	t := &Telemetry{spans: spans{tracer: noop.NewTracerProvider().Tracer("")}}
	traces, err := wanted(env, "TRACES")
	if err != nil {
		return nil, err
	}
	metrics, err := wanted(env, "METRICS")
	if err != nil {
		return nil, err
	}
	if !traces && !metrics {
		return t, nil
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", "tvmexport"), attribute.String("service.version", version)),
		resource.WithFromEnv(),
	)
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	if traces {
		to, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return nil, fmt.Errorf("OTEL_TRACES_EXPORTER: %w", err)
		}
		p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(to), sdktrace.WithResource(about))
		t.tracer, t.close = p.Tracer("github.com/tvmexport/tvmexport", trace.WithInstrumentationVersion(version)), append(t.close, p.Shutdown)
	}
	if metrics {
		autoexport.WithFallbackMetricProducer(func(context.Context) (metric.Producer, error) {
			return bridge.NewMetricProducer(bridge.WithGatherer(gather)), nil
		})
		to, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("OTEL_METRICS_EXPORTER: %w", err), t.Close(ctx))
		}
		t.close = append(t.close, metric.NewMeterProvider(metric.WithReader(to), metric.WithResource(about)).Shutdown)
	}
	return t, nil
}

// Close sends what is left.
func (t *Telemetry) Close(ctx context.Context) error {
	var errs []error
	for _, f := range t.close {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}
