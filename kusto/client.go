package kusto

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/landing"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/policy"
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

	Setup       ScriptOptions     // as init was given, for what is made while a run is under way
	Concurrency int               // uploads at once; 0 is 4
	Record      func(text string) // sees every query and command before it is sent; nil: nobody
}

// DefaultConcurrency is how many batches are uploaded at once. Each takes one
// buffer of 4 MiB.
const DefaultConcurrency = 4

// Client is the destination. It is safe for concurrent use.
type Client struct {
	conn    *conn.Conn
	setup   ScriptOptions
	landing *landing.Queue
	visible *visibility.Checker
	policy  *policy.Reader

	ledger        *ledger.Ledger
	invocations   *ledger.Invocations
	configuration *ledger.Configuration
	reports       *ledger.Reports

	mu        sync.Mutex
	uncleared bool              // clearing landing tables was refused
	counted   map[string]*whole // by table: batches of its last run that are known to be whole
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
	parts := ledger.Parts{Conn: to, Visible: visible, Policy: policies}
	c := &Client{
		conn: to, setup: o.Setup,
		visible: visible, policy: policies, counted: map[string]*whole{},
		landing: landing.New(to, o.Concurrency),
		ledger:  ledger.New(parts), invocations: ledger.NewInvocations(parts), configuration: ledger.NewConfiguration(parts),
	}
	c.reports = ledger.NewReports(c.ledger, c.configuration, c.invocations)
	return c, nil
}

// Close ends what the client does in the background.
func (c *Client) Close() error {
	return errors.Join(c.landing.Close(), c.conn.Close())
}

// Configuration is the part that reads and completes MigrationConfiguration.
func (c *Client) Configuration() *ledger.Configuration { return c.configuration }

// Reports is the part that reads the state of tables, recent runs and audits.
func (c *Client) Reports() *ledger.Reports { return c.reports }
