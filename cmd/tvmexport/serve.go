package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport/internal/metrics"
	"github.com/tvmexport/tvmexport/internal/serve/schedule"
	"github.com/tvmexport/tvmexport/internal/serve/server"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
	"github.com/tvmexport/tvmexport/internal/telemetry"
)

type serveFlags struct {
	listen  string
	maxWait time.Duration
}

func (p *process) serveCommand() *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Export on a schedule, with a status page and metrics",
		Long: `serve exports the active tables on a schedule (schedule, serve.schedules) until it
is stopped. Exports never overlap. A missed schedule is logged, counted and shown.
One run catches up on all schedules that a table missed, also after downtime: the
ledger records the last export of each table.

The address serve.listen offers a status page (/), Prometheus metrics (/metrics),
and health endpoints: alive (/healthz) and ready (/readyz). All pages are
read-only. Any address other than loopback requires a token (TVMEXPORT_SERVE_TOKEN
or TVMEXPORT_SERVE_TOKEN_FILE; browsers send it as the password) or a client
certificate (serve.client_ca).

SIGHUP reloads the configuration; an invalid one has no effect. SIGTERM stops a
running export; the next one resumes it. OTEL_* variables enable metrics and traces
over OTLP.`,
		Example: "  tvmexport serve\n  TVMEXPORT_SERVE_TOKEN_FILE=/run/secrets/token tvmexport serve --listen 0.0.0.0:9464\n  kill -HUP $(pidof tvmexport)",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("log-level") {
				p.flags.logLevel = "info"
			}
			_, several, err := selected(p, c, allTenants)
			switch {
			case err != nil:
				return err
			case several:
				return serveFleet(c.Context(), p, f)
			}
			return p.serve(c.Context(), f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.listen, "listen", "", "`address` of status page and metrics (default: serve.listen, which defaults to 127.0.0.1:9464)")
	tenantFlags(p, c, allTenants)
	flags.DurationVar(&f.maxWait, "max-wait", time.Hour, "give up an export after waiting this long for quota; landed batches are kept for the next export")
	return c
}

func (p *process) serve(ctx context.Context, f serveFlags) error {
	log, err := p.logger()
	if err != nil {
		return err
	}
	s := &service{process: p, flags: f, log: log, reloads: make(chan struct{}, 1), began: time.Now(), warned: map[string]bool{}}
	first, err := s.read()
	if err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.metrics = metrics.New(reg, version)
	p.instrument = func(service string, c *http.Client) *http.Client {
		counted := *c
		counted.Transport = s.metrics.RoundTripper(service, c.Transport)
		return &counted
	}
	host, _ := os.Hostname() // "" is shown as nothing
	s.board = statuspage.NewBoard(statuspage.Setup{
		Host: host, Version: version, Cluster: first.config.Kusto.Cluster, Database: first.config.Kusto.Database, Began: time.Now(),
	})
	gather := s.metrics.Labelled(reg)
	if s.telemetry, err = telemetry.Start(ctx, telemetry.Lookup(p.env), version, gather); err != nil {
		return usage(err)
	}
	defer flush(ctx, s.telemetry, log)
	if err := s.useSetting(ctx, first); err != nil {
		return err
	}
	defer s.close()
	return s.run(ctx, gather, log)
}

// run serves and exports until ctx ends. The page stays until the last export
// has ended.
func (s *service) run(ctx context.Context, gather prometheus.Gatherer, log *slog.Logger) error {
	page, err := statuspage.NewHandler(s.board, s.record)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("GET /metrics", promhttp.HandlerFor(gather, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	listen := s.listening()
	listen.Handler, listen.Ready = mux, s.ready
	web, err := server.Open(ctx, listen, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.process.stdout, "status page: %s\n", web.URL)
	log.InfoContext(ctx, "serving", "url", web.URL, "schedule", s.now().config.Schedule)

	open, shut := context.WithCancel(context.WithoutCancel(ctx))
	var g errgroup.Group
	g.Go(func() error {
		defer shut()
		defer s.reloadOnHangUp(ctx)()
		loopOf(ctx, s).Run(ctx)
		s.board.Stopping()
		return context.Cause(ctx)
	})
	g.Go(func() error { return web.Serve(open, log) })
	return g.Wait()
}

// loopOf carries out the timetable of the service.
func loopOf(ctx context.Context, s *service) *schedule.Loop {
	return &schedule.Loop{
		Timetable: func() schedule.Timetable { return s.timetable(ctx) },
		Tables:    s.tables, Export: s.export, Missed: s.missed, Decided: s.decided,
		Jumped: s.jumped, Ahead: s.ahead,
		Changed: s.reloads, Refresh: s.now().config.Serve.Refresh,
	}
}

// flush sends the last metrics and traces; an endpoint that is away does not
// keep the program from ending.
func flush(ctx context.Context, t *telemetry.Telemetry, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := t.Close(ctx); err != nil {
		log.WarnContext(ctx, "the last metrics or traces could not be sent", "error", oneLine(err.Error()))
	}
}

// reloadOnHangUp reloads at each SIGHUP until the returned function is called.
func (s *service) reloadOnHangUp(ctx context.Context) (stop func()) {
	incoming, done, ended := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(incoming, syscall.SIGHUP)
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-incoming:
				s.reload(ctx)
			}
		}
	}()
	return func() {
		signal.Stop(incoming)
		close(done)
		<-ended
	}
}
