package entra

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
)

// routes are the endpoints of an authority. The base URL in the documents is
// the host that was asked, so that one Server can be mounted anywhere.
func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/token", s.tokenV1)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.tokenV2)
	mux.HandleFunc("GET /{tenant}/.well-known/openid-configuration", s.openIDConfiguration)
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.openIDConfiguration)
	mux.HandleFunc("GET /{tenant}/discovery/keys", s.keys)
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", s.keys)
	mux.HandleFunc("GET /common/discovery/instance", s.instance)
	mux.HandleFunc("GET "+IMDSPath, s.imds)
	mux.HandleFunc("GET "+AppServicePath, s.appService)
	mux.HandleFunc("/", notFound)
	return mux
}

// authority is the https base URL under which r reached this server. Official
// clients refuse an authority that is not https, also where a test's transport
// has no TLS.
func authority(r *http.Request) string { return "https://" + r.Host }

// openIDConfiguration is the discovery document of
// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc. Its issuer
// names the tenant by its id, also where the path has the domain, and is on the
// authority's own host, which the Go client demands of an authority that it does
// not know.
func (s *Server) openIDConfiguration(w http.ResponseWriter, r *http.Request) {
	tenant := r.PathValue("tenant")
	in := s.tenants.directory(tenant)
	if in == nil {
		s.refuse(w, r, tenantNotFound(tenant))
		return
	}
	base := authority(r) + "/" + tenant
	writeJSON(w, http.StatusOK, map[string]any{
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt"},
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"token"},
		"scopes_supported":                      []string{},
		"issuer":                                authority(r) + "/" + in.id + "/v2.0",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"tenant_region_scope":                   nil,
		"cloud_instance_name":                   r.Host,
	})
}

// instance answers the discovery of authorities: this host is the only member of its cloud.
func (s *Server) instance(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": authority(r) + "/" + s.tenantID + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{{
			"preferred_network": r.Host,
			"preferred_cache":   r.Host,
			"aliases":           []string{r.Host},
		}},
	})
}

// keys is the JSON Web Key set (RFC 7517) of the signing key.
func (s *Server) keys(w http.ResponseWriter, r *http.Request) {
	if tenant := r.PathValue("tenant"); tenant != "common" && s.tenants.directory(tenant) == nil {
		s.refuse(w, r, tenantNotFound(tenant))
		return
	}
	exponent := big.NewInt(int64(s.key.E)).Bytes()
	writeJSON(w, http.StatusOK, map[string]any{"keys": []map[string]any{{
		"kty": "RSA",
		"use": "sig",
		"alg": "RS256",
		"kid": s.keyID,
		"x5t": s.keyID,
		"n":   base64.RawURLEncoding.EncodeToString(s.key.N.Bytes()),
		"e":   base64.RawURLEncoding.EncodeToString(exponent),
	}}})
}

// notFound answers for every path that is not an endpoint of this authority.
func notFound(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
}

// writeJSON sends a small document that must not be cached.
func writeJSON(w http.ResponseWriter, status int, document any) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-cache")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
	// Only the connection can fail here, and then nobody reads the answer.
	_ = json.NewEncoder(w).Encode(document)
}
