package entra_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/tvmexport/tvmexport/emulator/entra"
)

const (
	machineID      = "bbbbbbbb-0000-0000-0000-000000000001"
	userID         = "bbbbbbbb-0000-0000-0000-000000000002"
	userObject     = "bbbbbbbb-0000-0000-0000-00000000000f"
	userResource   = "/subscriptions/1/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u"
	identityHeader = "header of this instance"
)

// newMachine is a server with a system-assigned and a user-assigned identity
// and the resources; a resource of its own keeps a case off the tokens that the
// official library keeps for the whole process.
func newMachine(t testing.TB, resources ...string) *entra.Server {
	return newServer(t, func(o *entra.Options) {
		roles := map[string][]string{}
		for _, r := range resources {
			roles[r] = []string{"ThreatHunting.Read.All"}
			o.Resources = append(o.Resources, entra.Resource{URI: r})
		}
		o.Apps = append(o.Apps,
			entra.App{ID: machineID, Name: "machine", Roles: roles},
			entra.App{ID: userID, ObjectID: userObject, Name: "identity", Roles: roles})
		o.Managed = []entra.ManagedIdentity{{AppID: machineID}, {AppID: userID, ResourceID: userResource}}
		o.IdentityHeader = identityHeader
	})
}

// metadata sends what is for the machine's metadata service to the server.
type metadata struct{ server *httptest.Server }

func (m metadata) Do(r *http.Request) (*http.Response, error) {
	u, err := url.Parse(m.server.URL)
	if err != nil {
		return nil, err
	}
	if r.URL.Host == "169.254.169.254" {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = u.Scheme, u.Host
	}
	return m.server.Client().Do(r)
}

func TestOfficialManagedIdentityCredential(t *testing.T) {
	ids := []struct {
		name string
		id   azidentity.ManagedIDKind
		app  string // "" is refused
	}{
		{"system", nil, machineID},
		{"client", azidentity.ClientID(userID), userID},
		{"object", azidentity.ObjectID(userObject), userID},
		{"resource", azidentity.ResourceID(userResource), userID},
		{"unassigned", azidentity.ClientID(appID), ""},
	}
	for _, form := range []string{"imds", "appservice"} {
		for _, tt := range ids {
			t.Run(form+" "+tt.name, func(t *testing.T) {
				resource := "https://" + form + "." + tt.name + ".example"
				s := newMachine(t, resource)
				server := serve(t, s)
				if form == "appservice" {
					t.Setenv("IDENTITY_ENDPOINT", server.URL+entra.AppServicePath)
					t.Setenv("IDENTITY_HEADER", identityHeader)
				}
				c, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
					ClientOptions: azcore.ClientOptions{Transport: metadata{server}, Retry: policy.RetryOptions{MaxRetries: -1}}, ID: tt.id,
				})
				if err != nil {
					t.Fatal(err)
				}
				token, err := c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}})
				if tt.app == "" {
					if err == nil {
						t.Error("an identity that is not assigned got a token")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				claims, err := s.Verify(token.Token, resource)
				if err != nil || claims.AppID != tt.app || !claims.HasRole("ThreatHunting.Read.All") || claims.TenantID != tenantID {
					t.Errorf("claims %+v, %v", claims, err)
				}
				if left := time.Until(token.ExpiresOn); left < 23*time.Hour || left > 24*time.Hour {
					t.Errorf("the token is valid for %s, want about a day", left)
				}
			})
		}
	}
}

func TestOfficialDefaultCredentialFindsTheIdentity(t *testing.T) {
	const resource = "https://default.example"
	s := newMachine(t, resource)
	server := serve(t, s)
	for _, name := range []string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "prod") // with the probe that the chain makes
	t.Setenv("AZURE_CLIENT_ID", userID)
	c, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: azcore.ClientOptions{Transport: metadata{server}, Retry: policy.RetryOptions{MaxRetries: -1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{resource + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := s.Verify(token.Token, resource); err != nil || claims.AppID != userID {
		t.Errorf("claims %+v, %v", claims, err)
	}
}

func TestMachineRefusals(t *testing.T) {
	s := newMachine(t, graph)
	server := serve(t, s)
	imds := server.URL + entra.IMDSPath + "?api-version=2018-02-01&resource=" + url.QueryEscape(graph)
	app := server.URL + entra.AppServicePath + "?api-version=2019-08-01&resource=" + url.QueryEscape(graph)
	for _, tt := range []struct {
		name, url   string
		header      http.Header
		status      int
		member, has string
	}{
		{"no metadata header", imds, nil, 400, "error", "bad_request_102"},
		{"forwarded", imds, http.Header{"Metadata": {"true"}, "X-Forwarded-For": {"10.0.0.1"}}, 400, "error", "invalid_request"},
		{"no version", server.URL + entra.IMDSPath + "?resource=x", http.Header{"Metadata": {"true"}}, 400, "error", "Bad request. api-version was not specified"},
		{"old version", server.URL + entra.IMDSPath + "?api-version=2017-12-01&resource=x", http.Header{"Metadata": {"true"}}, 400, "error", "Bad request"},
		{"no resource", server.URL + entra.IMDSPath + "?api-version=2018-02-01", http.Header{"Metadata": {"true"}}, 400, "error_description", "Required audience parameter"},
		{"unknown resource", server.URL + entra.IMDSPath + "?api-version=2018-02-01&resource=https://nowhere.example", http.Header{"Metadata": {"true"}}, 400, "error_description", "AADSTS500011: "},
		{"unknown identity", imds + "&client_id=" + appID, http.Header{"Metadata": {"true"}}, 400, "error_description", "Identity not found"},
		{"no identity header", app, nil, 401, "message", "X-IDENTITY-HEADER"},
		{"wrong identity header", app, http.Header{"X-Identity-Header": {"another"}}, 401, "message", "X-IDENTITY-HEADER"},
		{"other version", strings.Replace(app, "2019-08-01", "2017-09-01", 1), http.Header{"X-Identity-Header": {identityHeader}}, 400, "message", "2019-08-01"},
		{"unknown app identity", app + "&mi_res_id=/nowhere", http.Header{"X-Identity-Header": {identityHeader}}, 400, "message", "No User Assigned or Delegated Managed Identity found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.header != nil {
				r.Header = tt.header
			}
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			text, _ := got[tt.member].(string)
			if answer.StatusCode != tt.status || !strings.Contains(text, tt.has) {
				t.Errorf("%d %s, want %d with %s %q", answer.StatusCode, body, tt.status, tt.member, tt.has)
			}
		})
	}
}

// Without a system-assigned identity, the only other one is meant by a request
// that names none; of several, none is.
func TestTheOnlyIdentity(t *testing.T) {
	for _, others := range []int{1, 2} {
		s := newServer(t, func(o *entra.Options) {
			for _, id := range []string{userID, machineID}[:others] {
				o.Apps = append(o.Apps, entra.App{ID: id})
				o.Managed = append(o.Managed, entra.ManagedIdentity{AppID: id, ResourceID: "/" + id})
			}
		})
		r := httptest.NewRequest(http.MethodGet, entra.IMDSPath+"?api-version=2018-02-01&resource="+graph, nil)
		r.Header.Set("Metadata", "true")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != (others == 1) {
			t.Errorf("with %d identities: %d %s", others, w.Code, w.Body)
		}
	}
}
