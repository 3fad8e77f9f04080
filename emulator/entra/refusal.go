package entra

import (
	"crypto/sha1" // Entra names a certificate by its SHA-1 thumbprint
	"crypto/x509"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// refusal is an error answer of a token endpoint. The numbers and texts are those of
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
type refusal struct {
	status int
	code   string // OAuth error: invalid_client, invalid_request, ...
	number int    // AADSTS number
	text   string
}

// refuse sends the error in Entra's shape.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, f refusal) {
	s.refused.Add(1)
	trace := uuid.NewString()
	correlation := r.Header.Get("client-request-id")
	if _, err := uuid.Parse(correlation); err != nil {
		correlation = uuid.NewString()
	}
	at := s.now().UTC().Format("2006-01-02 15:04:05Z")
	if f.code == "invalid_client" && f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_client"`)
	}
	w.Header().Set("x-ms-request-id", trace)
	writeJSON(w, f.status, struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		Codes         []int  `json:"error_codes"`
		Timestamp     string `json:"timestamp"`
		TraceID       string `json:"trace_id"`
		CorrelationID string `json:"correlation_id"`
		URI           string `json:"error_uri"`
	}{
		Error: f.code,
		Description: fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
			f.number, f.text, trace, correlation, at),
		Codes:         []int{f.number},
		Timestamp:     at,
		TraceID:       trace,
		CorrelationID: correlation,
		URI:           fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", f.number),
	})
}

func tenantNotFound(tenant string) refusal {
	return refusal{
		http.StatusBadRequest, "invalid_request", 90002,
		fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", tenant),
	}
}

func appNotFound(app, tenant string) refusal {
	return refusal{
		http.StatusBadRequest, "unauthorized_client", 700016,
		fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", app, tenant),
	}
}

// noServicePrincipal is the refusal of an application that is registered, but not consented
// to in the tenant. The number was seen for multi-tenant applications; 700016 is for those that the
// tenant cannot know.
func noServicePrincipal(app, tenant string) refusal {
	return refusal{
		http.StatusUnauthorized, "invalid_client", 7000229,
		fmt.Sprintf("The client application %s is missing service principal in the tenant %s. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119", app, tenant),
	}
}

func resourceNotFound(resource, tenant string) refusal {
	return refusal{
		http.StatusBadRequest, "invalid_resource", 500011,
		fmt.Sprintf("The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", resource, tenant),
	}
}

func invalidSecret(app string) refusal {
	return refusal{
		http.StatusUnauthorized, "invalid_client", 7000215,
		fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", app),
	}
}

func expiredSecret(app string) refusal {
	return refusal{
		http.StatusUnauthorized, "invalid_client", 7000222,
		fmt.Sprintf("The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.", app),
	}
}

func noCredential() refusal {
	return refusal{
		http.StatusUnauthorized, "invalid_client", 7000216,
		"'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
	}
}

func badAssertion(reason string) refusal {
	return refusal{
		http.StatusUnauthorized, "invalid_client", 700027,
		"Client assertion failed signature validation. [Reason - " + reason + "]",
	}
}

// seeKeys is what Entra adds where a certificate is not the right one.
const seeKeys = "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '%s'."

func unknownCertificate(app, thumbprint string) refusal {
	key := ""
	if thumbprint != "" {
		key = fmt.Sprintf("Thumbprint of key used by client: '%s', ", thumbprint)
	}
	return refusal{
		http.StatusUnauthorized, "invalid_client", 700027,
		"The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., " +
			key + fmt.Sprintf(seeKeys, app) + "]",
	}
}

func expiredCertificate(app string, c *x509.Certificate) refusal {
	const layout = "01/02/2006 15:04:05"
	return refusal{
		http.StatusUnauthorized, "invalid_client", 700027,
		fmt.Sprintf("The certificate with identifier used to sign the client assertion is expired on application. [Reason - The key used is expired., "+
			"Thumbprint of key used by client: '%X', Found key 'Start=%s, End=%s', "+seeKeys+"]",
			sha1.Sum(c.Raw), c.NotBefore.UTC().Format(layout), c.NotAfter.UTC().Format(layout), app),
	}
}

func assertionNotInTime(now time.Time, from, to time.Time) refusal {
	const layout = "2006-01-02T15:04:05.0000000Z"
	return refusal{
		http.StatusUnauthorized, "invalid_client", 700024,
		fmt.Sprintf("Client assertion is not within its valid time range. Current time: %s, assertion valid from %s, expiry time of assertion %s.",
			now.UTC().Format(layout), from.UTC().Format(layout), to.UTC().Format(layout)),
	}
}

func malformedAssertion() refusal {
	return refusal{
		http.StatusUnauthorized, "invalid_client", 50027,
		"JWT token is invalid or malformed.",
	}
}

func wrongAssertionAudience() refusal {
	return refusal{
		http.StatusUnauthorized, "invalid_client", 700023,
		"Client assertion audience claim does not match Realm issuer.",
	}
}

func wrongAssertionIssuer() refusal {
	return refusal{
		http.StatusUnauthorized, "invalid_client", 7000212,
		"The issuer and the subject of the client assertion must both be the application's client id, or match a federated identity credential of the application.",
	}
}

// unknownFederation names what no federated credential of the application has.
func unknownFederation(what string, number int, value string) refusal {
	return refusal{
		http.StatusBadRequest, "invalid_client", number,
		fmt.Sprintf("No matching federated identity record found for presented assertion %s '%s'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://docs.microsoft.com/en-us/azure/active-directory/develop/workload-identity-federation", what, value),
	}
}

func missingParameter(name string) refusal {
	return refusal{
		http.StatusBadRequest, "invalid_request", 900144,
		fmt.Sprintf("The request body must contain the following parameter: '%s'.", name),
	}
}

func unsupportedGrant(grant string) refusal {
	return refusal{
		http.StatusBadRequest, "unsupported_grant_type", 70003,
		fmt.Sprintf("The app requested an unsupported grant type '%s'.", grant),
	}
}

func unreadableBody() refusal {
	return refusal{
		http.StatusBadRequest, "invalid_request", 9002313,
		"Invalid request. Request is malformed or invalid.",
	}
}

func invalidScope(scope string) refusal {
	return refusal{
		http.StatusBadRequest, "invalid_scope", 70011,
		fmt.Sprintf("The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope %s is not valid.", scope),
	}
}

func notDefaultScope(scope string) refusal {
	return refusal{
		http.StatusBadRequest, "invalid_scope", 1002012,
		fmt.Sprintf("The provided value for scope %s is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).", scope),
	}
}
