package main

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// session is what a command needs that works with both sides: the parts of the configuration and a printer.
type session struct {
	*parts
	process *process
	printer progress.Printer
}

// openSession opens a session. The caller closes it.
func (p *process) openSession(ctx context.Context) (*session, error) {
	x, err := p.configured(ctx)
	if err != nil {
		return nil, err
	}
	printer, err := p.printer()
	if err != nil {
		x.Close() // no request is running
		return nil, err
	}
	if _, ok := p.env("GOGC"); !ok {
		debug.SetGCPercent(garbagePercent)
	}
	return &session{parts: x, process: p, printer: printer}, nil
}

// garbagePercent is how much garbage an export keeps, in percent of what it uses. An
// export spends its time on streams and allocates little, so that more collections
// cost little, and a quarter of Go's default keeps its memory small.
const garbagePercent = 25

func (s *session) close() {
	s.printer.Close()
	s.parts.Close() // no request is running
}

// signIn signs in to Defender and returns the source and an exporter that reads it.
func (s *session) signIn(ctx context.Context, maxWait time.Duration) (*hunting.Client, *engine.Exporter, error) {
	source, err := s.Source(ctx, maxWait, s.printer)
	if err != nil {
		return nil, nil, err
	}
	return source, s.Exporter(source, s.printer), nil
}

// signInOrFail is like signIn. If Entra refuses the sign-in, the source is nil, and the exporter fails each table with
// the reason, so that the audit shows it.
func (s *session) signInOrFail(ctx context.Context, maxWait time.Duration) (*hunting.Client, *engine.Exporter, error) {
	source, exporter, err := s.signIn(ctx, maxWait)
	if err == nil {
		return source, exporter, nil
	}
	unsigned, err := wiring.WithoutSignIn(err)
	if err != nil {
		return nil, nil, err
	}
	return nil, s.Exporter(unsigned, s.printer), nil
}

// shareQuota lets the source begin with the calls of other processes. The caller ends
// with record, which notes the calls of this one for others.
func shareQuota(ctx context.Context, p *process, exporter *engine.Exporter) (record func()) {
	note, err := exporter.ShareQuota(ctx)
	if err != nil { // the ledger cannot be read: the command itself says so
		return func() {}
	}
	return func() {
		err := noted(ctx, note)
		if log, lerr := p.logger(); err != nil && lerr == nil {
			log.Warn("the calls of this command are not noted in the ledger; a run that begins within a minute may be throttled", "reason", oneLine(err.Error()))
		}
	}
}

// noted notes calls, also after an interrupt.
func noted(ctx context.Context, note func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	return note(ctx)
}

// noteTimeout bounds the last request of a command, also after an interrupt.
const noteTimeout = 10 * time.Second

// exporterWithoutSource returns an exporter for operations that do not read the source.
func (s *session) exporterWithoutSource() *engine.Exporter {
	return s.Exporter(nil, s.printer)
}
