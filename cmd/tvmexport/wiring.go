package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/kusto"
)

// parts are what a command is put together from.
type parts struct {
	config      config.Config
	cloud       hunting.Cloud
	client      *http.Client
	defender    lazyCredential // signs in to Defender
	destination *kusto.Client
	tenant      string // whose data the source has, once source has signed in

	exports  *assessment.Client          // of the export assessment APIs, once source has signed in
	assessed map[string]tvmexport.Source // the tables of these APIs, by name
}

// configured opens what the configuration names.
func (p *process) configured(ctx context.Context) (*parts, error) {
	c, err := p.configuration()
	if err != nil {
		return nil, err
	}
	return p.open(ctx, c)
}

// open prepares the sign-in to both sides and the destination. It makes no call yet.
func (p *process) open(ctx context.Context, c config.Config) (*parts, error) {
	log, err := p.logger()
	if err != nil {
		return nil, err
	}
	cloud, err := hunting.LookupCloud(c.Defender.Cloud)
	if err != nil {
		return nil, usage(err)
	}
	client, err := clientOf(p, c)
	if err != nil {
		return nil, err
	}
	defender, sink := p.signIn(c, cloud, client, log)
	credential, err := sink()
	if err != nil {
		return nil, err
	}
	destination, err := kusto.New(ctx, kusto.Options{
		Cluster: c.Kusto.Cluster, Ingest: c.Kusto.Ingest, Database: c.Kusto.Database, TrustedHosts: c.Kusto.TrustedHosts,
		Credential: credential, HTTPClient: toCluster(p, client), Logger: log, Version: version, Setup: scriptOptions(c),
	})
	if err != nil {
		return nil, err
	}
	return &parts{config: c, cloud: cloud, client: client, defender: defender, destination: destination}, nil
}

// scriptOptions is what a configuration says of what init makes.
func scriptOptions(c config.Config) kusto.ScriptOptions {
	return kusto.ScriptOptions{
		FunctionPrefix: c.Functions.Prefix, Enriched: c.Functions.Enriched, Policy: policies(c),
		RawRetention: c.Retention.Raw, TypedRetention: c.Retention.Typed, Hot: c.Retention.Hot,
	}
}

// source signs in to Defender and learns whose data it is. It is called before
// anything is read or written: an identity of the wrong tenant ends it here.
func (p *process) source(ctx context.Context, x *parts, maxWait time.Duration, printer progress.Printer) (*hunting.Client, error) {
	log, err := p.logger()
	if err != nil {
		return nil, err
	}
	credential, err := x.defender()
	if err != nil {
		return nil, err
	}
	who, err := credential.Identify(ctx, x.cloud.Scope(hunting.API(x.config.Defender.API)))
	if err != nil {
		return nil, err
	}
	x.tenant = who.TenantID
	if x.exports, err = newExports(p, x, credential, maxWait, printer); err != nil {
		return nil, err
	}
	if x.assessed, err = assessed(x); err != nil {
		return nil, err
	}
	client, err := hunting.New(hunting.Options{
		API: hunting.API(x.config.Defender.API), Endpoint: x.config.Defender.Endpoint, Cloud: x.cloud,
		Credential: credential, HTTPClient: p.instrumented("defender", x.client), Share: x.config.Defender.Share, MaxWait: maxWait, Logger: log,
		PseudonymKey: []byte(x.config.PseudonymisationKey),

		Quota:  defender.Quota{PerMinute: x.config.Defender.CallsPerMinute, PerHour: x.config.Defender.CallsPerHour},
		OnWait: printer.Wait, OnRetry: retryOf(printer),
	})
	if b, ok := printer.(interface{ Budget(left func() int) }); ok && err == nil {
		b.Budget(func() int { u := client.Usage(); return max(0, u.Quota.PerMinute-u.Minute) })
	}
	return client, err
}

// exporter puts source and destination together.
func (p *process) exporter(x *parts, source tvmexport.Source, printer progress.Printer) *engine.Exporter {
	name := ""
	if p.tenant != nil {
		name = p.tenant.Name
	}
	return &engine.Exporter{
		TenantName: name,

		Source: source, Sources: x.assessed, Destination: x.destination, Describe: describe(x.config), Policy: policies(x.config), Compress: compress,
		Hooks: printer.Hooks(), Advise: advise, Owner: owner(), Tenant: x.tenant, Term: x.config.Lease,
		Lag: x.config.Lag, Recount: x.config.Recount, Resume: x.config.Resume,
		Consistent: x.config.Consistency == "table", FullEvery: x.config.Snapshots.FullEvery, StepBytes: int64(x.config.Publish.Bytes),
	}
}

// compress favours speed: the data crosses the network once.
func compress(w io.Writer) io.WriteCloser {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return gzip.NewWriter(w) // unreachable: the level is a constant
	}
	return z
}

// owner names this process in a lease.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}

// tablesNamed are the catalogue's tables by name, the default ones if none is named.
func tablesNamed(names []string) ([]tvmexport.Table, error) {
	if len(names) == 0 {
		names = catalog.Default()
	}
	out := make([]tvmexport.Table, 0, len(names))
	for _, n := range names {
		t, ok := catalog.Table(n)
		if !ok {
			hint := "tvmexport tables lists the known tables"
			if near := catalog.Nearest(n); near != "" {
				hint = "did you mean " + near + "?"
			}
			return nil, usage(fmt.Errorf("table %q is not in the catalogue; %s", n, hint))
		}
		out = append(out, t)
	}
	return out, nil
}
