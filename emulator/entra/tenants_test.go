package entra_test

import (
	"crypto/sha1" // x5t is a SHA-1 thumbprint by definition
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tvmexport/tvmexport/emulator/entra"
)

const (
	customerID = "22222222-3333-4444-5555-666666666666"
	otherID    = "33333333-4444-5555-6666-777777777777"
	localApp   = "aaaaaaaa-0000-0000-0000-000000000002"
)

func partner(o *entra.Options) {
	o.Apps[0].MultiTenant = true
	o.Apps[0].Roles["https://api.security.microsoft.com"] = []string{"AdvancedHunting.Read.All", "AdvancedQuery.Read.All"}
	o.Apps = append(o.Apps, entra.App{ID: localApp, Secrets: []string{secret}})
	o.Customers = []entra.Customer{{ID: strings.ToUpper(customerID), Domain: "Customer.example", Apps: []string{appID}}, {ID: otherID}}
}

func ask(s *entra.Server, tenant, app, scope string) *http.Response {
	return post(s, "/"+tenant+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {secret}, "scope": {scope + "/.default"},
	})
}

// Entra's error for each reason why an application cannot sign in to a tenant.
func TestRefusalsByTenant(t *testing.T) {
	s := newServer(t, partner)
	for _, c := range []struct {
		tenant, app string
		status      int
		want        string
	}{
		{tenantID, appID, 200, ""},
		{customerID, appID, 200, ""},
		{strings.ToUpper(customerID), appID, 200, ""},
		{"customer.example", appID, 200, ""},
		{otherID, appID, 401, "AADSTS7000229: The client application " + appID + " is missing service principal in the tenant " + otherID},
		{customerID, localApp, 400, "AADSTS700016"},
		{tenantID, localApp, 200, ""},
		{customerID, "no-such-app", 400, "AADSTS700016"},
		{"44444444-3333-4444-5555-666666666666", appID, 400, "AADSTS90002"},
	} {
		answer := ask(s, c.tenant, c.app, graph)
		text, _ := decode(t, answer)["error_description"].(string)
		if answer.StatusCode != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s in %s: %d %s, want %d %s", c.app, c.tenant, answer.StatusCode, text, c.status, c.want)
		}
	}
}

// A token says whose it is: tid, issuer, and the object id that the application has there.
func TestTokenOfACustomer(t *testing.T) {
	s := newServer(t, partner)
	token, _ := decode(t, ask(s, "customer.example", appID, graph))["access_token"].(string)
	home, err := s.Issue(appID, graph, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Verify(token, graph)
	if err != nil {
		t.Fatal(err)
	}
	here, err := s.Verify(home, graph)
	if err != nil {
		t.Fatal(err)
	}
	if got.TenantID != customerID || got.AppID != appID || got.ObjectID == here.ObjectID || here.TenantID != tenantID || !got.HasRole("ThreatHunting.Read.All") {
		t.Errorf("%+v, at home %+v", got, here)
	}
	if entra.ClaimedTenant(token) != customerID || entra.ClaimedTenant("x.y.z") != "" {
		t.Error("the tenant that a token claims is not read")
	}
	// The right signature does not help a token of a tenant that is not here, or with the issuer of another.
	for _, c := range []jwt.MapClaims{
		{"tid": "44444444-3333-4444-5555-666666666666", "iss": "https://sts.windows.net/44444444-3333-4444-5555-666666666666/"},
		{"tid": customerID, "iss": "https://sts.windows.net/" + tenantID + "/"},
		{"iss": "https://sts.windows.net/" + tenantID + "/"},
	} {
		c["aud"], c["exp"] = graph, time.Now().Add(time.Hour).Unix()
		forged, err := jwt.NewWithClaims(jwt.SigningMethodRS256, c).SignedString(signingKey())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(forged, graph); !errors.Is(err, entra.ErrSignature) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestConsentByRole(t *testing.T) {
	s := newServer(t, partner)
	const xdr = "https://api.security.microsoft.com"
	roles := func(resource string) string {
		t.Helper()
		token, err := s.IssueIn(customerID, appID, resource, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(c.Roles, " ")
	}
	before, err := s.IssueIn(customerID, appID, graph, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tenants().Consent("customer.example", appID, entra.Consent{Granted: true, Without: []string{"advancedquery.read.all", "ThreatHunting.Read.All"}}); err != nil {
		t.Fatal(err)
	}
	if g, x := roles(graph), roles(xdr); g != "" || x != "AdvancedHunting.Read.All" {
		t.Errorf("roles %q on Graph and %q on XDR", g, x)
	}
	if c, err := s.Verify(before); err != nil || !c.HasRole("ThreatHunting.Read.All") {
		t.Errorf("a token from before: %+v, %v", c, err)
	}
	if c := s.Tenants().ConsentOf(customerID, appID); !c.Granted || strings.Join(c.Without, " ") != "AdvancedQuery.Read.All ThreatHunting.Read.All" {
		t.Errorf("%+v", c)
	}
	if err := s.Tenants().Consent(customerID, appID, entra.Consent{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.IssueIn(customerID, appID, graph, time.Hour); err == nil {
		t.Error("a token was issued without consent")
	}
	for _, c := range []struct {
		tenant, app string
		consent     entra.Consent
	}{
		{"nobody.example", appID, entra.Consent{Granted: true}},
		{customerID, "no-such-app", entra.Consent{Granted: true}},
		{customerID, localApp, entra.Consent{Granted: true}},
		{customerID, appID, entra.Consent{Granted: true, Without: []string{"Mail.Read"}}},
	} {
		if err := s.Tenants().Consent(c.tenant, c.app, c.consent); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

// An assertion for one tenant is of no use in another.
func TestAssertionForAnotherTenant(t *testing.T) {
	c, key := certificate(t)
	thumb := sha1.Sum(c.Raw)
	s := newServer(t, func(o *entra.Options) {
		partner(o)
		o.Apps[0].Certificates = append(o.Apps[0].Certificates, c)
	})
	for tenant, want := range map[string]int{customerID: 200, tenantID: 401} {
		text := assertion(t, key, map[string]any{"x5t": base64.RawURLEncoding.EncodeToString(thumb[:])}, jwt.RegisteredClaims{
			Issuer: appID, Subject: appID, Audience: jwt.ClaimStrings{"https://login.example/" + customerID + "/oauth2/v2.0/token"},
			ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute)),
		})
		answer := post(s, "/"+tenant+"/oauth2/v2.0/token", url.Values{
			"grant_type": {"client_credentials"}, "client_id": {appID}, "scope": {graph + "/.default"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {text},
		})
		if answer.StatusCode != want {
			t.Errorf("in %s: %d %v, want %d", tenant, answer.StatusCode, decode(t, answer), want)
		}
	}
}

func TestTenantsThatContradict(t *testing.T) {
	for name, list := range map[string][]entra.Customer{
		"an id twice":   {{ID: customerID}, {ID: customerID}},
		"the home id":   {{ID: tenantID}},
		"a domain":      {{ID: customerID, Domain: "contoso.example"}},
		"no id":         {{Domain: "x.example"}},
		"no such app":   {{ID: customerID, Apps: []string{"nobody"}}},
		"not for other": {{ID: customerID, Apps: []string{appID}}},
	} {
		_, err := entra.New(entra.Options{TenantID: tenantID, Domain: "contoso.example", Key: signingKey(), Apps: []entra.App{{ID: appID}}, Customers: list})
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
