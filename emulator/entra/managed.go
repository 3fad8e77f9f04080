package entra

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ManagedIdentity is an identity that the platform signs in for the machine it
// is assigned to: an application without credentials of its own.
type ManagedIdentity struct {
	AppID      string // of an App
	ResourceID string // of a user-assigned identity; "" for the machine's own, the system-assigned one
}

// The paths of the two forms in which a machine asks for its identity's tokens.
const (
	IMDSPath       = "/metadata/identity/oauth2/token"
	AppServicePath = "/msi/token"
)

// managedLifetime is how long the tokens of managed identities are valid
// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq).
const managedLifetime = 24 * time.Hour

// imds answers the instance metadata service's form
// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token).
func (s *Server) imds(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	refuse := func(code, text string) {
		s.refused.Add(1)
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": text})
	}
	switch version := q.Get("api-version"); {
	case !strings.EqualFold(r.Header.Get("Metadata"), "true"):
		refuse("bad_request_102", "Required metadata header not specified")
		return
	case r.Header.Get("X-Forwarded-For") != "":
		refuse("invalid_request", "Requests that were forwarded are not answered")
		return
	case len(version) != len(time.DateOnly) || version < oldestIMDS:
		s.refused.Add(1)
		writeJSON(w, http.StatusBadRequest, map[string]any{
			"error":           "Bad request. api-version was not specified in the request. For more information refer to aka.ms/azureimds",
			"newest-versions": []string{"2020-10-01", "2020-09-01", "2020-07-15"},
		})
		return
	case q.Get("resource") == "":
		refuse("invalid_request", "Required audience parameter not specified")
		return
	}
	identity, found := s.assigned(q.Get("client_id"), q.Get("object_id"), firstOf(q.Get("msi_res_id"), q.Get("mi_res_id")))
	if !found {
		refuse("invalid_request", "Identity not found")
		return
	}
	resource, ok := s.resource(q.Get("resource"))
	if !ok {
		f := resourceNotFound(q.Get("resource"), s.tenantID)
		refuse(f.code, fmt.Sprintf("AADSTS%d: %s Trace ID: %s", f.number, f.text, uuid.NewString()))
		return
	}
	s.hand(w, identity, resource, q.Get("resource"), true)
}

// oldestIMDS is the first version in which the service has tokens.
const oldestIMDS = "2018-02-01"

// appService answers the form of App Service, Functions and Container Apps
// (https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference).
func (s *Server) appService(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	refuse := func(status int, text string) {
		s.refused.Add(1)
		writeJSON(w, status, map[string]any{"statusCode": status, "message": text, "correlationId": uuid.NewString()})
	}
	header := r.Header.Get("X-IDENTITY-HEADER")
	switch {
	case s.identityHeader == "" || subtle.ConstantTimeCompare([]byte(header), []byte(s.identityHeader)) != 1:
		refuse(http.StatusUnauthorized, "The X-IDENTITY-HEADER header is missing or is not that of this instance.")
		return
	case q.Get("api-version") != "2019-08-01":
		refuse(http.StatusBadRequest, "The api-version is not supported: use 2019-08-01.")
		return
	case q.Get("resource") == "":
		refuse(http.StatusBadRequest, "The parameter resource is required.")
		return
	}
	identity, found := s.assigned(q.Get("client_id"), firstOf(q.Get("principal_id"), q.Get("object_id")), q.Get("mi_res_id"))
	if !found {
		refuse(http.StatusBadRequest, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.")
		return
	}
	resource, ok := s.resource(q.Get("resource"))
	if !ok {
		f := resourceNotFound(q.Get("resource"), s.tenantID)
		refuse(http.StatusBadRequest, fmt.Sprintf("AADSTS%d: %s", f.number, f.text))
		return
	}
	s.hand(w, identity, resource, q.Get("resource"), false)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// assigned finds the machine's identity that a request names: by the id of its
// application, of its service principal or of its resource. A request that names
// none means the system-assigned one, or, where there is none, the only other.
func (s *Server) assigned(client, object, resource string) (ManagedIdentity, bool) {
	if client == "" && object == "" && resource == "" {
		for _, m := range s.managed {
			if m.ResourceID == "" || len(s.managed) == 1 {
				return m, true
			}
		}
		return ManagedIdentity{}, false
	}
	for _, m := range s.managed {
		app := s.apps[m.AppID]
		if strings.EqualFold(client, m.AppID) || strings.EqualFold(object, app.ObjectID) ||
			m.ResourceID != "" && strings.EqualFold(resource, m.ResourceID) {
			return m, true
		}
	}
	return ManagedIdentity{}, false
}

// hand answers with a token. Numbers are strings in both forms.
func (s *Server) hand(w http.ResponseWriter, m ManagedIdentity, resource Resource, audience string, everything bool) {
	lifetime := managedLifetime
	if s.lifetime != DefaultLifetime {
		lifetime = s.lifetime
	}
	g, err := s.sign(claimed{
		app: s.apps[m.AppID], tenant: s.tenantID, resource: resource, audience: audience, by: byCertificate,
		from: s.now(), lifetime: lifetime, identity: m.ResourceID,
	})
	if err != nil {
		s.refused.Add(1)
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "unknown", "error_description": err.Error()})
		return
	}
	s.issued.Add(1)
	answer := map[string]string{
		"access_token": g.token,
		"client_id":    m.AppID,
		"expires_on":   strconv.FormatInt(g.to.Unix(), 10),
		"resource":     audience,
		"token_type":   "Bearer",
	}
	if everything {
		seconds := strconv.Itoa(int(g.lifetime/time.Second) - 1)
		answer["refresh_token"] = ""
		answer["expires_in"], answer["ext_expires_in"] = seconds, seconds
		answer["not_before"] = strconv.FormatInt(g.from.Unix(), 10)
	}
	writeJSON(w, http.StatusOK, answer)
}
