package signin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
)

func (o Options) op() string { return "sign in (" + o.Section + ")" }

// refused is about an identity that may not sign in.
func (o Options) refused(err error, hint string) error {
	return &tvmexport.Error{Op: o.op(), Action: tvmexport.Stop, Cause: tvmexport.Permission, Err: err, Hint: hint}
}

// unusable is about settings that azidentity does not take; nil for nil.
func (o Options) unusable(err error) error {
	if err == nil {
		return nil
	}
	return o.misconfigured(errors.New(tidy(err.Error())), "look at "+o.Section+" in the configuration, and the AZURE_ variables")
}

// explain sorts what azidentity says about a sign-in that failed.
func (c *Credential) explain(ctx context.Context, m *mishap, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var failed *azidentity.AuthenticationFailedError
	if errors.As(err, &failed) && failed.RawResponse != nil && passing(failed.RawResponse.StatusCode) {
		return &tvmexport.Error{
			Op: c.o.op(), Action: tvmexport.Retry, Err: errors.New(saidOtherwise(err)), Hint: "the identity service is unavailable; run again later",
		}
	}
	if said := entraSaid(err); said.number != "" {
		return c.o.refused(errors.New(said.text), c.hint(said.number))
	}
	switch broken, near := m.last(); {
	case broken == nil:
	case near && c.o.Method == ManagedIdentity:
		return c.o.refused(broken, "no managed identity answers on this machine; set "+c.o.Section+".method to another method")
	case !near:
		return c.unreachable(broken)
	}
	return c.o.refused(errors.New(saidOtherwise(err)), c.hint(""))
}

// passing says whether a status is of a failure that passes by itself.
func passing(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// unreachable is about a network that failed.
func (c *Credential) unreachable(broken error) error {
	var (
		certificate *tls.CertificateVerificationError
		foreign     *page
	)
	switch r, redirected := answers.AsRedirect(broken); {
	case errors.As(broken, &certificate):
		return c.o.misconfigured(broken, "set ca_file to the certificate of the authority")
	case redirected:
		return c.o.misconfigured(r, answers.RedirectHint+" ("+c.o.Section+".authority)")
	case errors.As(broken, &foreign):
		return c.o.misconfigured(broken, "a proxy, a captive portal or another site answers instead of Entra: check HTTPS_PROXY, NO_PROXY and "+c.o.Section+".authority")
	}
	return &tvmexport.Error{
		Op: c.o.op(), Action: tvmexport.Retry, Err: fmt.Errorf("Entra is unreachable: %w", broken),
		Hint: "check the network, the proxy and " + c.o.Section + ".authority",
	}
}

// said is an answer of Entra: its number and its first sentences, without the
// times behind them.
type said struct{ number, text string }

var (
	entraError = regexp.MustCompile(`(?s)AADSTS(\d+): .*?(?: Trace ID| Correlation ID|\\r|\\n|[\r\n"]|$)`)
	traceID    = regexp.MustCompile(`Trace ID: ([0-9a-f-]{36})`)
)

func entraSaid(err error) said {
	text := err.Error()
	m := entraError.FindStringSubmatch(text)
	if m == nil {
		return said{}
	}
	sentence := m[0]
	for _, end := range []string{" Trace ID", " Correlation ID", `\r`, `\n`, "\r", "\n", `"`} {
		sentence = strings.TrimSuffix(sentence, end)
	}
	if id := traceID.FindStringSubmatch(text); id != nil {
		sentence += " [trace " + id[1] + "]"
	}
	return said{m[1], tidy(sentence)}
}

// saidOtherwise is the sentence of an endpoint that is not Entra's, such as the
// metadata service, or what azidentity says itself: of the default chain, what
// was tried and why each link failed.
func saidOtherwise(err error) string {
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse == nil || strings.HasPrefix(err.Error(), "DefaultAzureCredential") {
		return tidy(err.Error())
	}
	body, readErr := runtime.Payload(failed.RawResponse)
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		return tidy(err.Error())
	}
	var words struct {
		Error       any    `json:"error"`
		Description string `json:"error_description"`
		Message     string `json:"message"`
	}
	_ = json.Unmarshal(body, &words) // what is not JSON has no words
	for _, w := range []string{words.Description, words.Message, fmt.Sprint(words.Error)} {
		if w != "" && w != "<nil>" {
			return fmt.Sprintf("the identity endpoint answered %d: %s", failed.RawResponse.StatusCode, tidy(w))
		}
	}
	return fmt.Sprintf("the identity endpoint answered %d", failed.RawResponse.StatusCode)
}

// hint returns the fix for an Entra error number
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
func (c *Credential) hint(number string) string {
	s := c.o.Section
	switch number {
	case "7000215":
		return "set the value of the secret, not its id, in " + placeNames(c.o.Secrets, " or ")
	case "7000222":
		return "create a new client secret under App registrations, Certificates & secrets"
	case "700016", "90002":
		return "check " + s + ".tenant_id (AZURE_TENANT_ID), " + s + ".client_id (AZURE_CLIENT_ID) and the cloud"
	case "700027":
		if why := c.inner.shown.outOfTime(time.Now()); why != "" {
			return why
		}
		return "upload the certificate to the application under App registrations, Certificates & secrets"
	case "700024":
		return "check this machine's clock, and that the federated token is renewed"
	case "70021", "700211", "700212", "700213", "700222", "700223":
		return "add a federated credential with this issuer, subject and audience to the application"
	case "53003", "530003", "530034", "53011", "53000", "53001":
		return "a Conditional Access policy blocks this sign-in: let an administrator exclude the application's service principal or add this machine's address to the policy's named locations"
	case "50105", "7000112":
		return "the application is disabled in this tenant, or its service principal is not assigned: check Enterprise applications in the Entra admin centre"
	case "7000229":
		return "the application has no service principal in this tenant: let an administrator consent to it"
	case "500011", "50001", "650052":
		return "the tenant does not know the service: check the cloud (defender.cloud), the tenant and the endpoint"
	case "500014":
		return "the service is disabled in this tenant: renew its subscription, or enable it under Enterprise applications in the Entra admin center"
	}
	switch c.o.Method {
	case AzureCLI:
		return "run az login, for the right tenant, and check az account get-access-token"
	case ManagedIdentity:
		return "assign the identity to this resource; " + s + ".client_id (AZURE_CLIENT_ID) names a user-assigned one, and is empty for the system-assigned one"
	case Default:
		return "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or choose " + s + ".method"
	}
	return "check " + s + " in the configuration and the AZURE_ variables"
}

var (
	blanks = regexp.MustCompile(`\s+`)
	rules  = regexp.MustCompile(`-{10,}`)
	tokens = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*`)
)

// tidy makes one line of a message, without tokens, of at most 900 bytes.
func tidy(text string) string {
	text = tokens.ReplaceAllString(text, "REDACTED")
	text = strings.TrimSpace(blanks.ReplaceAllString(rules.ReplaceAllString(text, " "), " "))
	if len(text) > 900 {
		text = strings.ToValidUTF8(text[:900], "") + "..."
	}
	return text
}
