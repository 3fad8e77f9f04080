package kusto

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/fleet"
	"github.com/tvmexport/tvmexport/kusto/landing"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/policy"
	"github.com/tvmexport/tvmexport/kusto/publish"
	"github.com/tvmexport/tvmexport/kusto/reconcile"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/takeover"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// Options say where the destination is and how it is reached.
type Options struct {
	Cluster      string   // query URI: https://NAME.REGION.kusto.windows.net, or a Fabric query URI
	Ingest       string   // ingestion URI; "" is the cluster's with ingest- before its host
	Database     string   // by name
	TrustedHosts []string // hosts that may receive a token though the SDK does not know them; ".suffix" for all below

	Credential azcore.TokenCredential // nil: no sign-in, for an emulator without one
	HTTPClient *http.Client           // nil: a client of its own. Redirects are never followed
	Logger     *slog.Logger           // nil: silent

	Version     string            // of the program, for others who read what it stores
	Setup       setup.Options     // as init was given, for what is made while a run is under way
	Concurrency int               // uploads at once; 0 is 4
	Record      func(text string) // sees every query and command before it is sent; nil: nobody
}

// DefaultConcurrency is how many batches are uploaded at once. Each takes one
// buffer of 4 MiB.
const DefaultConcurrency = 4

// Client is the destination. It delegates each call to one of its parts. It is
// safe for concurrent use.
type Client struct {
	conn    *conn.Conn
	landing *landing.Queue

	ledger        *ledger.Ledger
	invocations   *ledger.Invocations
	configuration *ledger.Configuration
	reports       *ledger.Reports

	arrivals  *publish.Arrivals
	publisher *publish.Publisher
	backfill  *publish.Backfiller
	observer  *publish.Observer
	installer *setup.Installer
	inspector *setup.Inspector
	prober    *setup.Prober
	importer  *takeover.Importer
	fleet     *fleet.Installer

	reconciler *reconcile.Reconciler
}

// New prepares a client. Nothing is sent before the first call; the endpoints
// are checked then.
func New(_ context.Context, o Options) (*Client, error) {
	to, err := conn.New(conn.Options{
		Cluster: o.Cluster, Ingest: o.Ingest, Database: o.Database, TrustedHosts: o.TrustedHosts,
		Credential: o.Credential, HTTPClient: o.HTTPClient, Logger: o.Logger, Record: o.Record,
	})
	if err != nil {
		return nil, err
	}
	if o.Concurrency <= 0 {
		o.Concurrency = DefaultConcurrency
	}
	visible, policies := visibility.New(to), policy.New(to)
	parts := ledger.Parts{Conn: to, Visible: visible, Policy: policies, Version: o.Version}
	c := &Client{
		conn: to, landing: landing.New(to, o.Concurrency),
		ledger: ledger.New(parts), invocations: ledger.NewInvocations(parts), configuration: ledger.NewConfiguration(parts),
	}
	c.reports = ledger.NewReports(c.ledger, c.configuration, c.invocations)
	c.arrivals = publish.NewArrivals(publish.Parts{Conn: to, Visible: visible, Policy: policies, Ledger: c.ledger})
	c.publisher = publish.NewPublisher(publish.Parts{Conn: to, Visible: visible, Policy: policies, Ledger: c.ledger}, c.arrivals)
	c.backfill = publish.NewBackfiller(publish.Parts{Conn: to, Visible: visible, Policy: policies, Ledger: c.ledger})
	c.observer = publish.NewObserver(publish.Parts{Conn: to, Visible: visible, Policy: policies, Ledger: c.ledger})
	c.installer = setup.NewInstaller(setup.Parts{Conn: to, Visible: visible, Policy: policies, Ledger: c.ledger, Invocations: c.invocations, Configuration: c.configuration, Options: o.Setup})
	c.inspector = setup.NewInspector(to)
	c.prober = setup.NewProber(c.installer, c.landing, c.arrivals.Landed)
	c.fleet = fleet.NewInstaller(to)
	c.importer = takeover.New(takeover.Parts{Conn: to, Visible: visible, Ledger: c.ledger, Invocations: c.invocations})
	c.reconciler = reconcile.New(reconcile.Parts{Conn: to, Visible: visible, Reports: c.reports, Prefix: o.Setup.FunctionPrefix})
	return c, nil
}

// Close ends what the client does in the background.
func (c *Client) Close() error {
	return errors.Join(c.landing.Close(), c.conn.Close())
}

// The parts of the client beyond the contract of a destination.

// Configuration reads and completes the table MigrationConfiguration.
func (c *Client) Configuration() *ledger.Configuration { return c.configuration }

// Reports reads the state of tables, recent runs and audits.
func (c *Client) Reports() *ledger.Reports { return c.reports }

// Setup creates tables, policies, mappings and functions, and checks them.
func (c *Client) Setup() *setup.Installer { return c.installer }

// Fleet makes functions over the databases of several tenants, if this database is that
// of the fleet.
func (c *Client) Fleet() *fleet.Installer { return c.fleet }

// Inspect answers what a check of the installation needs to know.
func (c *Client) Inspect() *setup.Inspector { return c.inspector }

// Prober ingests a test row end to end.
func (c *Client) Prober() *setup.Prober { return c.prober }

// Reconciler compares tables that both sources have.
func (c *Client) Reconciler() *reconcile.Reconciler { return c.reconciler }

// Takeover takes over the tables of older exporters.
func (c *Client) Takeover() *takeover.Importer { return c.importer }
