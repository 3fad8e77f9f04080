package defender_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/defender"
)

func TestTokenHint(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"AADSTS500011: The resource principal named https://api.securitycenter.microsoft.com was not found in the tenant named T.", "is not provisioned"},
		{"AADSTS50001: The application named https://api.securitycenter.microsoft.com was not found in the tenant named T.", "is not provisioned"},
		{"AADSTS650052: The app is trying to access a service that your organization lacks a service principal for.", "is not provisioned"},
		{"AADSTS500014: The service principal for resource 'https://api.securitycenter.microsoft.com' is disabled.", "is disabled"},
		{"AADSTS650057: Invalid resource. The client has requested access to a resource which is not listed in the requested permissions.", "grant the application permission A.Read, B.Read with"},
		{"AADSTS501051: Application 'A' is not assigned to a role for the application 'B'.", "grant the application permission"},
		{"DefaultAzureCredential: EnvironmentCredential: AADSTS7000215: Invalid client secret; ManagedIdentityCredential: AADSTS500011: not found", "is not provisioned"},
		{"AADSTS5000112: another number", ""},
		{"AADSTS53003: Access has been blocked by Conditional Access policies.", ""},
		{"AADSTS7000215: Invalid client secret provided.", ""},
		{"Entra is unreachable", ""},
	} {
		if got := defender.TokenHint(errors.New(tt.text), "WindowsDefenderATP", "A.Read", "B.Read"); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: the hint is %q, want %q", tt.text, got, tt.want)
		}
	}
}
