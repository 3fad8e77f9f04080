// Package entra emulates the Microsoft Entra ID endpoints that a program without a
// user needs: the v1 and v2 token endpoints with a client
// secret or a client assertion, the discovery documents and the signing keys,
// and the two forms in which Azure's machines hand out tokens of their managed
// identities.
//
// Tokens are real RS256 JSON Web Tokens in the v1.0 format, which is what
// Microsoft Graph, the Defender APIs and Kusto request from both endpoints. The
// endpoints are described at
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow,
// the claims at https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
//
// It is for tests: it has no users and no conditional access, and what it does not do it
// refuses with Entra's error shape. An administrator's consent is a call of Tenants.Consent.
package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// DefaultLifetime is how long a token is valid: about an hour, as documented in
// https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime.
const DefaultLifetime = time.Hour

// Options says what a Server knows. TenantID is required.
type Options struct {
	TenantID string
	Domain   string // the tenant's name, accepted in place of its id; "" for none
	Apps     []App
	// Customers are further tenants. Of the applications, those that are multi-tenant can
	// sign in there, once an administrator of that tenant has consented.
	Customers []Customer
	Resources []Resource
	// Managed are the identities of the machine that asks the metadata service;
	// each is one of Apps. IdentityHeader is the secret of App Service's form, ""
	// refuses that form.
	Managed        []ManagedIdentity
	IdentityHeader string

	Now      func() time.Time // wall clock; nil means time.Now
	Lifetime time.Duration    // of a token; 0 means DefaultLifetime
	Key      *rsa.PrivateKey  // signs the tokens; nil makes a new one
}

// Customer is a tenant in which no application is registered.
type Customer struct {
	ID     string
	Domain string   // accepted in place of ID; "" for none
	Apps   []string // ids of the multi-tenant applications that it has consented to
}

// App is a registered application with its service principal in the tenant.
type App struct {
	ID             string              // application (client) id
	ObjectID       string              // of the service principal; "" makes one from ID
	Name           string              // display name
	Secrets        []string            // client secrets that are accepted
	ExpiredSecrets []string            // client secrets that are known and refused with AADSTS7000222
	Certificates   []*x509.Certificate // of client assertions the app signs itself
	Federated      []FederatedCredential
	Roles          map[string][]string // application permissions by resource URI
	MultiTenant    bool                // other tenants can consent to it
}

// Resource is an API that tokens can be asked for.
type Resource struct {
	URI     string   // the audience of its tokens, without a slash at the end
	AppID   string   // accepted in place of the URI; "" for none
	Aliases []string // further URIs; a token keeps the one that was asked for as its audience
}

// Server answers the token endpoints and verifies the tokens it issued. It is an
// http.Handler and safe for concurrent use.
type Server struct {
	tenantID  string
	tenants   *Tenants
	apps      map[string]App
	resources []Resource
	now       func() time.Time
	lifetime  time.Duration
	key       *rsa.PrivateKey
	keyID     string
	mux       *http.ServeMux

	managed        []ManagedIdentity
	identityHeader string

	tokens tokens // that were shown

	issued  atomic.Int64
	refused atomic.Int64
}

// Stats counts what the token endpoints have answered.
type Stats struct {
	Issued  int64 `json:"issued"`
	Refused int64 `json:"refused"`
}

// processKey is the signing key of all servers of this process that get none of
// their own. To make one takes longer than to start the rest of an emulator.
var processKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// New makes a Server. It fails when the options contradict themselves or no key
// could be made.
func New(o Options) (*Server, error) {
	if o.TenantID == "" {
		return nil, fmt.Errorf("entra: Options.TenantID is empty; give the tenant's id")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lifetime == 0 {
		o.Lifetime = DefaultLifetime
	}
	if o.Key == nil {
		key, err := processKey()
		if err != nil {
			return nil, fmt.Errorf("entra: make the signing key: %w", err)
		}
		o.Key = key
	}
	s := &Server{
		tenantID: strings.ToLower(o.TenantID),
		apps:     make(map[string]App, len(o.Apps)),
		now:      o.Now,
		lifetime: o.Lifetime,
		key:      o.Key,
		keyID:    keyID(&o.Key.PublicKey),
	}
	for _, app := range o.Apps {
		app, err := app.complete()
		if err != nil {
			return nil, err
		}
		if _, twice := s.apps[app.ID]; twice {
			return nil, fmt.Errorf("entra: application %s is registered twice", app.ID)
		}
		s.apps[app.ID] = app
	}
	var err error
	if s.tenants, err = newTenants(o, s.apps); err != nil {
		return nil, err
	}
	s.identityHeader = o.IdentityHeader
	for _, m := range o.Managed {
		m.AppID = strings.ToLower(m.AppID)
		if _, ok := s.apps[m.AppID]; !ok {
			return nil, fmt.Errorf("entra: the managed identity %s is none of Options.Apps", m.AppID)
		}
		s.managed = append(s.managed, m)
	}
	for _, r := range o.Resources {
		r.URI = strings.TrimSuffix(r.URI, "/")
		s.resources = append(s.resources, r)
	}
	s.mux = s.routes()
	return s, nil
}

// complete fills the defaults of a registration and checks it.
func (a App) complete() (App, error) {
	a.ID = strings.ToLower(a.ID)
	if a.ID == "" {
		return App{}, fmt.Errorf("entra: application %q has no id", a.Name)
	}
	if a.ObjectID == "" {
		a.ObjectID = uuid.NewSHA1(uuid.NameSpaceOID, []byte("service principal of "+a.ID)).String()
	}
	for i, c := range a.Certificates {
		if c == nil {
			return App{}, fmt.Errorf("entra: certificate %d of application %s is empty", i, a.ID)
		}
	}
	return a, nil
}

// App is the registration with that id, or false.
func (s *Server) App(id string) (App, bool) {
	app, ok := s.apps[strings.ToLower(id)]
	return app, ok
}

// Tenants are the home tenant and the customers.
func (s *Server) Tenants() *Tenants { return s.tenants }

// Stats is what was answered so far.
func (s *Server) Stats() Stats {
	return Stats{Issued: s.issued.Load(), Refused: s.refused.Load()}
}

// ServeHTTP answers the endpoints of an authority.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// resource finds the API that name means: its URI, an alias or its application
// id. The audience of a token is the name as it was asked for.
func (s *Server) resource(name string) (Resource, bool) {
	trimmed := strings.TrimSuffix(name, "/")
	for _, r := range s.resources {
		if strings.EqualFold(trimmed, r.URI) || r.AppID != "" && strings.EqualFold(trimmed, r.AppID) {
			return r, true
		}
		for _, alias := range r.Aliases {
			if strings.EqualFold(trimmed, strings.TrimSuffix(alias, "/")) {
				return r, true
			}
		}
	}
	return Resource{}, false
}

// keyID is a stable name of a public key, in the way of RFC 7638 but shorter.
func keyID(k *rsa.PublicKey) string {
	h := sha256.New()
	h.Write(k.N.Bytes())
	var e [8]byte
	binary.BigEndian.PutUint64(e[:], uint64(k.E))
	h.Write(e[:])
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:20])
}
