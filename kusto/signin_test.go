package kusto

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
)

// sortedCredential fails as one of ours does, and notes the scopes.
type sortedCredential struct {
	why    error
	scopes []string
}

func (c *sortedCredential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.scopes = append(c.scopes, o.Scopes...)
	return azcore.AccessToken{}, c.why
}

// A credential's own sentence and cause reach the caller, though the SDK would
// make a text of them; nothing is sent.
func TestSignInErrorOfOurs(t *testing.T) {
	why := errors.New("the token is of another tenant")
	credential := &sortedCredential{why: &tvmexport.Error{Op: "sign in (kusto.auth)", Action: tvmexport.Stop, Cause: tvmexport.Permission, Err: why}}
	f := &conntest.Fake{}
	client, err := New(t.Context(), Options{Cluster: "https://127.0.0.1", Database: "d", Credential: credential, HTTPClient: &http.Client{Transport: f}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	_, err = client.Orders(t.Context())
	if !errors.Is(err, why) || tvmexport.CauseOf(err) != tvmexport.Permission || err.Error() != "sign in (kusto.auth): the token is of another tenant" {
		t.Errorf("%v", err)
	}
	if len(credential.scopes) != 1 || credential.scopes[0] != "https://kusto.kusto.windows.net/.default" {
		t.Errorf("asked for %v", credential.scopes)
	}
	if len(f.Sent()) != 0 {
		t.Errorf("sent %v", f.Sent())
	}
}

// metadata answers the sign-in metadata of a cluster, and nothing else.
type metadata string

func (m metadata) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.URL.Path != "/v1/rest/auth/metadata" {
		w.WriteHeader(http.StatusTeapot)
	}
	_, _ = w.WriteString(string(m))
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// Which audience tokens are for, the cluster of a national cloud says itself.
func TestAudienceOfNationalClouds(t *testing.T) {
	const form = `{"AzureAD":{"LoginEndpoint":%q,"LoginMfaRequired":%t,"KustoServiceResourceId":%q}}`
	for _, tt := range []struct {
		cluster, login, resource string
		mfa                      bool
		want                     string
	}{
		{"https://adx.westeurope.kusto.windows.net", "https://login.microsoftonline.com", "https://kusto.kusto.windows.net", false, "https://kusto.kusto.windows.net/.default"},
		{"https://mfa.westeurope.kusto.windows.net", "https://login.microsoftonline.com", "https://kusto.kusto.windows.net", true, "https://kusto.kustomfa.windows.net/.default"},
		{"https://adx.usgovvirginia.kusto.usgovcloudapi.net", "https://login.microsoftonline.us", "https://kusto.kusto.usgovcloudapi.net", false, "https://kusto.kusto.usgovcloudapi.net/.default"},
		{"https://x.z1.kusto.fabric.microsoft.com", "https://login.microsoftonline.com", "https://kusto.kusto.windows.net", false, "https://kusto.kusto.windows.net/.default"},
	} {
		credential := &sortedCredential{why: &tvmexport.Error{Op: "sign in (auth)", Action: tvmexport.Stop, Cause: tvmexport.Permission, Err: errors.New("enough")}}
		client, err := New(t.Context(), Options{
			Cluster: tt.cluster, Database: "d", Credential: credential,
			HTTPClient: &http.Client{Transport: metadata(fmt.Sprintf(form, tt.login, tt.mfa, tt.resource))},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Orders(t.Context()); tvmexport.CauseOf(err) != tvmexport.Permission {
			t.Errorf("%s: %v", tt.cluster, err)
		}
		if len(credential.scopes) != 1 || credential.scopes[0] != tt.want {
			t.Errorf("%s: asked for %v, want %s", tt.cluster, credential.scopes, tt.want)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}
