package emulatortest

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

// The types of package emulator that its users meet here.
type (
	Endpoints = emulator.Ready  // base URLs, ids and secrets
	Tenant    = emulator.Tenant // the source of the data
	Answer    = emulator.Answer // columns and rows as JSON
	Digest    = emulator.Digest // number and hash of rows
	Stats     = emulator.Stats  // what the services were asked
)

// Emulator is a running emulator. Its methods are safe for concurrent use, and report
// errors instead of ending the test, so that any goroutine may call them.
type Emulator struct {
	services *emulator.Emulator
	client   *http.Client
	base     func() time.Time
	shift    *atomic.Int64 // nanoseconds that AdvanceClock has added
	close    func() error
}

// New starts an emulator and closes it when the test and its subtests are over. It
// fails the test if that is not possible.
func New(t testing.TB, options ...Option) *Emulator {
	t.Helper()
	e, err := Start(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close the emulator: %v", err)
		}
	})
	return e
}

// Start starts an emulator without a test: for Examples, TestMain and programs. Close
// it. The error says which option or address cannot be used.
func Start(options ...Option) (*Emulator, error) {
	s := defaults()
	for _, set := range options {
		set(&s)
	}
	e := &Emulator{base: s.Now, shift: &atomic.Int64{}}
	if e.base == nil {
		e.base = time.Now
	}
	s.Now = e.Now
	if s.loopback {
		if err := e.startLoopback(s.Options); err != nil {
			return nil, err
		}
		return e, nil
	}
	services, err := emulator.New(s.Options)
	if err != nil {
		return nil, err
	}
	e.services, e.close = services, services.Close
	e.client = &http.Client{Transport: services.Transport()}
	return e, nil
}

// startLoopback starts the services on sockets, with a client that trusts them.
func (e *Emulator) startLoopback(o emulator.Options) error {
	server, err := emulator.Start(o, emulator.Listen{})
	if err != nil {
		return err
	}
	transport, err := trusting(server.Ready.CA)
	if err != nil {
		return errors.Join(err, server.Close())
	}
	e.services, e.client = server.Emulator, &http.Client{Transport: transport}
	e.close = func() error {
		transport.CloseIdleConnections()
		return server.Close()
	}
	return nil
}

// Close ends the services and deletes their data. An emulator of New closes itself.
func (e *Emulator) Close() error { return e.close() }

// Services is the emulator itself: its handlers, fault rules and sign-in server, for
// what has no method here.
func (e *Emulator) Services() *emulator.Emulator { return e.services }

// Endpoints are the base URLs of the services, and the ids and secrets to sign in
// with. URLs have no slash at the end; hunting is at Graph + "/v1.0/security/runHuntingQuery",
// queries at Kusto + "/v2/rest/query", ingestion resources at Ingest + "/v1/rest/mgmt".
func (e *Emulator) Endpoints() Endpoints { return e.services.Endpoints() }

// Tenant is the source of the data. Its Advance lets days pass, Move changes rows
// during a read, Drift alters schemas, Insert adds rows of events.
func (e *Emulator) Tenant() Tenant { return e.services.Tenant() }

// Stats counts calls, rows and bytes of hunting, tokens, Kusto commands and queued
// ingestion since the start. Queries of Query, Landed and Compare count too.
func (e *Emulator) Stats() Stats { return e.services.Stats() }

// Now is the clock of the services: tokens, signatures of storage URLs, and quotas.
func (e *Emulator) Now() time.Time { return e.base().Add(time.Duration(e.shift.Load())) }

// AdvanceClock moves Now forward: tokens and storage URLs expire, quotas renew, and
// now() in queries is later. The data stays; Tenant().Advance moves that by days. Timers
// do not fire early: a batch of queued ingestion waits its time. It does nothing when d
// is not positive.
func (e *Emulator) AdvanceClock(d time.Duration) { e.shift.Add(int64(max(0, d))) }

// AwaitIngestion waits until queued ingestion is done with all that has been queued,
// retries and late deliveries included. The error is that of ctx.
func (e *Emulator) AwaitIngestion(ctx context.Context) error { return e.services.AwaitIngestion(ctx) }
