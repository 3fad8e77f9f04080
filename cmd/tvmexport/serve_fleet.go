package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport/fleet"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/metrics"
	"github.com/tvmexport/tvmexport/internal/serve/server"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
	"github.com/tvmexport/tvmexport/internal/telemetry"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// fleetService is a serve of several tenants: a service for each of them, with its own
// schedule, and one page and one set of metrics for all.
type fleetService struct {
	process   *process
	flags     serveFlags
	log       *slog.Logger
	shares    *shares
	page      *statuspage.Fleet
	metrics   *metrics.Fleet
	telemetry *telemetry.Telemetry
	listen    config.Serve // in effect; it changes only with a restart
	names     selection    // of the command line

	mu      sync.Mutex // held while tenants come and go, and at the end while they end
	tenants map[string]*servedTenant
	ending  map[*servedTenant]struct{} // that are not served any more, and whose last export has not ended
	dropped sync.WaitGroup             // those that are ending

	quick    sync.Mutex // held for moments: by probes, and by tenants that are about to end
	services []*service // nil: the first ones have not come yet
	lastJump time.Time
}

// servedTenant is a tenant that is served.
type servedTenant struct {
	member  config.Member
	service *service // nil: its settings cannot be used
	stop    context.CancelFunc
	done    chan struct{} // closed when its last export has ended
}

// look is how often a folder of tenants is read again.
const look = 10 * time.Second

// serveFleet serves the tenants of the configuration until ctx ends.
func serveFleet(ctx context.Context, p *process, flags serveFlags) error {
	log, err := p.logger()
	if err != nil {
		return err
	}
	f := &fleetService{process: p, flags: flags, log: log, names: p.tenants, tenants: map[string]*servedTenant{}, ending: map[*servedTenant]struct{}{}}
	top, members, err := f.read()
	if err != nil {
		return err
	}
	f.listen = top.Serve
	f.shares = &shares{
		exports: fleet.NewPool(top.Fleet.Workers), reads: fleet.NewPool(top.Fleet.Workers),
		clients: wiring.NewClients(top.Fleet),
	}
	defer f.shares.clients.Close()
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f.metrics = metrics.NewFleet(version, reg)
	host, _ := os.Hostname() // "" is shown as nothing
	f.page = statuspage.NewFleet(statuspage.FleetSetup{Host: host, Version: version, Began: time.Now(), Workers: func() statuspage.Workers {
		all, busy, waiting := f.shares.exports.Load()
		return statuspage.Workers{All: all, Busy: busy, Waiting: waiting}
	}})
	f.metrics.Watch(f.page.Counts, func() metrics.Workers {
		all, busy, waiting := f.shares.exports.Load()
		return metrics.Workers{All: all, Busy: busy, Waiting: waiting}
	})
	if f.telemetry, err = telemetry.Start(ctx, telemetry.Lookup(p.env), version, f.metrics); err != nil {
		return usage(err)
	}
	defer flush(ctx, f.telemetry, log)
	page, err := statuspage.NewFleetHandler(f.page)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("GET /metrics", f.metrics)
	listen := listenOptions(top)
	listen.Handler, listen.Ready = mux, f.ready
	web, err := server.Open(ctx, listen, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "status page: %s\n", web.URL)
	log.InfoContext(ctx, "serving", "url", web.URL, "tenants", len(members), "workers", top.Fleet.Workers)

	open, shut := context.WithCancel(context.WithoutCancel(ctx))
	var g errgroup.Group
	g.Go(func() error {
		defer shut()
		f.adopt(ctx, members)
		f.watch(ctx, top.TenantsDir)
		f.page.Stopping()
		f.end()
		return context.Cause(ctx)
	})
	g.Go(func() error { return web.Serve(open, log) })
	return g.Wait()
}

// read reads the configuration and the tenants that it serves. Settings that only
// serve looks at are checked.
func (f *fleetService) read() (config.Config, []config.Member, error) {
	top, members, err := config.Load(f.process.configFile(), f.process.env)
	if err != nil {
		return top, nil, usage(err)
	}
	if !top.HasTenants() {
		return top, nil, usage(errors.New("the configuration has no tenants any more; restart serve to export one tenant"))
	}
	if err := exportsHere(top.Fleet); err != nil {
		return top, nil, err
	}
	if f.flags.listen != "" {
		top.Serve.Listen = f.flags.listen
	}
	if _, err := wiring.Timetable(top); err != nil {
		return top, nil, usage(err)
	}
	if members, err = f.names.of(members, allTenants); err != nil {
		return top, nil, usage(fmt.Errorf("serve: %w", err))
	}
	return top, members, listenOptions(top).Check()
}

// watch reads the configuration again at each SIGHUP, and whenever the folder of tenants
// has changed, until ctx ends.
func (f *fleetService) watch(ctx context.Context, folder string) {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	defer signal.Stop(hangUp)
	clock := time.NewTicker(look)
	defer clock.Stop()
	seen := listed(folder)
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-hangUp:
			asked = true
		case <-clock.C:
		}
		now := listed(folder) // before the files are read: what changes meanwhile is read the next time
		if asked || !slices.Equal(now, seen) {
			folder, seen = f.reload(ctx, asked, folder), now
		}
	}
}

// listed are the files of a folder with their sizes and times, as one can see them without
// reading them.
func listed(folder string) []string {
	if folder == "" {
		return nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, e := range entries {
		line := e.Name()
		if info, err := os.Stat(filepath.Join(folder, e.Name())); err == nil { // of what a link leads to
			line += fmt.Sprint(" ", info.Size(), info.ModTime().UnixNano())
		}
		out = append(out, line)
	}
	return out
}

// reload adopts the tenants of the configuration as it is now, and returns its folder of
// tenants. An invalid configuration has no effect.
func (f *fleetService) reload(ctx context.Context, asked bool, folder string) string {
	top, members, err := f.read()
	f.page.Reloaded(err)
	f.metrics.Reloaded(err == nil)
	if err != nil {
		f.log.ErrorContext(ctx, "the configuration was not reloaded; the old one stays in effect", "error", oneLine(err.Error()))
		return folder
	}
	if asked && fixedSettings(top.Serve) != fixedSettings(f.listen) {
		f.log.WarnContext(ctx, "serve.listen, its token and its certificates take effect only at the start; restart serve to change them")
	}
	f.log.InfoContext(ctx, "the configuration was reloaded", "tenants", len(members))
	f.adopt(ctx, members)
	return top.TenantsDir
}

// adopt begins to serve tenants that are new, gives the others their new settings, and ends
// those that are gone. A tenant whose settings cannot be used keeps those in effect.
func (f *fleetService) adopt(ctx context.Context, members []config.Member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.list()
	stay := map[string]bool{}
	for _, m := range members {
		stay[m.Name] = true
	}
	f.drop(func(name string) bool { return !stay[name] })
	for _, m := range members {
		t := f.tenants[m.Name]
		if t == nil {
			t = &servedTenant{}
			f.tenants[m.Name] = t
		}
		err := m.Err
		switch {
		case err != nil:
		case t.service == nil:
			err = f.start(ctx, t, m)
		case !reflect.DeepEqual(t.member, m):
			err = f.change(t, m)
		default: // the page may say that its settings could not be used
			f.page.Board(m.Name, setupOf(m), readerOf(t.service))
		}
		f.metrics.Tenant(m.Name).Reloaded(err == nil)
		if err != nil {
			f.page.Unreadable(m.Name, err)
			f.log.ErrorContext(ctx, "the settings of a tenant cannot be used", "tenant", m.Name, "error", oneLine(err.Error()))
		}
	}
}

// start begins to export a tenant.
func (f *fleetService) start(ctx context.Context, t *servedTenant, m config.Member) error {
	own := f.metrics.Tenant(m.Name)
	p := *f.process
	p.shared = f.shares.clients
	p.instrument = func(service string, c *http.Client) *http.Client {
		counted := *c
		counted.Transport = own.RoundTripper(service, c.Transport)
		return &counted
	}
	s := &service{
		process: &p, flags: f.flags, reloads: make(chan struct{}, 1), began: time.Now(), warned: map[string]bool{},
		shares: f.shares, metrics: own, telemetry: f.telemetry,
	}
	set, err := memberSetting(f.process, m)
	if err != nil {
		return err
	}
	s.log = f.log.With("tenant", m.Name)
	s.board = f.page.Board(m.Name, setupOf(m), readerOf(s))
	if err := s.useSetting(ctx, set); err != nil {
		return err
	}
	ctx, t.stop = context.WithCancel(ctx)
	t.member, t.service, t.done = m, s, make(chan struct{})
	before := f.endingBefore(m)
	go func() {
		defer close(t.done)
		for _, done := range before {
			<-done
		}
		loop := loopOf(ctx, s)
		loop.Jumped = f.jumped
		loop.Run(ctx)
		s.close()
	}()
	return nil
}

// change gives a tenant its new settings. They are in effect from its next decision on.
func (f *fleetService) change(t *servedTenant, m config.Member) error {
	s := t.service
	next, err := memberSetting(f.process, m) // the service's own process is its loop's
	if err != nil {
		return err
	}
	t.member = m
	f.page.Board(m.Name, setupOf(m), readerOf(s))
	s.adopt(next)
	return nil
}

// readerOf reads what the pages of a tenant show and its board does not keep.
func readerOf(s *service) statuspage.Reader {
	return statuspage.Reader{
		Runs:   func(ctx context.Context) (map[string][]statuspage.Run, error) { return runsOf(ctx, s) },
		Record: s.record,
	}
}

// setupOf is what the pages of a tenant say of its configuration.
func setupOf(m config.Member) statuspage.Setup {
	return statuspage.Setup{Cluster: m.Config.Kusto.Cluster, Database: m.Config.Kusto.Database, Tenant: m.Config.Auth.TenantID}
}

// drop ends the tenants that gone names, and takes them off the page. It does not wait for their
// last exports, which can take as long as the last commands of a run: the others go on meanwhile.
// The caller holds the lock.
func (f *fleetService) drop(gone func(name string) bool) {
	for name, t := range f.tenants {
		if !gone(name) {
			continue
		}
		f.page.Remove(name)
		f.metrics.Remove(name)
		delete(f.tenants, name)
		if t.service == nil {
			continue
		}
		t.stop()
		f.ending[t] = struct{}{}
		f.dropped.Go(func() {
			<-t.done
			f.log.Info("the tenant is not exported any more", "tenant", name)
			f.mu.Lock()
			defer f.mu.Unlock()
			delete(f.ending, t)
		})
	}
}

// endingBefore are the ends that a tenant waits for before it begins: of those that had its name, its
// database or its Entra tenant. So a tenant that is renamed, or that comes back, never runs twice.
// The caller holds the lock.
func (f *fleetService) endingBefore(m config.Member) []<-chan struct{} {
	var out []<-chan struct{}
	for t := range f.ending {
		old, c := t.member.Config, m.Config
		if t.member.Name == m.Name || old.Auth.TenantID == c.Auth.TenantID ||
			strings.EqualFold(old.Kusto.Cluster, c.Kusto.Cluster) && strings.EqualFold(old.Kusto.Database, c.Kusto.Database) {
			out = append(out, t.done)
		}
	}
	return out
}

// end waits for the last exports of all tenants. Their context has ended.
func (f *fleetService) end() {
	defer f.dropped.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tenants {
		if t.service != nil {
			t.stop()
			<-t.done
		}
	}
}

// list notes whose ledgers readiness depends on. The caller holds the lock.
func (f *fleetService) list() {
	services := []*service{}
	for _, t := range f.tenants {
		if t.service != nil {
			services = append(services, t.service)
		}
	}
	f.quick.Lock()
	defer f.quick.Unlock()
	f.services = services
}

// ready says why the program is not ready: no tenant's ledger can be read. One tenant
// whose cluster is down does not take the page of the others away.
func (f *fleetService) ready() error {
	f.quick.Lock()
	services := f.services
	f.quick.Unlock()
	if services == nil {
		return errStarting
	}
	var why error
	for _, s := range services {
		err := s.ready()
		if err == nil {
			return nil
		}
		why = err
	}
	return why
}

// jumped tells of a change of the clock once, although each tenant's loop notices it.
func (f *fleetService) jumped(by time.Duration) {
	f.quick.Lock()
	first := time.Since(f.lastJump) > time.Minute
	f.lastJump = time.Now()
	f.quick.Unlock()
	if first {
		f.log.Warn("the clock of this machine was changed, or the machine was suspended", "by", by)
		f.metrics.Jumped(by)
	}
}

// memberSetting makes a setting of the configuration of a tenant of a fleet. It checks
// what service.read checks.
func memberSetting(of *process, m config.Member) (*setting, error) {
	p := *of
	p.tenant = &m
	c, err := p.configuration()
	if err != nil {
		return nil, err
	}
	t, err := wiring.Timetable(c)
	if err != nil {
		return nil, usage(err)
	}
	if t.Jitter == 0 {
		t.Jitter = wiring.FleetJitter
	}
	return &setting{config: c, timetable: t, member: &m}, nil
}

// runsOf reads the newest runs of each table, for the pages of a tenant of a fleet.
func runsOf(ctx context.Context, s *service) (map[string][]statuspage.Run, error) {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	ledger, err := s.readLedger(ctx, shownRuns)
	if err != nil {
		return nil, err
	}
	list, _ := ledger.shown()
	out := map[string][]statuspage.Run{}
	for _, t := range list {
		out[t.Name] = t.Runs
	}
	return out, nil
}
