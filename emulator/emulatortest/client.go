package emulatortest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

// Identity is the client id of an application of the tenant.
type Identity string

// The applications that every emulator has.
const (
	// Exporter may hunt, and is user and ingestor of the database.
	Exporter Identity = emulator.ExporterID
	// Admin administers the database: it creates tables and grants roles. It may not hunt.
	Admin Identity = emulator.AdminID
)

// The resources that tokens are for.
const (
	GraphResource = emulator.GraphResource
	XDRResource   = emulator.XDRResource
	MDEResource   = emulator.MDEResource
	KustoResource = emulator.KustoResource // cluster and ingestion service
	// StorageResource is Azure Storage: the container at Endpoints.Lake.
	StorageResource = emulator.StorageResource
)

// Client is a client for the services. It adds no tokens. Without Loopback, a request to
// any other host is an error.
func (e *Emulator) Client() *http.Client { return e.client }

// SignedIn is a Client that adds a valid token of an application to each request to
// hunting, the cluster and the ingestion service. It does not change requests to storage
// and requests with an Authorization header. Requests fail if the tenant has no such
// application.
func (e *Emulator) SignedIn(as Identity) *http.Client {
	return &http.Client{Transport: signedIn{e, as}}
}

// TokenRequest describes a token.
type TokenRequest struct {
	Resource string   // the API, as a URI or a scope: GraphResource, or GraphResource + "/.default"
	As       Identity // the application; "" means Exporter
	Tenant   string   // its id or name of Endpoints().Tenants; "" means the first one
	// Roles are the application permissions in the token, such as
	// "ThreatHunting.Read.All". nil means those of the application; empty means none.
	Roles    []string
	Lifetime time.Duration // starting Now; 0 means one hour; a negative one makes an expired token
}

// Token makes an access token: a signed JWT that the service of its resource accepts
// as a bearer token, and the others refuse. The error names an application or a resource
// that the tenant does not have.
func (e *Emulator) Token(r TokenRequest) (string, error) {
	if r.As == "" {
		r.As = Exporter
	}
	if r.Lifetime == 0 {
		r.Lifetime = time.Hour
	}
	resource := strings.TrimSuffix(r.Resource, "/.default")
	if r.Tenant != "" {
		if r.Roles != nil {
			return "", errors.New("emulatortest: a token request has Roles or a Tenant, not both; Consent changes the roles of a tenant")
		}
		return e.services.Entra().IssueIn(e.tenantID(r.Tenant), string(r.As), resource, r.Lifetime)
	}
	if r.Roles != nil {
		return e.services.Entra().IssueWithRoles(string(r.As), resource, r.Lifetime, r.Roles...)
	}
	return e.services.Entra().Issue(string(r.As), resource, r.Lifetime)
}

// tenantID is the id of a tenant by its name; any other text is returned as it is.
func (e *Emulator) tenantID(name string) string {
	for _, t := range e.Endpoints().Tenants {
		if strings.EqualFold(t.Name, name) {
			return t.TenantID
		}
	}
	return name
}

// Env is the environment with which official clients and tvmexport sign in as Exporter
// and trust the emulator, as KEY=VALUE for exec.Cmd. Without Loopback, it is nil.
func (e *Emulator) Env() []string {
	at := e.Endpoints()
	if at.CA == "" {
		return nil
	}
	return []string{
		"AZURE_AUTHORITY_HOST=" + at.Authority, "AZURE_TENANT_ID=" + at.TenantID,
		"AZURE_CLIENT_ID=" + at.ClientID, "AZURE_CLIENT_SECRET=" + at.ClientSecret,
		"SSL_CERT_FILE=" + at.CA, "REQUESTS_CA_BUNDLE=" + at.CA, "NODE_EXTRA_CA_CERTS=" + at.CA,
	}
}

// signedIn adds the token that a request needs.
type signedIn struct {
	e  *Emulator
	as Identity
}

// RoundTrip implements http.RoundTripper.
func (s signedIn) RoundTrip(r *http.Request) (*http.Response, error) {
	if resource := s.e.resource(r.URL); resource != "" && r.Header.Get("Authorization") == "" {
		token, err := s.e.Token(TokenRequest{Resource: resource, As: s.as})
		if err != nil {
			if r.Body != nil {
				_ = r.Body.Close() // nothing was read of it
			}
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.e.client.Transport.RoundTrip(r)
}

// resource is what a token for a URL must be for; "" for none. On loopback the hunting
// services and sign-in share a host.
func (e *Emulator) resource(u *url.URL) string {
	at := e.Endpoints()
	is := func(base string) bool { return strings.EqualFold("https://"+u.Host, base) }
	switch {
	case is(at.Kusto), is(at.Ingest):
		return KustoResource
	case strings.HasPrefix("https://"+u.Host+u.Path, at.Lake):
		return StorageResource
	case !is(at.Graph) && !is(at.XDR) && !is(at.MDE):
		return ""
	case strings.HasPrefix(u.Path, "/v1.0/"), strings.HasPrefix(u.Path, "/beta/"):
		return GraphResource
	case strings.HasPrefix(u.Path, "/api/advancedqueries"):
		return MDEResource
	case strings.HasPrefix(u.Path, "/api/"):
		return XDRResource
	}
	return ""
}

// trusting is a transport that trusts the certificate in a file, and no other.
func trusting(file string) (*http.Transport, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the emulator's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}, nil
}
