package defender

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// xdrDialect is the Microsoft 365 Defender API of
// https://learn.microsoft.com/defender-xdr/api-advanced-hunting.
type xdrDialect struct{}

func (xdrDialect) traits() traits {
	return traits{
		name:  "xdr",
		paths: []string{"/api/advancedhunting/run"},
		audiences: []string{
			"https://api.security.microsoft.com",
			"https://api-gcc.security.microsoft.us", "https://api-gov.security.microsoft.us",
		},
		role:        "AdvancedHunting.Read.All",
		encodings:   []string{"deflate", "gzip"},
		contentType: "application/json; charset=utf-8",
	}
}

func (xdrDialect) parse(body []byte) (request, *failure) { return parseLegacy(body) }

func (xdrDialect) rows(columns []value.Column) rowWriter { return newLegacyRows(columns) }

// envelope has statistics before the rows: the captures show them there.
func (xdrDialect) envelope(columns []value.Column, c completion) (head, tail []byte) {
	user := timeSpanText(c.cost)
	head = fmt.Appendf(nil, `{"Stats":{"ExecutionTime":%s,"resource_usage":{"cache":{"memory":{"hits":%d,"misses":0,"total":%d},"disk":{"hits":0,"misses":0,"total":0}},"cpu":{"user":"%s","kernel":"00:00:00","total cpu":"%s"},"memory":{"peak_per_node":%d}},"dataset_statistics":[{"table_row_count":%d,"table_size":%d}]},"Schema":`,
		strconv.FormatFloat(c.cost.Seconds(), 'f', -1, 64), c.scanned/4096+1, c.scanned/4096+1, user, user, 160<<20, c.rows, c.bytes)
	head = appendSchema(head, columns, "Name", "Type")
	return append(head, `,"Results":[`...), []byte("]}")
}

// timeSpanText is d as .NET prints a TimeSpan: the fraction only if there is one.
func timeSpanText(d time.Duration) string {
	return string(value.AppendTimeSpan(nil, int64(d/100)))
}

func (d xdrDialect) fail(w http.ResponseWriter, f *failure, ids exchange) {
	failLegacy(w, f, ids, d.traits(), false)
}

// mdeDialect is the Defender for Endpoint API of
// https://learn.microsoft.com/defender-endpoint/api/run-advanced-query-api.
type mdeDialect struct{}

func (mdeDialect) traits() traits {
	return traits{
		name:  "mde",
		paths: []string{"/api/advancedqueries/run"},
		audiences: []string{
			"https://api.securitycenter.microsoft.com", "https://api.security.microsoft.com",
			"https://securitycenter.onmicrosoft.com/windowsatpservice", "fc780465-2017-40d4-a0c5-307022471b92",
			"https://api-gcc.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us",
		},
		role:        "AdvancedQuery.Read.All",
		hourly:      true,
		endpoint:    true,
		encodings:   []string{"deflate", "gzip"},
		contentType: "application/json; charset=utf-8",
	}
}

func (mdeDialect) parse(body []byte) (request, *failure) { return parseLegacy(body) }

func (mdeDialect) rows(columns []value.Column) rowWriter { return newLegacyRows(columns) }

func (mdeDialect) envelope(columns []value.Column, _ completion) (head, tail []byte) {
	head = appendSchema([]byte(`{"Schema":`), columns, "Name", "Type")
	return append(head, `,"Results":[`...), []byte("]}")
}

func (d mdeDialect) fail(w http.ResponseWriter, f *failure, ids exchange) {
	failLegacy(w, f, ids, d.traits(), true)
}

// parseLegacy reads {"Query": text}. Names are case-sensitive:
// https://learn.microsoft.com/defender-endpoint/api/common-errors.
func parseLegacy(body []byte) (request, *failure) {
	invalid := &failure{status: http.StatusBadRequest, code: "InvalidRequestBody", message: "Request body is incorrect"}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || members == nil {
		return request{}, invalid
	}
	raw, ok := members["Query"]
	if !ok || bytes.Equal(raw, []byte("null")) {
		return request{}, &failure{status: http.StatusBadRequest, code: "MissingRequiredParameter", message: "Parameter Query is missing."}
	}
	var q request
	if len(members) > 1 || json.Unmarshal(raw, &q.query) != nil {
		return request{}, invalid
	}
	return q, nil
}

// legacyError is the envelope of both older APIs; target is a correlation id.
type legacyError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target"`
}

// failLegacy sends an error of the older APIs. retryAfter says whether a throttling
// response has the header in addition to its body.
func failLegacy(w http.ResponseWriter, f *failure, ids exchange, t traits, retryAfter bool) {
	e := legacyError{Code: f.code, Message: f.message, Target: ids.requestID}
	h := w.Header()
	switch {
	case f.html:
		htmlError(w, f.status)
		return
	case f.throttle != nil:
		e.Code, e.Message = "429", throttleMessage(f.throttle)
		if retryAfter {
			h.Set("Retry-After", strconv.Itoa(f.throttle.Seconds()))
		}
	case f.token != nil:
		e.Code, e.Message = "Unauthorized", "Unauthorized (invalid or expired authorization header)."
		h.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case f.status == http.StatusForbidden:
		e.Message = missingRoles(t.role)
	case f.status == http.StatusGatewayTimeout:
		e.Code, e.Message = "InternalServerError", "Query exceeded the timeout period."
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(f.status)
	writeError(w, e)
}
