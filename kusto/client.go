package kusto

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata"
	"github.com/Azure/azure-kusto-go/azkustoingest"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
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
// buffer of uploadBuffer bytes.
const DefaultConcurrency = 4

const uploadBuffer = 4 << 20

// Client is the destination. It is safe for concurrent use.
type Client struct {
	database string
	record   func(string)
	log      *slog.Logger
	setup    ScriptOptions
	engine   *endpoint // queries and commands
	intake   *endpoint // data management: ingestion resources

	uploads   chan struct{} // one token per upload under way
	preparing chan struct{} // holds one while somebody opens the queue
	newQueue  func(answers map[string][]byte) (ingestor, error)

	hiding hiding // policies that hide rows

	mu        sync.Mutex
	queue     ingestor
	queued    time.Time               // when its preparation began
	shapes    map[string][]kql.Column // columns of tables, as last read
	forgotten int                     // how often something was dropped from shapes
	lacks     map[string]lacks        // by source table: runs that are not in a published table
	uncleared bool                    // clearing landing tables was refused
	counted   map[string]*whole       // by table: batches of its last run that are known to be whole
}

// ingestor is what Land needs of the SDK.
type ingestor = azkustoingest.Ingestor

var _ tvmexport.Destination = (*Client)(nil)

// New prepares a client. Nothing is sent before the first call; the endpoints
// are checked then.
func New(_ context.Context, o Options) (*Client, error) {
	cluster, err := parseEndpoint("kusto.cluster", o.Cluster)
	if err != nil {
		return nil, err
	}
	if o.Database == "" {
		return nil, usage("connect", "", errors.New("kusto.database is empty"))
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
	c := &Client{
		database: o.Database, record: o.Record, log: o.Logger, setup: o.Setup,
		shapes: map[string][]kql.Column{}, lacks: map[string]lacks{}, counted: map[string]*whole{},
		hiding: hiding{turn: make(chan struct{}, 1)}, preparing: make(chan struct{}, 1),
	}
	if o.Concurrency <= 0 {
		o.Concurrency = DefaultConcurrency
	}
	c.uploads = make(chan struct{}, o.Concurrency)
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.engine, err = newEndpoint("kusto.cluster", cluster, o.Credential, hc); err != nil {
		return nil, err
	}
	if c.intake, err = newEndpoint("kusto.ingest", intake, o.Credential, hc); err != nil {
		return nil, err
	}
	c.newQueue = func(answers map[string][]byte) (ingestor, error) {
		storage := *hc
		storage.Transport = handed{answers: answers, storage: observed{hc.Transport}}
		return azkustoingest.New(connection(intake, nil), // what needs a token is in answers
			azkustoingest.WithoutEndpointCorrection(), // the URI is the ingestion one already
			azkustoingest.WithHttpClient(&storage),
			azkustoingest.WithDefaultDatabase(o.Database),
			azkustoingest.WithStaticBuffer(uploadBuffer, 1))
	}
	return c, nil
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

// Close ends what the client does in the background.
func (c *Client) Close() error {
	c.mu.Lock()
	queue := c.queue
	c.queue = nil
	c.mu.Unlock()
	var err error
	if queue != nil {
		err = queue.Close()
	}
	return errors.Join(err, c.engine.client.Close(), c.intake.client.Close())
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
