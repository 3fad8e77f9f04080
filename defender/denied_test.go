package defender

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// A 403 has many causes; the hint names the one that the answer speaks of.
func TestDeniedHintsFollowTheCause(t *testing.T) {
	const envelope = `{"error":{"code":"%CODE","message":"%MESSAGE"}}`
	for _, tt := range []struct {
		name          string
		status        int
		code, message string // no envelope if both are empty
		body          string
		hint          string
		not           string // in the hint
	}{
		{"role", 403, "Forbidden", "Missing application roles. API required roles: ThreatHunting.Read.All, application roles: Policy.Read.ConditionalAccess", "", "grant the application permission", "Conditional Access policy"},
		{"no valid roles", 403, "", "Auth token does not contain valid permissions or user does not have valid roles", "", "grant the application permission", "if it is granted"},
		{"licence", 403, "Forbidden", "The tenant does not have a license for this product.", "", "no licence", "grant"},
		{"licence with 401", 401, "Unauthorized", "Unauthorized request - reason of failure: No Tvm license", "", "no licence", "token was refused"},
		{"inactive", 401, "Unauthorized", "Unauthorized request - reason of failure: Account mode is inactive", "", "not set up in this tenant", "grant"},
		{"not provisioned", 403, "Forbidden", "Account is not provisioned.", "", "not set up in this tenant", "grant"},
		{"disabled", 403, "DisabledFeature", "The feature is disabled.", "", "not set up in this tenant", "grant"},
		{"conditional access", 403, "AccessDenied", "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.", "", "Conditional Access policy blocks", "grant"},
		{"proxy", 403, "", "", "<html><head><title>Blocked</title></head><body>ACME gateway</body></html>", "allow graph.example", "grant"},
		{"empty", 403, "", "", "", "allow graph.example", "grant"},
		{"other", 403, "Forbidden", "Something new", "", "grant the application permission ThreatHunting.Read.All", "proxy"},
		{"token", 401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.", "", "belongs to this tenant", "grant"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := tt.body
			if tt.code != "" || tt.message != "" {
				body = strings.NewReplacer("%CODE", tt.code, "%MESSAGE", tt.message).Replace(envelope)
			}
			f := failureOf("T")
			err := f.status(&http.Response{
				StatusCode: tt.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
				Request: &http.Request{URL: &url.URL{Scheme: "https", Host: "graph.example"}},
			})
			e, ok := err.(*tvmexport.Error)
			if !ok || e.Action != tvmexport.Stop || e.Cause != tvmexport.Permission {
				t.Fatalf("%#v", err)
			}
			if !strings.Contains(e.Hint, tt.hint) || tt.not != "" && strings.Contains(e.Hint, tt.not) {
				t.Errorf("hint %q, want one with %q and without %q", e.Hint, tt.hint, tt.not)
			}
		})
	}
}
