package assessment

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
)

// Via is how the rows of a table are read, where the service offers both.
type Via string

// The ways. The zero Via is Files.
const (
	Files Via = "files" // from storage, whose hosts must be reachable
	Pages Via = "pages" // from the API itself
)

// ParseVia reads a way as a configuration spells it.
func ParseVia(s string) (Via, error) {
	switch v := cmp.Or(Via(s), Files); v {
	case Files, Pages:
		return v, nil
	}
	return "", fmt.Errorf("via %q is unknown; use files or pages", s)
}

// Quotas are what a tenant may call. Each path has its own.
type Quotas struct {
	Pages defender.Quota // zero is DocumentedQuotas.Pages
	Files defender.Quota // calls for lists of files; zero is DocumentedQuotas.Files
}

// DocumentedQuotas are those of pages such as
// https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities.
var DocumentedQuotas = Quotas{Pages: defender.Quota{PerMinute: 30, PerHour: 1000}, Files: defender.Quota{PerMinute: 5, PerHour: 20}}

// Options make a Client. Credential must be set.
type Options struct {
	Cloud      Cloud  // zero is the commercial one
	Endpoint   string // base URL; "" is that of Cloud
	Credential azcore.TokenCredential
	HTTPClient *http.Client  // nil is http.DefaultClient; its Timeout should be 0. Redirects to other hosts are not followed
	Via        Via           // zero is Files
	PageRows   int           // rows of a page, at most 200,000; 0 is 50,000
	Share      float64       // of Quotas that may be used, above 0 and at most 1; 0 is 0.5
	Quotas     Quotas        // of the tenant; zero is DocumentedQuotas
	AtOnce     int           // most files and pages that are read at once, of each; 0 is 4
	MaxWait    time.Duration // longest that one call waits for the quota, all its waits together, and that nothing but throttling may come back; 0 is 90 minutes
	Logger     *slog.Logger  // nil is silent

	PseudonymKey []byte // of columns that are published as pseudonyms; nil: there are none

	// OnWait receives the cause and the end of each wait.
	OnWait func(cause string, until time.Time)
	// OnRetry receives each call that failed temporarily and is repeated after a
	// pause.
	OnRetry func(table, op string, in time.Duration, why error)
}

// Limits and defaults of options.
const (
	defaultAtOnce   = 4
	defaultPageRows = 50_000
	mostPageRows    = 200_000
)

// Client is a tvmexport.ListingSource. It is safe for concurrent use.
type Client struct {
	o        Options
	endpoint *url.URL
	service  *defender.Service
	files    *defender.Budget // of downloads, which have no quota
	learned  learned

	mu      sync.Mutex
	budgets map[string]*defender.Budget       // by the last element of a path
	others  map[string][]tvmexport.QuotaUsage // of other processes, by the same
	opaque  sync.Once                         // told that tokens cannot be read
}

var (
	_ tvmexport.ListingSource = (*Client)(nil)
	_ tvmexport.SinceLister   = (*Client)(nil)
	_ tvmexport.Meter         = (*Client)(nil)
)

// New makes a client. It makes no call.
func New(o Options) (*Client, error) {
	var err error
	if o.Via, err = ParseVia(string(o.Via)); err != nil {
		return nil, err
	}
	endpoint, err := defender.ParseEndpoint(o.Endpoint, o.Cloud.Endpoint())
	if err != nil {
		return nil, err
	}
	if o.Credential == nil {
		return nil, errors.New("a credential is required")
	}
	if o.Share, err = defender.ParseShare(o.Share); err != nil {
		return nil, err
	}
	o.Quotas = Quotas{Pages: o.Quotas.Pages.Or(DocumentedQuotas.Pages), Files: o.Quotas.Files.Or(DocumentedQuotas.Files)}
	o.MaxWait = cmp.Or(o.MaxWait, defender.DefaultMaxWait)
	o.AtOnce = cmp.Or(o.AtOnce, defaultAtOnce)
	o.PageRows = cmp.Or(o.PageRows, defaultPageRows)
	q := o.Quotas
	if min(q.Pages.PerMinute, q.Pages.PerHour, q.Files.PerMinute, q.Files.PerHour, o.AtOnce) < 1 || o.MaxWait < 0 {
		return nil, errors.New("quotas, concurrent calls and maximum wait must be positive")
	}
	if o.PageRows < 1 || o.PageRows > mostPageRows {
		return nil, fmt.Errorf("%d rows of a page are not between 1 and %d", o.PageRows, mostPageRows)
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return &Client{
		o: o, endpoint: endpoint, budgets: map[string]*defender.Budget{},
		service: defender.New(defender.Options{
			Credential: o.Credential, Scope: o.Cloud.Scope(), HTTPClient: o.HTTPClient, MaxWait: o.MaxWait,
			Section: "assessment", Logger: o.Logger, OnRetry: o.OnRetry,
		}),
		files: defender.NewBudget(defender.Quota{}, o.AtOnce, o.MaxWait, nil),
	}, nil
}

// budget is that of a path. Whether the documented quotas are of each path or of all
// together is not stated; the pages say "for this API".
func (c *Client) budget(path string, q defender.Quota) *defender.Budget {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.budgets[path]
	if b == nil {
		b = defender.NewBudget(q.Share(c.o.Share), c.o.AtOnce, c.o.MaxWait, c.o.OnWait)
		b.Begin(c.others[path])
		c.budgets[path] = b
	}
	return b
}
