package entra

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// maxTokenRequest bounds a token request; a client assertion has a few kilobytes.
const maxTokenRequest = 1 << 20

// claims is the payload of an access token in the v1.0 format.
type claims struct {
	Audience string   `json:"aud"` // one text, where the library would write a list
	Version  string   `json:"ver"`
	TenantID string   `json:"tid"`
	ObjectID string   `json:"oid"`
	AppID    string   `json:"appid"`
	AppACR   string   `json:"appidacr"` // how the app signed in: 1 a secret, 2 a certificate
	AppName  string   `json:"app_displayname,omitempty"`
	IDType   string   `json:"idtyp"`
	Roles    []string `json:"roles,omitempty"`
	Provider string   `json:"idp"`
	TokenID  string   `json:"uti"`
	Resource string   `json:"xms_mirid,omitempty"` // of a managed identity
	jwt.RegisteredClaims
}

// grant is what a token endpoint decided to issue.
type grant struct {
	token    string
	lifetime time.Duration
	from     time.Time
	to       time.Time
}

// tokenV2 answers the v2.0 endpoint: the API is named by scope.
func (s *Server) tokenV2(w http.ResponseWriter, r *http.Request) {
	g, refused := s.grant(w, r, "scope")
	if refused != nil {
		s.refuse(w, r, *refused)
		return
	}
	s.issued.Add(1)
	writeJSON(w, http.StatusOK, map[string]any{
		"token_type":     "Bearer",
		"expires_in":     int(g.lifetime/time.Second) - 1,
		"ext_expires_in": int(g.lifetime/time.Second) - 1,
		"access_token":   g.token,
	})
}

// tokenV1 answers the v1.0 endpoint: the API is named by resource, and numbers
// are strings.
func (s *Server) tokenV1(w http.ResponseWriter, r *http.Request) {
	g, refused := s.grant(w, r, "resource")
	if refused != nil {
		s.refuse(w, r, *refused)
		return
	}
	s.issued.Add(1)
	seconds := strconv.Itoa(int(g.lifetime/time.Second) - 1)
	writeJSON(w, http.StatusOK, map[string]any{
		"token_type":     "Bearer",
		"expires_in":     seconds,
		"ext_expires_in": seconds,
		"expires_on":     strconv.FormatInt(g.to.Unix(), 10),
		"not_before":     strconv.FormatInt(g.from.Unix(), 10),
		"resource":       r.PostForm.Get("resource"),
		"access_token":   g.token,
	})
}

// grant checks a request of the client credentials flow and makes its token.
// parameter is the form field that names the API: scope or resource.
func (s *Server) grant(w http.ResponseWriter, r *http.Request, parameter string) (grant, *refusal) {
	tenant := r.PathValue("tenant")
	in := s.tenants.directory(tenant)
	if in == nil {
		return grant{}, refusalOf(tenantNotFound(tenant))
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxTokenRequest)
	if err := r.ParseForm(); err != nil {
		return grant{}, refusalOf(unreadableBody())
	}
	form := r.PostForm
	for _, name := range []string{"grant_type", "client_id", parameter} {
		// The client may also name itself by basic authentication.
		if name == "client_id" && r.Header.Get("Authorization") != "" {
			continue
		}
		if form.Get(name) == "" {
			return grant{}, refusalOf(missingParameter(name))
		}
	}
	if got := form.Get("grant_type"); got != "client_credentials" {
		return grant{}, refusalOf(unsupportedGrant(got))
	}
	app, method, refused := s.authenticate(r, in)
	if refused != nil {
		return grant{}, refused
	}
	app, consented := in.principal(app)
	if !consented {
		return grant{}, refusalOf(noServicePrincipal(app.ID, in.id))
	}
	audience := form.Get(parameter)
	if parameter == "scope" {
		if audience, refused = audienceOfScope(audience); refused != nil {
			return grant{}, refused
		}
	}
	resource, ok := s.resource(audience)
	if !ok {
		return grant{}, refusalOf(resourceNotFound(audience, tenant))
	}
	g, err := s.sign(claimed{app: app, tenant: in.id, resource: resource, audience: audience, by: method, from: s.now(), lifetime: s.lifetime})
	if err != nil {
		return grant{}, refusalOf(refusal{http.StatusInternalServerError, "server_error", 90033, err.Error()})
	}
	return g, nil
}

func refusalOf(f refusal) *refusal { return &f }

// audienceOfScope is the resource that `<resource>/.default` names. A resource
// URI that ends in a slash gives two slashes, and keeps its own.
func audienceOfScope(scope string) (string, *refusal) {
	var found string
	for _, s := range strings.Fields(scope) {
		switch s {
		case "openid", "profile", "offline_access": // what a client adds of itself has no meaning here
			continue
		}
		audience, isDefault := strings.CutSuffix(s, "/.default")
		if !isDefault {
			return "", refusalOf(notDefaultScope(s))
		}
		if found != "" && found != audience {
			return "", refusalOf(invalidScope(scope))
		}
		found = audience
	}
	if found == "" {
		return "", refusalOf(invalidScope(scope))
	}
	return found, nil
}

// credential is how an application proved who it is: the appidacr claim.
type credential string

const (
	bySecret      credential = "1"
	byCertificate credential = "2"
)

// authenticate finds the application of a request in a tenant and checks its credential.
func (s *Server) authenticate(r *http.Request, in *directory) (App, credential, *refusal) {
	form := r.PostForm
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok && secret == "" {
		id, secret = user, password
	}
	app, ok := s.App(id)
	if !ok || !in.home && !app.MultiTenant {
		return App{}, "", refusalOf(appNotFound(id, r.PathValue("tenant")))
	}
	switch {
	case form.Get("client_assertion") != "":
		if refused := s.checkAssertion(r, app, form.Get("client_assertion_type"), form.Get("client_assertion")); refused != nil {
			return App{}, "", refused
		}
		return app, byCertificate, nil
	case secret == "":
		return App{}, "", refusalOf(noCredential())
	case slices.Contains(app.Secrets, secret):
		return app, bySecret, nil
	case slices.Contains(app.ExpiredSecrets, secret):
		return App{}, "", refusalOf(expiredSecret(app.ID))
	default:
		return App{}, "", refusalOf(invalidSecret(app.ID))
	}
}

// Issue makes a token of Options.TenantID for a registered application without a request, for
// tests and for a program that holds the Server itself. A negative lifetime gives a
// token that has already expired.
func (s *Server) Issue(appID, resource string, lifetime time.Duration) (string, error) {
	return s.IssueIn(s.tenantID, appID, resource, lifetime)
}

// IssueIn is Issue in one of the tenants, by its id or domain. The application has the roles
// that the tenant has consented to.
func (s *Server) IssueIn(tenant, appID, resource string, lifetime time.Duration) (string, error) {
	app, ok := s.App(appID)
	if !ok {
		return "", fmt.Errorf("entra: no application %s; register it in Options.Apps", appID)
	}
	in := s.tenants.directory(tenant)
	if in == nil {
		return "", fmt.Errorf("entra: no tenant %s; name it in Options.Customers", tenant)
	}
	app, consented := in.principal(app)
	if !consented {
		return "", fmt.Errorf("entra: tenant %s has not consented to application %s; call Tenants().Consent", tenant, appID)
	}
	return s.issue(in.id, app, resource, lifetime)
}

// IssueWithRoles is Issue with these application permissions in place of those of
// the registration, such as none.
func (s *Server) IssueWithRoles(appID, resource string, lifetime time.Duration, roles ...string) (string, error) {
	app, ok := s.App(appID)
	if !ok {
		return "", fmt.Errorf("entra: no application %s; register it in Options.Apps", appID)
	}
	app.Roles = map[string][]string{}
	if r, ok := s.resource(resource); ok {
		app.Roles[r.URI] = roles
	}
	return s.issue(s.tenantID, app, resource, lifetime)
}

func (s *Server) issue(tenant string, app App, resource string, lifetime time.Duration) (string, error) {
	r, ok := s.resource(resource)
	if !ok {
		return "", fmt.Errorf("entra: no resource %s; register it in Options.Resources", resource)
	}
	from := s.now()
	if lifetime < 0 {
		from = from.Add(2 * lifetime)
		lifetime = -lifetime
	}
	g, err := s.sign(claimed{app: app, tenant: tenant, resource: r, audience: resource, by: bySecret, from: from, lifetime: lifetime})
	return g.token, err
}

// claimed is what a token says.
type claimed struct {
	app      App
	tenant   string // id
	resource Resource
	audience string // as the request names the resource
	by       credential
	from     time.Time
	lifetime time.Duration
	identity string // resource id of a user-assigned managed identity, "" for others
}

// sign makes a token. Times are in seconds, as in every JWT.
func (s *Server) sign(c claimed) (grant, error) {
	from := c.from.Truncate(time.Second)
	to := from.Add(c.lifetime)
	issuer := issuer(c.tenant)
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		Audience: c.audience,
		Version:  "1.0",
		TenantID: c.tenant,
		ObjectID: c.app.ObjectID,
		AppID:    c.app.ID,
		AppACR:   string(c.by),
		AppName:  c.app.Name,
		IDType:   "app",
		Roles:    c.app.Roles[c.resource.URI],
		Provider: issuer,
		TokenID:  uuid.NewString(),
		Resource: c.identity,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    issuer,
			Subject:   c.app.ObjectID,
			IssuedAt:  jwt.NewNumericDate(from),
			NotBefore: jwt.NewNumericDate(from),
			ExpiresAt: jwt.NewNumericDate(to),
		},
	})
	t.Header["kid"] = s.keyID
	t.Header["x5t"] = s.keyID
	token, err := t.SignedString(s.key)
	if err != nil {
		return grant{}, fmt.Errorf("entra: sign a token: %w", err)
	}
	return grant{token: token, lifetime: c.lifetime, from: from, to: to}, nil
}
