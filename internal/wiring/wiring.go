// Package wiring makes source, destination and exporter of what a configuration
// names. All programs of this project do it here, so that a tenant is exported in
// the same way by each of them.
package wiring

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/lake"
)

// Setup is what a program gives to the parts of a configuration.
type Setup struct {
	Config  config.Config
	Member  *config.Member // whose configuration it is; nil: the configuration is that of one tenant
	Env     config.Lookup
	Logger  *slog.Logger
	Version string // of the program, as services see it

	Clients *Clients // of all tenants of a process; nil: the parts have connections of their own
	// Instrument makes a client whose requests to a service are counted; nil leaves
	// it as it is.
	Instrument func(service string, c *http.Client) *http.Client
	// Advise completes the hint of a table's error; nil leaves errors as they are.
	Advise func(error) error
}

// Parts are what an export is put together from.
type Parts struct {
	Config      config.Config
	Cloud       hunting.Cloud
	Client      *http.Client
	Defender    LazyCredential // signs in to Defender
	Destination *kusto.Client  // nil if the destination is a lake
	Lake        *lake.Client   // nil if it is not
	Tenant      string         // whose data the source has, once Source has signed in

	Exports *assessment.Client // of the export assessment APIs, once Source has signed in

	setup    Setup
	assessed map[string]tvmexport.Source // the tables of these APIs, by name
}

// Open prepares the sign-in to both sides and the destination. It makes no call yet.
func Open(ctx context.Context, s Setup) (*Parts, error) {
	c := s.Config
	cloud, err := hunting.LookupCloud(c.Defender.Cloud)
	if err != nil {
		return nil, Usage(err)
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	defender, sink := s.SignIn(cloud, client)
	x := &Parts{Config: c, Cloud: cloud, Client: client, Defender: defender, setup: s}
	if Lakes(c) {
		x.Lake, err = openLake(s, sink, client)
		return x, err
	}
	credential, err := sink()
	if err != nil {
		return nil, err
	}
	x.Destination, err = kusto.New(ctx, kusto.Options{
		Cluster: c.Kusto.Cluster, Ingest: c.Kusto.Ingest, Database: c.Kusto.Database, TrustedHosts: c.Kusto.TrustedHosts,
		Credential: credential, HTTPClient: s.toCluster(client), Logger: s.Logger, Version: s.Version, Setup: ScriptOptions(c),
	})
	return x, err
}

// ScriptOptions is what a configuration says of what init makes.
func ScriptOptions(c config.Config) kusto.ScriptOptions {
	return kusto.ScriptOptions{
		FunctionPrefix: c.Functions.Prefix, Enriched: c.Functions.Enriched, Policy: Policies(c),
		RawRetention: c.Retention.Raw, TypedRetention: c.Retention.Typed, Hot: c.Retention.Hot,
	}
}

// Source signs in to Defender and learns whose data it is. It is called before
// anything is read or written: an identity of the wrong tenant ends it here.
func (x *Parts) Source(ctx context.Context, maxWait time.Duration, printer progress.Printer) (*hunting.Client, error) {
	c := x.Config.Defender
	credential, err := x.Defender()
	if err != nil {
		return nil, err
	}
	who, err := credential.Identify(ctx, x.Cloud.Scope(hunting.API(c.API)))
	if err != nil {
		return nil, err
	}
	x.Tenant = who.TenantID
	if x.Exports, err = x.newExports(credential, maxWait, printer); err != nil {
		return nil, err
	}
	if x.assessed, err = x.spooled(); err != nil {
		return nil, err
	}
	client, err := hunting.New(hunting.Options{
		API: hunting.API(c.API), Endpoint: c.Endpoint, Cloud: x.Cloud,
		Credential: credential, HTTPClient: x.setup.instrumented("defender", x.Client), Share: c.Share, MaxWait: maxWait, Logger: x.setup.Logger,
		PseudonymKey: []byte(x.Config.PseudonymisationKey),

		Quota:  defender.Quota{PerMinute: c.CallsPerMinute, PerHour: c.CallsPerHour},
		OnWait: printer.Wait, OnRetry: retryOf(printer),
	})
	if b, ok := printer.(interface{ Budget(left func() int) }); ok && err == nil {
		b.Budget(func() int { u := client.Usage(); return max(0, u.Quota.PerMinute-u.Minute) })
	}
	return client, err
}

// Exporter puts source and destination together. The source may be nil for what does
// not read it.
func (x *Parts) Exporter(source tvmexport.Source, printer progress.Printer) *engine.Exporter {
	c, name := x.Config, ""
	if x.setup.Member != nil {
		name = x.setup.Member.Name
	}
	return &engine.Exporter{
		TenantName: name,

		Source: source, Sources: x.assessed, Destination: x.Sink(), Describe: Describe(c), Policy: Policies(c), Compress: compress,
		Hooks: printer.Hooks(), Advise: x.setup.Advise, Owner: Owner(), Tenant: x.Tenant, Term: c.Lease,
		Lag: c.Lag, Recount: c.Recount, Resume: c.Resume,
		Consistent: c.Consistency == "table", FullEvery: c.Snapshots.FullEvery, StepBytes: int64(c.Publish.Bytes),
	}
}

// Close closes the destination. No request may be under way.
func (x *Parts) Close() {
	if x.Lake != nil {
		_ = x.Lake.Close() // locks end with the process anyway
		return
	}
	_ = x.Destination.Close()
}

// compress favours speed: the data crosses the network once.
func compress(w io.Writer) io.WriteCloser {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return gzip.NewWriter(w) // unreachable: the level is a constant
	}
	return z
}

// Owner names this process in a lease.
func Owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}
