package kusto

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/landing"
	"github.com/tvmexport/tvmexport/kusto/views"
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

	mu        sync.Mutex
	lacks     map[string]views.MissingRuns // by source table: runs that are not in a published table
	uncleared bool                         // clearing landing tables was refused
	counted   map[string]*whole            // by table: batches of its last run that are known to be whole
}

var _ tvmexport.CompleteDestination = (*Client)(nil)

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
	return &Client{
		conn: to, setup: o.Setup,
		lacks: map[string]views.MissingRuns{}, counted: map[string]*whole{},
		visible: visibility.New(to),
		landing: landing.New(to, o.Concurrency),
	}, nil
}

// Close ends what the client does in the background.
func (c *Client) Close() error {
	return errors.Join(c.landing.Close(), c.conn.Close())
}
