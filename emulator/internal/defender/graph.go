package defender

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// graphDialect is Microsoft Graph's runHuntingQuery.
type graphDialect struct{ wire Wire }

func (graphDialect) traits() traits {
	return traits{
		name: "graph",
		paths: []string{
			"/v1.0/security/runHuntingQuery", "/beta/security/runHuntingQuery",
			// The action's qualified name, as the official Graph SDKs send it.
			"/v1.0/security/microsoft.graph.security.runHuntingQuery", "/beta/security/microsoft.graph.security.runHuntingQuery",
		},
		audiences: []string{
			"https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000",
			"https://graph.microsoft.us", "https://dod-graph.microsoft.us",
		},
		role:        "ThreatHunting.Read.All",
		encodings:   []string{"gzip", "deflate"},
		contentType: "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
		bodyLimit:   true,
	}
}

// parse reads the parameters of the OData action. Their first letter may be of
// either case, as the documentation of v1.0 and beta has them.
func (graphDialect) parse(body []byte) (request, *failure) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || members == nil {
		return request{}, badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
	}
	var q request
	var workspace string
	given := false
	for name, raw := range members {
		target, known := map[string]*string{
			"Query": &q.query, "query": &q.query, "Timespan": &q.timespan, "timespan": &q.timespan,
			"workspaceId": &workspace, "WorkspaceId": &workspace,
		}[name]
		if !known {
			if strings.Contains(name, "@") { // annotations are not parameters
				continue
			}
			return request{}, badRequest("The parameter '" + name + "' in the request payload is not a valid parameter for the operation 'runHuntingQuery'.")
		}
		var text *string
		if json.Unmarshal(raw, &text) != nil {
			return request{}, badRequest("Cannot convert the value of parameter '" + name + "' to the expected type 'Edm.String'.")
		}
		if text != nil {
			*target = *text
			given = given || target == &q.query
		}
	}
	if workspace != "" {
		if _, err := value.NewGUID(workspace); err != nil {
			return request{}, badRequest("Cannot convert the literal '" + workspace + "' to the expected type 'Edm.Guid'.")
		}
	}
	if !given {
		return request{}, badRequest("The parameter 'Query' is required for the operation 'runHuntingQuery'.")
	}
	return q, nil
}

func (d graphDialect) rows(columns []value.Column) rowWriter { return newGraphRows(columns, d.wire) }

func (graphDialect) envelope(columns []value.Column, _ completion) (head, tail []byte) {
	head = append(head, `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults","schema":`...)
	head = appendSchema(head, columns, "name", "type")
	head = append(head, `,"results":[`...)
	return head, []byte("]}")
}

// graphError is the envelope of
// https://learn.microsoft.com/graph/errors#error-resource-type.
type graphError struct {
	Code       string     `json:"code"`
	Message    string     `json:"message"`
	InnerError graphInner `json:"innerError"`
}

type graphInner struct {
	Code            string `json:"code,omitempty"`
	Date            string `json:"date"`
	Message         string `json:"message,omitempty"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
	Status          string `json:"status,omitempty"`
}

func (d graphDialect) fail(w http.ResponseWriter, f *failure, ids exchange) {
	e := graphError{Code: f.code, Message: f.message, InnerError: graphInner{
		Date:            ids.at.UTC().Format("2006-01-02T15:04:05"),
		RequestID:       ids.requestID,
		ClientRequestID: ids.clientRequestID,
	}}
	h := w.Header()
	switch {
	case f.html:
		htmlError(w, f.status)
		return
	case f.throttle != nil && f.throttle.Kind == "cpu":
		e.Code, e.Message = "CpuQuotaExceeded", throttleMessage(f.throttle)
	case f.throttle != nil:
		e.Code, e.Message = "TooManyRequests", "Please retry again later."
		e.InnerError.Code, e.InnerError.Status, e.InnerError.Message = "429", "429", "Please retry after"
	case f.token != nil:
		e.Code, e.Message = "InvalidAuthenticationToken", graphTokenMessage(f.token.reason)
		challenge := `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`
		if errors.Is(f.token.reason, entra.ErrRevoked) {
			challenge += ", " + entra.Challenge(ids.at)
		}
		h.Set("WWW-Authenticate", challenge)
	case f.status == http.StatusForbidden:
		e.Message = missingRoles(d.traits().role) + ", application roles: " + strings.Join(f.roles, ",")
	case f.status == http.StatusInternalServerError:
		e.Code = "UnknownError"
	}
	if f.throttle != nil && d.wire.GraphRetryAfter {
		h.Set("Retry-After", strconv.Itoa(f.throttle.Seconds()))
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	writeError(w, e)
}

// graphTokenMessage is what Graph says about a token.
func graphTokenMessage(reason error) string {
	switch {
	case errors.Is(reason, entra.ErrNoToken):
		return "Access token is empty."
	case errors.Is(reason, entra.ErrExpired), errors.Is(reason, entra.ErrNotYetValid):
		return "Lifetime validation failed, the token is expired."
	case errors.Is(reason, entra.ErrRevoked):
		return "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp."
	case errors.Is(reason, entra.ErrWrongAudience):
		return "Access token validation failure. Invalid audience."
	case errors.Is(reason, entra.ErrMalformed):
		return "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE Compact Serialization Format. (JWS): 'EncodedHeader.EncodedPayload.EncodedSignature'. (JWE): 'EncodedProtectedHeader.EncodedEncryptedKey.EncodedInitializationVector.EncodedCiphertext.EncodedAuthenticationTag'."
	}
	return "Access token validation failure. Invalid signature."
}

// writeError sends {"error": e} without escaping what JSON need not escape.
func writeError(w http.ResponseWriter, e any) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// Only the connection can fail here, and then nobody reads the answer.
	_ = encoder.Encode(map[string]any{"error": e})
}
