package defender

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
)

// deny is one reason why Defender or something on the way to it denies a call,
// recognised by the words of the answer.
type deny struct {
	words []string // lower case; any one of them in the code or the message
	hint  string   // "" is the hint that names the missing application permission
}

// denials lists what a 401 or 403 with an error envelope can mean, the most
// specific first. The words are those of published answers and of the
// documented codes (https://learn.microsoft.com/defender-xdr/api-error-codes,
// https://learn.microsoft.com/graph/errors). Which status carries them is not
// documented, so both are looked at.
// The sentence about missing roles comes first because it lists the roles that
// the application has, whose names can hold the words of other causes.
var denials = []deny{
	{[]string{"missing application roles", "valid permissions", "required scopes", "insufficient privileges", "authorization_requestdenied"}, ""},
	{
		[]string{"conditional access", "conditionalaccess", "aadsts53003", "aadsts530"},
		"a Conditional Access policy blocks this application from this address: let an administrator exclude its service principal or add this machine's address to the policy's named locations",
	},
	{
		[]string{"no tvm license", "license", "licence", "subscription"},
		"the tenant has no licence for this data: Advanced Hunting needs Defender XDR, and the TVM tables need Defender Vulnerability Management or Defender for Endpoint Plan 2",
	},
	{
		[]string{"not provisioned", "not onboarded", "account mode is inactive", "disabledfeature", "not enabled", "tenant is not"},
		"Defender XDR is not set up in this tenant: let an administrator open https://security.microsoft.com once and wait until it is ready; also check that the token is for this tenant",
	},
	{
		[]string{"disallowedoperation"},
		"the service does not allow this operation for the application: check its permissions and the tenant's settings for API access",
	},
}

// denied sorts an answer 403, or a 401 that is not about the token. known is
// false for a 401 whose words name none of the causes.
func (f failure) denied(r *http.Response, body said, reason error) (err error, known bool) {
	if body.Error.Code == "" && body.Error.Message == "" {
		return f.make(tvmexport.Stop, tvmexport.Permission,
			"the answer does not have Defender's format: a proxy or firewall between this machine and Defender denies the call; allow "+f.hostOf(r)+", or set HTTPS_PROXY and NO_PROXY",
			reason), r.StatusCode == http.StatusForbidden
	}
	text := strings.ToLower(body.Error.Code + " " + body.Error.Message)
	for _, d := range denials {
		for _, w := range d.words {
			if !strings.Contains(text, w) {
				continue
			}
			hint := d.hint
			if hint == "" {
				hint = f.grant()
			}
			return f.make(tvmexport.Stop, tvmexport.Permission, hint, reason), true
		}
	}
	return f.make(tvmexport.Stop, tvmexport.Permission, f.grant()+"; if it is granted, the tenant's licence or a policy denies the call", reason),
		r.StatusCode == http.StatusForbidden
}

// unauthorized classifies an answer 401. One with a challenge is always about the
// token, regardless of its text.
func (f failure) unauthorized(r *http.Response, body said, reason error) error {
	hint := "check that the application belongs to this tenant and cloud"
	if answers.Claims(r.Header) != "" {
		hint = "Entra has revoked the application's tokens, or a Conditional Access policy does not accept this machine's address: let an administrator check the application's service principal sign-in logs"
	} else if err, known := f.denied(r, body, reason); known {
		return err
	}
	return f.make(tvmexport.Stop, tvmexport.Permission, hint, fmt.Errorf("%w: %w", errUnauthorized, reason))
}

func (f failure) grant() string {
	return fmt.Sprintf("grant the application permission %s with admin consent", f.Permission)
}

// hostOf names the host that was asked.
func (f failure) hostOf(r *http.Response) string {
	if r.Request == nil || r.Request.URL == nil {
		return "the host of " + f.section + ".endpoint"
	}
	return r.Request.URL.Host
}
