package kusto

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
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
	f := &fake{}
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
	if len(f.sent()) != 0 {
		t.Errorf("sent %v", f.sent())
	}
}
