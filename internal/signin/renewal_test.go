package signin

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	emulated "github.com/tvmexport/tvmexport/emulator/entra"
)

const app = "aaaaaaaa-0000-0000-0000-000000000001"

// authority serves Entra over TLS; before sees each request first, if given, and
// says whether it has answered.
func authority(t *testing.T, o emulated.App, before func(http.ResponseWriter, *http.Request) bool) (string, *http.Client) {
	t.Helper()
	o.ID = app
	s, err := emulated.New(emulated.Options{
		TenantID: ours, Apps: []emulated.App{o}, Key: rsaKey(),
		Resources: []emulated.Resource{{URI: "https://graph.microsoft.com"}, {URI: "https://other.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || !before(w, r) {
			s.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, server.Client()
}

// A secret or a certificate that is replaced while the program runs is read again
// when Entra refuses the old one.
func TestReplacedFilesAreReadAgain(t *testing.T) {
	old, valid := chainOf(t, rsaKey(), time.Now().Add(-time.Hour)), chainOf(t, rsaKey(), time.Now().Add(time.Hour))
	file := filepath.Join(t.TempDir(), "file")
	for _, tt := range []struct {
		name          string
		o             Options
		app           emulated.App
		before, after []byte
		refusal       string
	}{
		{
			"secret",
			Options{Method: Secret, Secrets: []Place{{Variable: "S"}}, Env: env(map[string]string{"S_FILE": file})},
			emulated.App{Secrets: []string{"new"}, ExpiredSecrets: []string{"old"}},
			[]byte("old"), []byte("new"), "AADSTS7000222",
		},
		{
			"certificate",
			Options{Method: Certificate, CertificateFile: file, Env: none},
			emulated.App{Certificates: []*x509.Certificate{old[0], valid[0]}},
			pemOf(t, rsaKey(), old[0]), pemOf(t, rsaKey(), valid[0]), "The key used is expired",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.TenantID, tt.o.ClientID = ours, app
			tt.o.Authority, tt.o.HTTPClient = authority(t, tt.app, nil)
			write := func(content []byte) {
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(tt.before)
			c, err := New(tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ask(t, c); err == nil || !strings.Contains(err.Error(), tt.refusal) {
				t.Fatalf("%v, want %s", err, tt.refusal)
			}
			write(tt.after)
			if _, err := ask(t, c); err != nil {
				t.Error(err)
			}
		})
	}
}

// A service that is down is no reason to look for a wrong secret.
func TestEntraThatIsDown(t *testing.T) {
	calls := 0
	at, client := authority(t, emulated.App{Secrets: []string{"s"}}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		calls++
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error has occurred."}`))
		return true
	})
	c, err := New(Options{
		Method: Secret, TenantID: ours, ClientID: app, Secrets: []Place{{Variable: "S"}}, Env: env(map[string]string{"S": "s"}), Authority: at, HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := policy.WithRetryOptions(t.Context(), policy.RetryOptions{MaxRetries: -1})
	_, err = c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if tvmexport.ActionOf(err) != tvmexport.Retry || tvmexport.CauseOf(err) != tvmexport.Unknown || !strings.Contains(err.Error(), "503: AADSTS90033") {
		t.Errorf("%v", err)
	}
	if calls != 1 {
		t.Errorf("%d calls, want one", calls)
	}
}
