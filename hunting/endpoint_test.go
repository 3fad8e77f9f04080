package hunting

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport/defender"
)

// As https://learn.microsoft.com/defender-xdr/usgov and
// https://learn.microsoft.com/graph/deployments list them.
func TestEndpoints(t *testing.T) {
	tests := []struct {
		cloud    string
		api      API
		endpoint string
		scope    string
	}{
		{"commercial", Graph, "https://graph.microsoft.com", "https://graph.microsoft.com/.default"},
		{"", XDR, "https://api.security.microsoft.com", "https://api.security.microsoft.com/.default"},
		{"commercial", MDE, "https://api.securitycenter.microsoft.com", "https://api.securitycenter.microsoft.com/.default"},
		{"gcc", Graph, "https://graph.microsoft.com", "https://graph.microsoft.com/.default"},
		{"gcc", XDR, "https://api-gcc.security.microsoft.us", "https://api-gcc.security.microsoft.us/.default"},
		{"gcc-high", Graph, "https://graph.microsoft.us", "https://graph.microsoft.us/.default"},
		{"dod", Graph, "https://dod-graph.microsoft.us", "https://dod-graph.microsoft.us/.default"},
		{"dod", MDE, "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us/.default"},
	}
	for _, tt := range tests {
		c, err := LookupCloud(tt.cloud)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Endpoint(tt.api); got != tt.endpoint {
			t.Errorf("%s %s: endpoint %s, want %s", tt.cloud, tt.api, got, tt.endpoint)
		}
		if got := c.Scope(tt.api); got != tt.scope {
			t.Errorf("%s %s: scope %s, want %s", tt.cloud, tt.api, got, tt.scope)
		}
	}
	if _, err := LookupCloud("china"); err == nil {
		t.Error("hunting is not available in China")
	}
}

func TestNewRefuses(t *testing.T) {
	var credential azcore.TokenCredential = &service{}
	for want, o := range map[string]Options{
		"API":        {API: "beta", Credential: credential},
		"endpoint":   {Endpoint: "graph.microsoft.com", Credential: credential},
		"credential": {},
		"share":      {Share: 1.5, Credential: credential},
		"positive":   {Quota: defender.Quota{PerMinute: -1}, Credential: credential},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	c, err := New(Options{Credential: credential})
	if err != nil || c.url != "https://graph.microsoft.com/v1.0/security/runHuntingQuery" {
		t.Errorf("%+v, %v", c, err)
	}
}
