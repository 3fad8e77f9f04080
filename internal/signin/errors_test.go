package signin

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
)

func TestEntrasWordsAndTheirMend(t *testing.T) {
	for _, tt := range []struct {
		method     Method
		said, want string
	}{
		{Secret, `POST https://login ... {"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: 11111111-1111-1111-1111-111111111111 Correlation ID: 2 Timestamp: x"}`, "sign in (auth): AADSTS7000215: Invalid client secret provided. [trace 11111111-1111-1111-1111-111111111111] (set the value of the secret, not its id, in AZURE_CLIENT_SECRET or AZURE_CLIENT_SECRET_FILE)"},
		{Secret, "AADSTS7000222: expired.\r\nTrace ID: x", "sign in (auth): AADSTS7000222: expired. (create a new client secret under App registrations, Certificates & secrets)"},
		{Certificate, `AADSTS700027: The certificate is not registered."}`, "sign in (auth): AADSTS700027: The certificate is not registered. (upload the certificate to the application under App registrations, Certificates & secrets)"},
		{WorkloadIdentity, "AADSTS700213: No matching record", "sign in (auth): AADSTS700213: No matching record (add a federated credential with this issuer, subject and audience to the application)"},
		{AzureCLI, "AzureCLICredential: ERROR: Please run 'az login'", "sign in (auth): AzureCLICredential: ERROR: Please run 'az login' (run az login, for the right tenant, and check az account get-access-token)"},
		{Secret, "AADSTS53003: Blocked by conditional access", "sign in (auth): AADSTS53003: Blocked by conditional access (a Conditional Access policy blocks this sign-in: let an administrator exclude the application's service principal or add this machine's address to the policy's named locations)"},
		{Secret, "AADSTS7000229: The client application is missing service principal in the tenant", "sign in (auth): AADSTS7000229: The client application is missing service principal in the tenant (the application has no service principal in this tenant: let an administrator consent to it)"},
		{Secret, "AADSTS1: Something new", "sign in (auth): AADSTS1: Something new (check auth in the configuration and the AZURE_ variables)"},
		{AzureCLI, "it printed eyJhbGciOiJub25lIn0.eyJ0aWQiOiIxIn0.c2ln by mistake", "sign in (auth): it printed REDACTED by mistake (run az login, for the right tenant, and check az account get-access-token)"},
	} {
		c := credential(Options{Method: tt.method, Secrets: []Place{{Variable: "AZURE_CLIENT_SECRET"}}}, &entra{give: func(int) (azcore.AccessToken, error) {
			return azcore.AccessToken{}, errors.New(tt.said)
		}})
		_, err := ask(t, c)
		if err == nil || err.Error() != tt.want || tvmexport.CauseOf(err) != tvmexport.Permission || tvmexport.ActionOf(err) != tvmexport.Stop {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

// through is an http.RoundTripper and notes the hosts that it was asked for.
type through struct {
	hosts []string
	err   error
}

func (r *through) RoundTrip(request *http.Request) (*http.Response, error) {
	r.hosts = append(r.hosts, request.URL.String())
	if r.err != nil {
		return nil, r.err
	}
	w := httptest.NewRecorder()
	return w.Result(), nil
}

func TestFailuresOfTheNetwork(t *testing.T) {
	for _, tt := range []struct {
		err    error
		action tvmexport.Action
		cause  tvmexport.Cause
		want   string
	}{
		{errors.New("connection refused"), tvmexport.Retry, tvmexport.Unknown, "Entra is unreachable: login.example: connection refused"},
		{&tls.CertificateVerificationError{Err: errors.New("unknown authority")}, tvmexport.Stop, tvmexport.Usage, "set ca_file to the certificate of the authority"},
	} {
		o := Options{
			Method: Secret, TenantID: ours, ClientID: "app", Authority: "https://login.example", Secrets: []Place{{Variable: "S"}},
			Env: env(map[string]string{"S": "s"}), HTTPClient: &http.Client{Transport: &through{err: tt.err}},
		}
		c, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		// azcore waits between attempts: one is enough here.
		ctx := policy.WithRetryOptions(t.Context(), policy.RetryOptions{MaxRetries: -1})
		_, err = c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
		if err == nil || !strings.Contains(err.Error(), tt.want) || tvmexport.ActionOf(err) != tt.action || tvmexport.CauseOf(err) != tt.cause {
			t.Errorf("got %v, action %v, cause %v; want %s", err, tvmexport.ActionOf(err), tvmexport.CauseOf(err), tt.want)
		}
	}
}

func TestStoppedSignInSaysWhy(t *testing.T) {
	why := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := credential(Options{}, &entra{give: func(int) (azcore.AccessToken, error) {
		cancel(why)
		return azcore.AccessToken{}, errors.New("AADSTS1: unknown")
	}})
	if _, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}}); !errors.Is(err, why) {
		t.Error(err)
	}
}

// The metadata service is asked without the proxy that everything else goes
// through, or elsewhere, where a variable says so.
func TestTheWayToTheMetadataService(t *testing.T) {
	proxy := func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy.example:3128") }
	base := &http.Transport{Proxy: proxy}
	o := Options{Env: none, HTTPClient: &http.Client{Transport: base}}
	r := o.completed().client().Transport.(*router)
	if near, ok := r.near.(*http.Transport); !ok || near.Proxy != nil {
		t.Error("the metadata service is asked through the proxy")
	}
	if r.to != base || base.Proxy == nil {
		t.Error("everything else is not")
	}

	seen := &through{}
	o = Options{Env: env(map[string]string{"AZURE_POD_IDENTITY_AUTHORITY_HOST": "https://127.0.0.1:4711/"}), HTTPClient: &http.Client{Transport: seen}}
	client := o.completed().client()
	for _, address := range []string{"http://169.254.169.254/metadata/identity/oauth2/token?a=b", "https://login.example/x"} {
		answer, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	if got := strings.Join(seen.hosts, " "); got != "https://127.0.0.1:4711/metadata/identity/oauth2/token?a=b https://login.example/x" {
		t.Error(got)
	}
}

// The default chain tells what was tried: here the metadata service of a sandbox
// that is none.
func TestDefaultChainTellsItsLinks(t *testing.T) {
	for _, name := range []string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"} {
		if v, ok := os.LookupEnv(name); ok {
			t.Setenv(name, v) // restored after the test
			os.Unsetenv(name)
		}
	}
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "prod")
	refusing := roundTripper(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusForbidden)
		answer := w.Result()
		answer.Request = r
		return answer, nil
	})
	c, err := New(Options{Authority: "https://login.example", Env: none, HTTPClient: &http.Client{Transport: refusing}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ask(t, c)
	if err == nil {
		t.Fatal("signed in as nobody")
	}
	for _, want := range []string{"EnvironmentCredential: missing environment variable AZURE_TENANT_ID", "WorkloadIdentityCredential: ", "ManagedIdentityCredential", "403", "or choose auth.method"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not tell %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "\n") || tvmexport.CauseOf(err) != tvmexport.Permission {
		t.Errorf("%v", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
