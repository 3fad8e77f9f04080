package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/metrics"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/internal/serve/schedule"
	"github.com/tvmexport/tvmexport/internal/serve/server"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
	"github.com/tvmexport/tvmexport/internal/telemetry"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// service is a serve under way.
type service struct {
	process   *process
	flags     serveFlags
	log       *slog.Logger
	board     *statuspage.Board
	metrics   *metrics.Metrics
	telemetry *telemetry.Telemetry
	reloads   chan struct{} // wakes the loop

	mu      sync.Mutex
	waiting *setting // read by a reload, in use from the next decision on
	unread  error    // why the ledger could not be read
	hasRead bool     // the ledger was read once

	began  time.Time
	warned map[string]bool // schedules without a table
	shares *shares         // with other tenants; nil: there are none
	tenant string          // that the source signed in to last

	use sync.RWMutex // who uses the setting's parts holds it for reading
	set *setting
}

// setting is a configuration with what is made of it.
type setting struct {
	config    config.Config
	timetable schedule.Timetable
	parts     *parts         // nil in a fleet, where they are open while they are used
	member    *config.Member // of a fleet, whose process works for it
}

// borrow opens the parts of a setting, or lends those that are open. The caller gives
// them back.
func (s *service) borrow(ctx context.Context, from *setting) (x *parts, giveBack func(), err error) {
	if from.parts != nil {
		return from.parts, func() {}, nil
	}
	x, err = s.process.open(ctx, from.config)
	if err != nil {
		return nil, nil, err
	}
	return x, x.Close, nil // no request is running
}

// read reads the configuration and checks what only serve looks at.
func (s *service) read() (*setting, error) {
	c, err := s.process.configuration()
	if err != nil {
		return nil, err
	}
	if s.flags.listen != "" {
		c.Serve.Listen = s.flags.listen
	}
	t, err := wiring.Timetable(c)
	if err != nil {
		return nil, usage(err)
	}
	return &setting{config: c, timetable: t}, listenOptions(c).Check()
}

func listenOptions(c config.Config) server.Options {
	return server.Options{
		Listen: c.Serve.Listen, Token: string(c.Serve.Token),
		Certificate: c.Serve.Certificate, Key: c.Serve.Key, ClientCA: c.Serve.ClientCA,
	}
}

// fixedSettings is what cannot change while the program listens.
func fixedSettings(c config.Serve) [5]string {
	return [5]string{c.Listen, string(c.Token), c.Certificate, c.Key, c.ClientCA}
}

func (s *service) listening() server.Options { return listenOptions(s.now().config) }

// now is the setting in use.
func (s *service) now() *setting {
	s.use.RLock()
	defer s.use.RUnlock()
	return s.set
}

// useSetting puts a setting to use and closes what the old one had open.
func (s *service) useSetting(ctx context.Context, next *setting) error {
	if s.shares == nil {
		x, err := s.process.open(ctx, next.config)
		if err != nil {
			return err
		}
		next.parts = x
	}
	s.use.Lock()
	defer s.use.Unlock()
	if s.set == nil || s.set.config.Auth != next.config.Auth {
		s.tenant = ""
	}
	s.label(next)
	s.closeParts() // nothing is under way
	s.set = next
	if next.member != nil { // of a fleet, where the process belongs to the loop; else a reload reads it meanwhile
		s.process.tenant = next.member
	}
	return nil
}

// closeParts closes what the setting in use has open. The caller holds the lock.
func (s *service) closeParts() {
	if s.set != nil && s.set.parts != nil {
		s.set.parts.Close()
	}
}

// label names tenant and database on the metrics. The tenant is the configured one;
// where none is, it is known once the source has signed in.
func (s *service) label(now *setting) {
	named, _ := s.process.env("AZURE_TENANT_ID")
	tenant := cmp.Or(now.config.Auth.TenantID, named, s.tenant)
	s.metrics.Label(metrics.Labels{Tenant: tenant, Database: now.config.Kusto.Database})
}

func (s *service) close() {
	s.use.Lock()
	defer s.use.Unlock()
	s.closeParts() // at the end of the program, or of the tenant
}

// reload reads the configuration again. An invalid one has no effect.
func (s *service) reload(ctx context.Context) {
	next, err := s.read()
	s.reloaded(ctx, err)
	if err != nil {
		return
	}
	if fixedSettings(next.config.Serve) != fixedSettings(s.now().config.Serve) {
		s.log.WarnContext(ctx, "serve.listen, its token and its certificates take effect only at the start; restart serve to change them")
	}
	s.adopt(next)
}

// adopt puts a setting into effect at the next decision.
func (s *service) adopt(next *setting) {
	s.mu.Lock()
	s.waiting = next
	s.mu.Unlock()
	select {
	case s.reloads <- struct{}{}:
	default: // the loop will look anyway
	}
}

func (s *service) reloaded(ctx context.Context, err error) {
	s.board.Reloaded(err)
	s.metrics.Reloaded(err == nil)
	if err != nil {
		s.log.ErrorContext(ctx, "the configuration was not reloaded; the old one stays in effect", "error", oneLine(err.Error()))
		return
	}
	s.log.InfoContext(ctx, "the configuration was reloaded")
}

// timetable is the one in use. Between two decisions nothing is under way, so
// that here a new configuration takes the place of the old one.
func (s *service) timetable(ctx context.Context) schedule.Timetable {
	s.mu.Lock()
	next := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	if next != nil {
		if err := s.useSetting(ctx, next); err != nil {
			s.reloaded(ctx, err)
		}
	}
	return s.now().timetable
}

// missed makes a record of scheduled times at which no run began.
func (s *service) missed(m schedule.Missed) {
	s.log.Warn("missed a schedule", "table", m.Table, "times", m.Count, "first", m.First, "last", m.Last, "reason", string(m.Reason), "made_up", m.MadeUp)
	s.metrics.Missed(m.Table, string(m.Reason), m.Count)
	s.board.Missed(statuspage.Missed{Table: m.Table, Count: m.Count, First: m.First, Last: m.Last, Reason: reasons[m.Reason], MadeUp: m.MadeUp})
}

// reasons are what the status page says of them.
var reasons = map[schedule.Reason]string{
	schedule.Down:   "tvmexport serve was not running",
	schedule.Busy:   "another export was still running",
	schedule.Asleep: "the machine was suspended, or its clock was set forward",
	schedule.Held:   "another exporter held the lease",
	schedule.Reload: "the schedule was changed before its turn",
}

func (s *service) decided(d schedule.Decision) {
	t, now := s.now().timetable, time.Now()
	for _, table := range d.Due {
		s.log.Info("due", "table", table, "since", d.Fires[table])
	}
	s.board.Scheduled(func(table string) (string, time.Time, time.Duration) {
		own, next := t.For(table), d.Next[table]
		if next.IsZero() {
			return own.String(), next, 0
		}
		following := own.Next(now)
		return own.String(), next, own.Next(following).Sub(following)
	})
}

// export exports tables. It returns those whose lease others hold.
func (s *service) export(ctx context.Context, tables []string) (held []string) {
	if s.shares != nil {
		s.board.Queued(time.Now())
		if s.shares.exports.Enter(ctx) != nil { // the tenant or the program ends
			s.board.Queued(time.Time{})
			return nil
		}
		defer s.shares.exports.Leave()
	}
	s.log.InfoContext(ctx, "exporting", "tables", tables)
	s.board.Exporting(tables)
	defer s.board.Exporting(nil)
	began, end := time.Now(), s.telemetry.Export(ctx, tables)
	report, err := s.exportNow(ctx, tables)
	if err != nil {
		s.log.ErrorContext(ctx, "export", "error", oneLine(advise(err).Error()))
	}
	for _, o := range report.Outcomes {
		if tvmexport.CauseOf(o.Err) == tvmexport.LeaseHeld {
			held = append(held, o.Table.Name)
		}
	}
	failed := s.failures(ctx, tables, report, err)
	end(failed, err)
	s.log.InfoContext(ctx, "exported", "tables", len(tables), "failed", failed, "took", time.Since(began))
	if ctx.Err() == nil {
		_, _ = s.tables(ctx) // it says itself what went wrong
	}
	return held
}

// failures counts the tables that were not exported: all of them where the
// export ended before it had outcomes. Tables that were switched off since they
// were scheduled have none, and have not failed.
func (s *service) failures(ctx context.Context, tables []string, r engine.Report, err error) int {
	if err != nil && len(r.Outcomes) == 0 {
		return len(tables)
	}
	failed, seen := 0, map[string]bool{}
	for _, o := range r.Outcomes {
		seen[o.Table.Name] = true
		if o.Err != nil {
			failed++
		}
	}
	for _, table := range tables {
		if !seen[table] {
			s.log.InfoContext(ctx, "not exported: the table was deactivated after it was scheduled", "table", table)
		}
	}
	return failed
}

func (s *service) exportNow(ctx context.Context, tables []string) (engine.Report, error) {
	var source *hunting.Client
	var exporter *engine.Exporter
	var report engine.Report
	l := &listener{service: s, ctx: ctx}
	x, giveBack, err := s.borrow(ctx, s.now())
	if err == nil {
		defer giveBack()
		l.parts = x
		source, exporter, err = (&session{parts: x, process: s.process, printer: l}).signInOrFail(ctx, s.flags.maxWait)
	}
	if err == nil {
		if source != nil {
			s.showQuota(x.Tenant, source)
		}
		report, err = exporter.Run(ctx, engine.Request{Tables: tables, ActiveOnly: true})
	}
	if err != nil && len(report.Outcomes) == 0 { // no table has begun: the page and the metrics learn of it here
		for _, table := range tables {
			l.Hooks().Failed(table, "", err)
		}
	}
	return report, err
}

// showQuota shows whose data is exported, and what is left of the tenant's quota.
func (s *service) showQuota(tenant string, source *hunting.Client) {
	s.board.Tenant(tenant)
	s.tenant = tenant
	s.label(s.now())
	s.board.Quota(func() *statuspage.Quota {
		u := source.Usage()
		return &statuspage.Quota{Minute: u.Minute, PerMinute: u.Quota.PerMinute, Hour: u.Hour, PerHour: u.Quota.PerHour, At: time.Now()}
	})
	s.metrics.Quota(func() metrics.Quota {
		u := source.Usage()
		return metrics.Quota{Minute: u.Minute, PerMinute: u.Quota.PerMinute, Hour: u.Hour, PerHour: u.Quota.PerHour, PausedUntil: u.Paused}
	})
}

// listener tells the page, the metrics and the log what an export does.
type listener struct {
	service *service
	ctx     context.Context
	parts   *parts // nil: they could not be opened
}

// Hooks implements progress.Printer.
func (l *listener) Hooks() tvmexport.Hooks {
	log := l.service.log
	if l.parts != nil && l.parts.Tenant != "" {
		key := "tenant"
		if l.service.shares != nil {
			key = "tenant_id" // the log has the tenant's name
		}
		log = log.With(key, l.parts.Tenant)
	}
	return tvmexport.JoinHooks(progress.Journal(log), l.service.metrics.Hooks(), l.service.board.Hooks(), l.service.telemetry.Hooks())
}

// Wait implements progress.Printer.
func (l *listener) Wait(cause string, until time.Time) {
	l.service.log.InfoContext(l.ctx, "waiting", "cause", cause, "until", until)
	l.service.metrics.Waiting(defender.Brief(cause), time.Until(until))
	l.service.board.Waiting(cause, until)
}

// Retry records that a call to Defender is repeated.
func (l *listener) Retry(table, op string, in time.Duration, why error) {
	l.service.log.WarnContext(l.ctx, "retrying", "table", table, "op", op, "in", in, "why", why)
	l.service.metrics.Retrying(op, in)
}

// Close implements progress.Printer.
func (l *listener) Close() {}

// ready says why the program is not ready: its ledger cannot be read.
func (s *service) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unread == nil && !s.hasRead {
		return errStarting
	}
	return s.unread
}

var errStarting = errors.New("the ledger has not been read yet")
