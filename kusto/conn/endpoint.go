package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/Azure/azure-kusto-go/azkustodata"
	trustedendpoints "github.com/Azure/azure-kusto-go/azkustodata/trusted_endpoints"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
)

// Endpoint is one address of the service.
type Endpoint struct {
	setting string // that names it in the configuration
	URI     string
	client  *azkustodata.Client
	http    *http.Client

	credential azcore.TokenCredential // nil: no sign-in

	turn  chan struct{} // holds one while somebody asks for the metadata, and guards the next
	scope string        // that tokens are asked for; "" until the endpoint was reached
}

func newEndpoint(setting, uri string, credential azcore.TokenCredential, hc *http.Client) (*Endpoint, error) {
	client, err := azkustodata.New(connection(uri, credential), azkustodata.WithHttpClient(hc))
	if err != nil {
		return nil, UsageError("connect", "", fmt.Errorf("%s %s: %w", setting, uri, err))
	}
	return &Endpoint{setting: setting, URI: uri, client: client, http: hc, credential: credential, turn: make(chan struct{}, 1)}, nil
}

// reach fetches the endpoint's sign-in metadata, once, and signs in. The SDK
// does the same before its calls, but reports the reason as plain text, without
// its type. The SDK's own cache keeps what is fetched here, and the credential
// keeps its tokens.
func (e *Endpoint) reach(ctx context.Context) error {
	scope, err := e.Audience(ctx)
	if err != nil || e.credential == nil {
		return err
	}
	var sorted *tvmexport.Error
	if _, err := e.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}}); errors.As(err, &sorted) {
		return err
	}
	return nil // any other failure comes again, and is the SDK's to tell
}

// Audience is the scope of tokens for the endpoint, as its metadata says.
func (e *Endpoint) Audience(ctx context.Context) (string, error) {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if e.scope != "" {
		return e.scope, nil
	}
	cloud, err := e.metadata(ctx)
	if err != nil {
		return "", err
	}
	if err := trustedendpoints.Instance.ValidateTrustedEndpoint(e.URI, cloud.LoginEndpoint); err != nil {
		return "", untrusted{setting: e.setting, uri: e.URI}
	}
	resource := cloud.KustoServiceResourceID
	if cloud.LoginMfaRequired {
		resource = strings.Replace(resource, ".kusto.", ".kustomfa.", 1) // as the SDK does
	}
	e.scope = resource + "/.default"
	return e.scope, nil
}

// metadata fetches the sign-in metadata and puts it into the SDK's cache, which
// all clients of a process share. The SDK holds a mutex while it fills the cache,
// so it gets an answer that has been received already and never waits.
func (e *Endpoint) metadata(ctx context.Context) (azkustodata.CloudInfo, error) {
	cloud, err := azkustodata.GetMetadata(e.URI, &http.Client{Transport: unasked{}})
	if !errors.Is(err, errUnasked) {
		return cloud, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URI+"/v1/rest/auth/metadata", nil)
	if err != nil {
		return azkustodata.CloudInfo{}, err
	}
	answer, err := e.http.Do(r)
	if err != nil {
		return azkustodata.CloudInfo{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostMetadata))
	if err != nil {
		return azkustodata.CloudInfo{}, err
	}
	return azkustodata.GetMetadata(e.URI, withoutRedirects(&http.Client{Transport: Received{answer.StatusCode, answer.Header, body}}))
}

// mostMetadata is how much of the metadata is read. It is a few hundred bytes.
const mostMetadata = 4 << 20

// unasked is a transport that sends nothing: with it, the SDK only looks into its cache.
type unasked struct{}

var errUnasked = errors.New("the metadata is not in the cache")

// RoundTrip implements http.RoundTripper.
func (unasked) RoundTrip(*http.Request) (*http.Response, error) { return nil, errUnasked }

// untrusted: the SDK sends tokens to hosts that it knows only
// (https://learn.microsoft.com/kusto/api/get-started/app-client-network-restrictions).
type untrusted struct{ setting, uri string }

// Untrusted says whether an error is that the SDK sends no token to a host.
func Untrusted(err error) bool { return errors.As(err, new(untrusted)) }

func (u untrusted) Error() string {
	return fmt.Sprintf("%s %s is not a host that the Kusto SDK trusts with a token", u.setting, u.uri)
}

// parseEndpoint checks a URI of the configuration and returns it
// without path or slash at its end.
func parseEndpoint(setting, text string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case text == "":
		err = fmt.Errorf("%s is empty: it is the query URI of the cluster, as the portal shows it", setting)
	case err != nil:
		err = fmt.Errorf("%s %q is not a URI", setting, text)
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		err = fmt.Errorf("%s %q is not a URI such as https://NAME.REGION.kusto.windows.net", setting, text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(u.Host, ";= "):
		err = fmt.Errorf("%s %q holds more than scheme and host", setting, u.Redacted())
	case strings.Trim(u.Path, "/") != "":
		err = fmt.Errorf("%s %q holds a path: the database is given in kusto.database", setting, text)
	}
	if err != nil {
		return "", UsageError("connect", "", err)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// ingestURI derives the ingestion URI of a cluster
// (https://learn.microsoft.com/kusto/api/connection-strings/kusto). A loopback
// address has none of its own.
func ingestURI(cluster string) string {
	scheme, host, _ := strings.Cut(cluster, "://")
	bare := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		bare = h
	}
	if bare == "localhost" || net.ParseIP(strings.Trim(bare, "[]")) != nil || strings.HasPrefix(host, "ingest-") {
		return cluster
	}
	return scheme + "://ingest-" + host
}

// The SDK keeps its trusted hosts for the whole process, without a lock.
var trusting sync.Mutex

func trust(hosts []string) error {
	rules := make([]trustedendpoints.MatchRule, 0, len(hosts))
	for _, h := range hosts {
		host := strings.ToLower(strings.TrimSpace(h))
		if host == "" || strings.ContainsAny(host, "/:@ ") || host == "." {
			return UsageError("connect", "", fmt.Errorf("kusto.trusted_hosts: %q is not a host name, or a suffix that begins with a dot", h))
		}
		rules = append(rules, trustedendpoints.MatchRule{Suffix: host, Exact: !strings.HasPrefix(host, ".")})
	}
	if len(rules) == 0 {
		return nil
	}
	trusting.Lock()
	defer trusting.Unlock()
	return trustedendpoints.Instance.AddTrustedHosts(rules, false)
}
