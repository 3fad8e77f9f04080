package emulatortest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

type (
	// Endpoints has the base URLs of the services, and the ids and secrets of the tenant.
	Endpoints = emulator.Ready
	// Tenant is the source of the data, with Advance, Move, Drift, Insert, Now and Edge.
	Tenant = emulator.Tenant
	// Answer has Columns and Rows of JSON values; Decode reads them into structs.
	Answer = emulator.Answer
	// Digest is the number and the hash of rows. Digests are comparable by ==.
	Digest = emulator.Digest
	// Stats counts what the services were asked.
	Stats = emulator.Stats
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

// New starts an emulator and closes it after the test and its subtests. It
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
	for name, n := range map[string]int{"Devices": s.Devices, "CVEs": s.CVEs, "History": s.History} {
		if n < 1 {
			return nil, fmt.Errorf("emulatortest: %s is %d; it must be at least 1", name, n)
		}
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

// AwaitIngestion waits until queued ingestion has finished all files that clients have
// queued so far: ingested, failed, or lost by a fault. It includes retries and late
// deliveries. The error is that of ctx, with counts of what has happened.
func (e *Emulator) AwaitIngestion(ctx context.Context) error { return e.services.AwaitIngestion(ctx) }
