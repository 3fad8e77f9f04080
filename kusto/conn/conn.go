package conn

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/Azure/azure-kusto-go/azkustodata"
	"github.com/Azure/azure-kusto-go/azkustodata/query"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport/internal/gather"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Options say where the service is and how it is reached.
type Options struct {
	Cluster      string   // query URI
	Ingest       string   // ingestion URI; "" is the cluster's with ingest- before its host
	Database     string   // by name
	TrustedHosts []string // hosts that may receive a token though the SDK does not know them; ".suffix" for all below

	Credential azcore.TokenCredential // nil: no sign-in, for an emulator without one
	HTTPClient *http.Client           // nil: a client of its own. Redirects are never followed
	Logger     *slog.Logger           // nil: silent
	Record     func(text string)      // sees every query and command before it is sent; nil: nobody
}

// Conn is the connection to one database: it sends queries and commands, and
// keeps the columns of tables as last read. It is safe for concurrent use.
type Conn struct {
	Database string
	Record   func(string)
	Log      *slog.Logger
	Engine   *Endpoint // queries and commands
	Intake   *Endpoint // data management: ingestion resources

	asks, scans *gather.Group[Statement, []query.Row] // queries that become one, see [Conn.Ask]

	schemas *gather.Group[wantedSchema, Schema] // see [Conn.Schema]

	mu        sync.Mutex
	shapes    map[string][]kql.Column // columns of tables, as last read
	forgotten int                     // how often something was dropped from shapes

	appends map[string]*gather.Group[Append, bool] // by control table, see [Conn.Append]
}

// New prepares a connection. Nothing is sent before the first call; the
// endpoints are checked then.
func New(o Options) (*Conn, error) {
	cluster, err := parseEndpoint("kusto.cluster", o.Cluster)
	if err != nil {
		return nil, err
	}
	if o.Database == "" {
		return nil, UsageError("connect", "", errors.New("kusto.database is empty"))
	}
	intake := ingestURI(cluster)
	if o.Ingest != "" {
		if intake, err = parseEndpoint("kusto.ingest", o.Ingest); err != nil {
			return nil, err
		}
	}
	if err := checkAddresses(cluster, intake); err != nil {
		return nil, err
	}
	if err := trust(o.TrustedHosts); err != nil {
		return nil, err
	}
	hc := withoutRedirects(o.HTTPClient)
	hc.Transport = edge{to: hc.Transport, credential: o.Credential}
	c := &Conn{Database: o.Database, Record: o.Record, Log: o.Logger, shapes: map[string][]kql.Column{}, appends: map[string]*gather.Group[Append, bool]{}}
	c.schemas = NewGroup(c.readSchema, c.schemaTogether, func(w wantedSchema) string { return w.op })
	statement := func(s Statement) string { return s.Text }
	c.asks = NewGroup(c.Query, c.askTogether, statement)
	c.scans = NewGroup(c.Query, c.askTogether, statement)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Engine, err = newEndpoint("kusto.cluster", cluster, o.Credential, hc); err != nil {
		return nil, err
	}
	if c.Intake, err = newEndpoint("kusto.ingest", intake, o.Credential, hc); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends what the connection does in the background.
func (c *Conn) Close() error {
	return errors.Join(c.Engine.client.Close(), c.Intake.client.Close())
}

// Uploading is what the ingestion SDK is made with: the address of the
// ingestion endpoint, without a credential, and a client whose transport notes
// what went wrong with an upload.
func (c *Conn) Uploading() (*azkustodata.ConnectionStringBuilder, *http.Client) {
	hc := *c.Intake.http
	hc.Transport = observed{hc.Transport}
	return connection(c.Intake.URI, nil), &hc
}

// withoutRedirects is hc, but a redirect is an answer: followed, it would carry
// the token to a host that nobody trusted.
func withoutRedirects(hc *http.Client) *http.Client {
	var out http.Client
	if hc != nil {
		out = *hc
	}
	out.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &out
}

func connection(uri string, credential azcore.TokenCredential) *azkustodata.ConnectionStringBuilder {
	// Built by hand: the parser of connection strings panics on what it does
	// not understand.
	kcsb := &azkustodata.ConnectionStringBuilder{DataSource: uri}
	if credential != nil {
		kcsb = kcsb.WithTokenCredential(credential)
	}
	kcsb.ApplicationForTracing = "tvmexport"
	return kcsb
}
