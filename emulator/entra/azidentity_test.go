package entra_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"

	"github.com/tvmexport/tvmexport/emulator/entra"
)

// options point an official credential at the server.
func options(server *httptest.Server) azcore.ClientOptions {
	return azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: server.URL},
		Transport: server.Client(),
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}
}

func serve(t *testing.T, s *entra.Server) *httptest.Server {
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	return server
}

// verify asks the credential for a token of Graph and checks it.
func verify(t *testing.T, s *entra.Server, c azcore.TokenCredential) {
	t.Helper()
	token, err := c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{graph + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := s.Verify(token.Token, graph)
	if err != nil {
		t.Fatal(err)
	}
	if !claims.HasRole("ThreatHunting.Read.All") || claims.AppID != appID {
		t.Errorf("claims %+v", claims)
	}
}

func TestOfficialClientSecretCredential(t *testing.T) {
	s := newServer(t, nil)
	server := serve(t, s)
	c, err := azidentity.NewClientSecretCredential(tenantID, appID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: options(server), DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	verify(t, s, c)
}

// The authority "adfs" needs no discovery at login.microsoftonline.com, so a
// program that cannot switch discovery off works all the same.
func TestOfficialClientSecretCredentialThroughADFS(t *testing.T) {
	s := newServer(t, nil)
	server := serve(t, s)
	c, err := azidentity.NewClientSecretCredential("adfs", appID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: options(server),
	})
	if err != nil {
		t.Fatal(err)
	}
	verify(t, s, c)
}

// everywhere sends the calls for any host to one handler, as a transport that
// stands for the whole of the service does.
type everywhere struct{ http.Handler }

func (e everywhere) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	served := r.Clone(r.Context())
	served.Host = r.URL.Host
	e.ServeHTTP(w, served)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func TestOfficialClientWithDiscoveryThroughTransport(t *testing.T) {
	s := newServer(t, nil)
	c, err := azidentity.NewClientSecretCredential(tenantID, appID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: azcore.ClientOptions{
			Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com"},
			Transport: everywhere{s},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	verify(t, s, c)
}

func TestOfficialCertificateCredential(t *testing.T) {
	cert, key := certificate(t)
	register := func(o *entra.Options) { o.Apps[0].Certificates = []*x509.Certificate{cert} }
	s := newServer(t, register)
	server := serve(t, s)
	for _, chain := range []bool{false, true} {
		c, err := azidentity.NewClientCertificateCredential(tenantID, appID, []*x509.Certificate{cert}, key,
			&azidentity.ClientCertificateCredentialOptions{
				ClientOptions: options(server), DisableInstanceDiscovery: true, SendCertificateChain: chain,
			})
		if err != nil {
			t.Fatal(err)
		}
		verify(t, s, c)
	}
}

func TestOfficialClientShowsTheRefusal(t *testing.T) {
	known, _ := certificate(t)
	foreign, foreignKey := certificate(t)
	s := newServer(t, func(o *entra.Options) { o.Apps[0].Certificates = []*x509.Certificate{known} })
	server := serve(t, s)
	wrongSecret, err := azidentity.NewClientSecretCredential(tenantID, appID, "wrong", &azidentity.ClientSecretCredentialOptions{
		ClientOptions: options(server), DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	wrongKey, err := azidentity.NewClientCertificateCredential(tenantID, appID, []*x509.Certificate{foreign}, foreignKey,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options(server), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]azcore.TokenCredential{"AADSTS7000215": wrongSecret, "AADSTS700027": wrongKey} {
		_, err := c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{graph + "/.default"}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A certificate that has expired is refused in Entra's words, though it is registered.
func TestOfficialCertificateCredentialExpired(t *testing.T) {
	cert, key := certificate(t)
	s := newServer(t, func(o *entra.Options) {
		o.Apps[0].Certificates = []*x509.Certificate{cert}
		o.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	})
	server := serve(t, s)
	c, err := azidentity.NewClientCertificateCredential(tenantID, appID, []*x509.Certificate{cert}, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options(server), DisableInstanceDiscovery: true, SendCertificateChain: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{graph + "/.default"}})
	if err == nil || !strings.Contains(err.Error(), "AADSTS700027") || !strings.Contains(err.Error(), "[Reason - The key used is expired.") {
		t.Errorf("got %v", err)
	}
}

func TestOfficialWorkloadIdentityCredential(t *testing.T) {
	issuer, err := entra.NewIssuer("https://oidc.example/cluster/", "system:serviceaccount:ns:exporter")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, func(o *entra.Options) { o.Apps[0].Federated = []entra.FederatedCredential{issuer.Credential()} })
	server := serve(t, s)
	for _, tt := range []struct {
		at   time.Time
		want string // in the error; "" for success
	}{
		{time.Now(), ""},
		{time.Now().Add(-2 * time.Hour), "AADSTS700024:"},
	} {
		token, err := issuer.Token(tt.at, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options(server), DisableInstanceDiscovery: true, TenantID: tenantID, ClientID: appID, TokenFilePath: file,
		})
		if err != nil {
			t.Fatal(err)
		}
		if tt.want == "" {
			verify(t, s, c)
			continue
		}
		if _, err = c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{graph + "/.default"}}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// assertion signs a client assertion.
func assertion(t *testing.T, key crypto.Signer, header map[string]any, c jwt.RegisteredClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, c)
	for k, v := range header {
		token.Header[k] = v
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFederatedAssertion(t *testing.T) {
	_, issuerKey := certificate(t)
	_, strangerKey := certificate(t)
	s := newServer(t, func(o *entra.Options) {
		o.Apps[0].Federated = []entra.FederatedCredential{{
			Issuer: "https://oidc.example", Subject: "system:serviceaccount:ns:exporter", Key: &issuerKey.PublicKey,
		}}
	})
	server := serve(t, s)
	payload := jwt.RegisteredClaims{
		Issuer: "https://oidc.example", Subject: "system:serviceaccount:ns:exporter",
		Audience:  jwt.ClaimStrings{"api://AzureADTokenExchange"},
		ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute)),
	}
	otherSubject := payload
	otherSubject.Subject = "system:serviceaccount:ns:other"
	otherIssuer, otherAudience := payload, payload
	otherIssuer.Issuer = "https://oidc.example/"
	otherAudience.Audience = jwt.ClaimStrings{"https://kubernetes.default.svc"}
	late := payload
	late.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Hour))
	for _, tt := range []struct {
		name    string
		key     *rsa.PrivateKey
		payload jwt.RegisteredClaims
		want    string // in the error; "" for success
	}{
		{"good", issuerKey, payload, ""},
		{"another subject", issuerKey, otherSubject, "AADSTS700213:"},
		{"another issuer", issuerKey, otherIssuer, "AADSTS700211:"},
		{"another audience", issuerKey, otherAudience, "AADSTS700212:"},
		{"another key", strangerKey, payload, "AADSTS700027:"},
		{"late", issuerKey, late, "AADSTS700024:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := azidentity.NewClientAssertionCredential(tenantID, appID,
				func(context.Context) (string, error) { return assertion(t, tt.key, nil, tt.payload), nil },
				&azidentity.ClientAssertionCredentialOptions{ClientOptions: options(server), DisableInstanceDiscovery: true})
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				verify(t, s, c)
				return
			}
			_, err = c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{graph + "/.default"}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
