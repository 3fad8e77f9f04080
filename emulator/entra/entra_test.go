package entra_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/entra"
)

const (
	tenantID = "11111111-2222-3333-4444-555555555555"
	appID    = "aaaaaaaa-0000-0000-0000-000000000001"
	secret   = "correct horse battery staple"
	graph    = "https://graph.microsoft.com"
)

// signingKey is shared by the tests since making one takes a while.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// certificate is a self-signed one with its key.
func certificate(t testing.TB) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "app"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func newServer(t testing.TB, change func(*entra.Options)) *entra.Server {
	t.Helper()
	o := entra.Options{
		TenantID: tenantID,
		Domain:   "contoso.example",
		Key:      signingKey(),
		Apps: []entra.App{{
			ID:             appID,
			ObjectID:       "aaaaaaaa-0000-0000-0000-00000000000f",
			Name:           "exporter",
			Secrets:        []string{secret},
			ExpiredSecrets: []string{"last year's"},
			Roles:          map[string][]string{graph: {"ThreatHunting.Read.All"}},
		}},
		Resources: []entra.Resource{
			{URI: graph, AppID: "00000003-0000-0000-c000-000000000000", Aliases: []string{"https://graph.microsoft.us"}},
			{URI: "https://api.security.microsoft.com"},
		},
	}
	if change != nil {
		change(&o)
	}
	s, err := entra.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// post sends a form to the server, without a socket.
func post(s http.Handler, path string, form url.Values) *http.Response {
	r := httptest.NewRequest("POST", "https://login.example"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func decode(t testing.TB, resp *http.Response) map[string]any {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("not JSON: %q: %v", body, err)
	}
	return m
}

func TestTokenOfBothEndpointsCarriesTheClaims(t *testing.T) {
	s := newServer(t, nil)
	for _, tt := range []struct {
		name, path string
		form       url.Values
		expiresIn  any // a number on v2, a string on v1
	}{
		{"v2", "/" + tenantID + "/oauth2/v2.0/token", url.Values{"scope": {graph + "/.default"}}, float64(3599)},
		{"v1", "/" + tenantID + "/oauth2/token", url.Values{"resource": {graph}}, "3599"},
		{"by the tenant's name", "/contoso.example/oauth2/v2.0/token", url.Values{"scope": {graph + "/.default openid"}}, float64(3599)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.form.Set("grant_type", "client_credentials")
			tt.form.Set("client_id", strings.ToUpper(appID))
			tt.form.Set("client_secret", secret)
			resp := post(s, tt.path, tt.form)
			body := decode(t, resp)
			if resp.StatusCode != 200 || body["token_type"] != "Bearer" || body["expires_in"] != tt.expiresIn {
				t.Fatalf("status %d, body %v", resp.StatusCode, body)
			}
			got, err := s.Verify(body["access_token"].(string), graph+"/")
			if err != nil {
				t.Fatal(err)
			}
			if d := time.Until(got.Expiry); d < 59*time.Minute || d > time.Hour {
				t.Errorf("expires in %v, want about an hour", d)
			}
			got.Expiry = time.Time{}
			want := entra.Claims{
				AppID: appID, ObjectID: "aaaaaaaa-0000-0000-0000-00000000000f", TenantID: tenantID,
				Name: "exporter", Audience: graph, Roles: []string{"ThreatHunting.Read.All"},
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Clients and other services read the payload themselves: names and shapes are
// those of https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
func TestPayload(t *testing.T) {
	s := newServer(t, func(o *entra.Options) {
		o.Now = func() time.Time { return time.Unix(1_800_000_000, 5) }
	})
	token, err := s.Issue(appID, graph, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	if id, _ := got["uti"].(string); id == "" {
		t.Error("uti is empty")
	}
	delete(got, "uti")
	const issuer = "https://sts.windows.net/" + tenantID + "/"
	want := map[string]any{
		"aud": graph, "iss": issuer, "idp": issuer, "ver": "1.0", "idtyp": "app", "tid": tenantID,
		"appid": appID, "appidacr": "1", "app_displayname": "exporter",
		"oid": "aaaaaaaa-0000-0000-0000-00000000000f", "sub": "aaaaaaaa-0000-0000-0000-00000000000f",
		"roles": []any{"ThreatHunting.Read.All"},
		"iat":   1.8e9, "nbf": 1.8e9, "exp": 1.8e9 + 3600,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestRolesBelongToOneResource(t *testing.T) {
	s := newServer(t, nil)
	token, err := s.Issue(appID, "https://api.security.microsoft.com", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	if c.HasRole("ThreatHunting.Read.All") {
		t.Error("a role of Graph is in a token for another API")
	}
}

func TestRefusals(t *testing.T) {
	s := newServer(t, nil)
	const v2 = "/" + tenantID + "/oauth2/v2.0/token"
	good := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {appID}, "client_secret": {secret}, "scope": {graph + "/.default"},
	}
	with := func(pairs ...string) url.Values {
		form := url.Values{}
		for k, v := range good {
			form[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
			if pairs[i+1] == "" {
				form.Del(pairs[i])
			}
		}
		return form
	}
	for _, tt := range []struct {
		name, path string
		form       url.Values
		status     int
		oauth      string
		number     float64
		text       string
	}{
		{"secret", v2, with("client_secret", "wrong"), 401, "invalid_client", 7000215, "AADSTS7000215: Invalid client secret provided."},
		{"old secret", v2, with("client_secret", "last year's"), 401, "invalid_client", 7000222, "are expired"},
		{"app", v2, with("client_id", "aaaaaaaa-0000-0000-0000-000000000009"), 400, "unauthorized_client", 700016, "AADSTS700016: Application with identifier 'aaaaaaaa-0000-0000-0000-000000000009' was not found in the directory"},
		{"tenant", "/99999999-2222-3333-4444-555555555555/oauth2/v2.0/token", good, 400, "invalid_request", 90002, "AADSTS90002: Tenant '99999999-2222-3333-4444-555555555555' not found."},
		{"resource", v2, with("scope", "https://nothing.example/.default"), 400, "invalid_resource", 500011, "AADSTS500011: The resource principal named https://nothing.example was not found in the tenant named " + tenantID},
		{"v1 resource", "/" + tenantID + "/oauth2/token", with("resource", "https://nothing.example"), 400, "invalid_resource", 500011, "https://nothing.example"},
		{"no grant", v2, with("grant_type", ""), 400, "invalid_request", 900144, "'grant_type'"},
		{"no scope", v2, with("scope", ""), 400, "invalid_request", 900144, "'scope'"},
		{"grant", v2, with("grant_type", "password"), 400, "unsupported_grant_type", 70003, "'password'"},
		{"scope without .default", v2, with("scope", graph+"/User.Read"), 400, "invalid_scope", 1002012, "/.default suffixed"},
		{"two resources", v2, with("scope", graph+"/.default https://api.security.microsoft.com/.default"), 400, "invalid_scope", 70011, "is not valid"},
		{"no credential", v2, with("client_secret", ""), 401, "invalid_client", 7000216, "'client_assertion'"},
		{"assertion that is no JWT", v2, with("client_secret", "", "client_assertion", "x", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), 401, "invalid_client", 50027, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := post(s, tt.path, tt.form)
			body := decode(t, resp)
			if resp.StatusCode != tt.status || body["error"] != tt.oauth {
				t.Errorf("status %d error %v, want %d %s", resp.StatusCode, body["error"], tt.status, tt.oauth)
			}
			if d := cmp.Diff([]any{tt.number}, body["error_codes"]); d != "" {
				t.Error(d)
			}
			text := body["error_description"].(string)
			if !strings.Contains(text, tt.text) || !strings.Contains(text, " Trace ID: ") {
				t.Errorf("description %q, want %q in it", text, tt.text)
			}
			if strings.Contains(text, secret) {
				t.Error("the secret is in the error")
			}
		})
	}
}

func TestVerifyTellsTheReason(t *testing.T) {
	s := newServer(t, nil)
	other := newServer(t, func(o *entra.Options) { o.Key = nil })
	tenant := newServer(t, func(o *entra.Options) { o.TenantID = "22222222-2222-3333-4444-555555555555" })
	issue := func(s *entra.Server, lifetime time.Duration) string {
		token, err := s.Issue(appID, graph, lifetime)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := issue(s, time.Hour)
	for _, tt := range []struct {
		name, token string
		audience    string
		want        error
	}{
		{"good", good, graph, nil},
		{"none", "", graph, entra.ErrNoToken},
		{"text", "abc", graph, entra.ErrMalformed},
		{"another authority's", issue(other, time.Hour), graph, entra.ErrSignature},
		{"another tenant's", issue(tenant, time.Hour), graph, entra.ErrSignature},
		{"changed", good[:len(good)-6] + "AAAAAA", graph, entra.ErrSignature},
		{"unsigned", "eyJhbGciOiJub25lIn0.e30.", graph, entra.ErrSignature},
		{"expired", issue(s, -time.Minute), graph, entra.ErrExpired},
		{"audience", good, "https://api.security.microsoft.com", entra.ErrWrongAudience},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Verify(tt.token, tt.audience)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestTokenExpiresByTheClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s := newServer(t, func(o *entra.Options) {
		o.Now = func() time.Time { return now }
		o.Lifetime = 10 * time.Minute
	})
	token, err := s.Issue(appID, graph, 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(9 * time.Minute)
	if _, err := s.Verify(token, graph); err != nil {
		t.Errorf("after 9 of 10 minutes: %v", err)
	}
	now = now.Add(2 * time.Minute)
	if _, err := s.Verify(token, graph); !errors.Is(err, entra.ErrExpired) {
		t.Errorf("after 11 of 10 minutes: %v", err)
	}
}

func TestNewRefusesContradictions(t *testing.T) {
	for name, o := range map[string]entra.Options{
		"no tenant": {Key: signingKey()},
		"no app id": {TenantID: tenantID, Key: signingKey(), Apps: []entra.App{{Name: "x"}}},
		"twice":     {TenantID: tenantID, Key: signingKey(), Apps: []entra.App{{ID: "a"}, {ID: "A"}}},
	} {
		if _, err := entra.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
