// Package rig is an exporter and an emulator in one process, without sockets: what
// programs and stories need that look at many runs.
package rig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/spool"
	"github.com/tvmexport/tvmexport/test/reliability/compressor"
)

// Options say what is put together. The source has no quota unless Emulator.Quota says so.
type Options struct {
	Emulator emulator.Options
	Tables   []string // that are exported; empty: catalog.Default()
	// Describe changes a table of the catalogue before it is exported; nil leaves it.
	Describe  func(tvmexport.Table) tvmexport.Table
	FullEvery time.Duration // see engine.Exporter
	Limits    tvmexport.Limits
}

// Rig is an exporter against an emulator, whose database is prepared.
type Rig struct {
	Emulator    *emulator.Emulator
	Exporter    *engine.Exporter
	Destination *kusto.Client
	HTTP        *http.Client // reaches the emulator
	Tables      []tvmexport.Table
}

// New makes a rig. Close it.
func New(ctx context.Context, o Options) (r *Rig, err error) {
	if o.Emulator.Quota == nil {
		quota := emulator.NoQuota()
		o.Emulator.Quota = &quota
	}
	if o.Emulator.Batching == 0 {
		o.Emulator.Batching = 100 * time.Millisecond
	}
	r = &Rig{}
	if r.Emulator, err = emulator.New(o.Emulator); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	r.HTTP = &http.Client{Transport: r.Emulator.Transport()}
	at := r.Emulator.Endpoints()
	identity := &identity{emulator: r.Emulator, app: at.ClientID}
	source, err := hunting.New(hunting.Options{
		API: hunting.Graph, Endpoint: at.Graph, HTTPClient: r.HTTP, Share: 1, MaxWait: time.Hour, Credential: identity,
		Quota: defender.Quota{PerMinute: 1_000_000, PerHour: 1_000_000},
	})
	if err != nil {
		return r, err
	}
	r.Destination, err = kusto.New(ctx, kusto.Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: r.HTTP, Credential: identity,
	})
	if err != nil {
		return r, err
	}
	describe := func(name string) (tvmexport.Table, bool) {
		t, ok := catalog.Table(name)
		if ok && o.Describe != nil {
			t = o.Describe(t)
		}
		return t, ok
	}
	r.Exporter = &engine.Exporter{
		Source: source, Destination: r.Destination, Describe: describe, Owner: "rig", Calls: 4,
		Lag: 15 * time.Minute, Recount: 48 * time.Hour, Resume: 24 * time.Hour, FullEvery: o.FullEvery, Limits: o.Limits,
		Compress: compressor.New,
	}
	if len(o.Tables) == 0 {
		o.Tables = catalog.Default()
	}
	for _, name := range o.Tables {
		t, ok := describe(name)
		if !ok {
			return r, fmt.Errorf("table %q is not in the catalogue", name)
		}
		r.Tables = append(r.Tables, t)
	}
	if _, err := r.Destination.Setup().Init(ctx, r.Tables, kusto.ScriptOptions{}); err != nil {
		return r, err
	}
	return r, r.Destination.Configuration().Configure(ctx, r.Tables)
}

// Run makes one run of all tables and gives their results by name. A table that
// was not committed is an error.
func (r *Rig) Run(ctx context.Context, q engine.Request) (map[string]engine.Result, error) {
	report, err := r.Exporter.Run(ctx, q)
	results := make(map[string]engine.Result, len(report.Outcomes))
	errs := []error{err}
	for _, o := range report.Outcomes {
		results[o.Table.Name] = o
		if o.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.Table.Name, o.Err))
		}
	}
	return results, errors.Join(errs...)
}

// Export makes one run of tables of the export assessment APIs, as a new process would. The
// spool is in a folder.
func (r *Rig) Export(ctx context.Context, dir string, q engine.Request) (map[string]engine.Result, error) {
	at := r.Emulator.Endpoints()
	client, err := assessment.New(assessment.Options{
		Endpoint: at.MDE, Credential: &identity{emulator: r.Emulator, app: at.ClientID}, HTTPClient: r.HTTP, Share: 1,
	})
	if err != nil {
		return nil, err
	}
	source, err := spool.New(client, spool.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	r.Exporter.Sources = map[string]tvmexport.Source{}
	for _, t := range r.Tables {
		r.Exporter.Sources[t.Name] = source
	}
	return r.Run(ctx, q)
}

// Close ends the exporter's connections and the emulator.
func (r *Rig) Close() error {
	if r.Destination == nil {
		return r.Emulator.Close()
	}
	return errors.Join(r.Destination.Close(), r.Emulator.Close())
}
