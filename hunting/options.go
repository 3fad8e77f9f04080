package hunting

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
)

// Options make a Client. Credential must be set.
type Options struct {
	API        API    // zero is Graph
	Cloud      Cloud  // zero is the commercial one
	Endpoint   string // base URL; "" is that of Cloud and API
	Credential azcore.TokenCredential
	HTTPClient *http.Client   // nil is http.DefaultClient; its Timeout should be 0, since answers take minutes. Redirects to other hosts are not followed
	Share      float64        // of Quota that may be used, above 0 and at most 1; 0 is 0.5
	Quota      defender.Quota // of the tenant; zero is DocumentedQuota
	AtOnce     int            // most calls at once; 0 is 5
	MaxWait    time.Duration  // longest that one call waits for the quota, all its waits together, and that nothing but throttling may come back; 0 is 90 minutes
	Logger     *slog.Logger   // nil is silent

	PseudonymKey []byte // of columns that are published as pseudonyms; nil: there are none

	// OnWait receives the cause and the end of each wait.
	OnWait func(cause string, until time.Time)
	// OnRetry receives each call that failed temporarily and is repeated after a
	// pause.
	OnRetry func(table, op string, in time.Duration, why error)
	// OnFallback receives each fallback because the service refused a construct.
	OnFallback func(table, what string, why error)
}

// DocumentedQuota is 45 calls a minute, and 1,500 an hour, the latter stated
// for MDE and assumed of the others
// (https://learn.microsoft.com/defender-endpoint/api/run-advanced-query-api).
var DocumentedQuota = defender.Quota{PerMinute: 45, PerHour: 1500}

// Client is a tvmexport.Source. It is safe for concurrent use.
type Client struct {
	o         Options
	url       string
	service   *defender.Service
	budget    *defender.Budget // of the tenant: all tables share it
	dialects  dialects
	phrasings phrasings
}

var (
	_ tvmexport.CountingSource = (*Client)(nil)
	_ tvmexport.JointCounter   = (*Client)(nil)
	_ tvmexport.Meter          = (*Client)(nil)
)

// New makes a client. It makes no call.
func New(o Options) (*Client, error) {
	var err error
	if o.API, err = ParseAPI(string(o.API)); err != nil {
		return nil, err
	}
	endpoint, err := defender.ParseEndpoint(o.Endpoint, o.Cloud.Endpoint(o.API))
	if err != nil {
		return nil, err
	}
	if o.Credential == nil {
		return nil, errors.New("a credential is required")
	}
	if o.Share, err = defender.ParseShare(o.Share); err != nil {
		return nil, err
	}
	o.Quota = o.Quota.Or(DocumentedQuota)
	o.MaxWait = cmp.Or(o.MaxWait, defender.DefaultMaxWait)
	o.AtOnce = cmp.Or(o.AtOnce, 5)
	if o.Quota.PerMinute < 1 || o.Quota.PerHour < 1 || o.AtOnce < 1 || o.MaxWait < 0 {
		return nil, errors.New("quota, concurrent calls and maximum wait must be positive")
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return &Client{
		o: o, url: endpoint.String() + o.API.path(),
		service: defender.New(defender.Options{
			Credential: o.Credential, Scope: o.Cloud.Scope(o.API), HTTPClient: o.HTTPClient, MaxWait: o.MaxWait,
			Section: "defender", Logger: o.Logger, OnRetry: o.OnRetry,
		}),
		budget: defender.NewBudget(o.Quota.Share(o.Share), o.AtOnce, o.MaxWait, o.OnWait),
	}, nil
}
