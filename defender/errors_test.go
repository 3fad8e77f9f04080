package defender

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// Bodies as Microsoft's pages and published captures have them.
func TestErrorsSayWhatToDoNext(t *testing.T) {
	const (
		preempted = `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed limits. The query execution was preempted. This could possibly be due to high CPU and/or memory resource consumption. Optimize your query by following best practices and try again.","innerError":{"date":"2024-02-13T22:04:59","request-id":"00000000-0000-0000-0000-000000000001"}}}`
		calls     = `{ "error": { "code": "429", "message": "API calls quota exceeded! maximum allowed 45 per 00:01:00", "target": "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" } }`
		cpu       = `{"error":{"code":"CpuQuotaExceeded","message":"You have exceeded processing resources allocated to this tenant. You can run queries again in 2871 seconds"}}`
		role      = `{"error":{"code":"Forbidden","message":"Missing application roles. API required roles: ThreatHunting.Read.All, application roles: Policy.Read.ConditionalAccess"}}`
		licence   = `{"error":{"code":"Unauthorized","message":"Unauthorized request - reason of failure: No Tvm license"}}`
		expired   = `{"error":{"code":"InvalidAuthenticationToken","message":"Lifetime validation failed, the token is expired."}}`
		unknown   = `{"error":{"code":"UnknownError","message":"","innerError":{"request-id":"b354c428"}}}`
		gateway   = `<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>`
	)
	tests := []struct {
		status int
		header string
		body   string
		action tvmexport.Action
		cause  tvmexport.Cause
		after  time.Duration
		says   string
	}{
		{400, "", preempted, tvmexport.Stop, tvmexport.Rejected, 0, "request 00000000-0000-0000-0000-000000000001"},
		{429, "17", calls, tvmexport.Wait, tvmexport.Quota, 17 * time.Second, "45 per 00:01:00"},
		{429, "", cpu, tvmexport.Wait, tvmexport.Quota, 2871 * time.Second, "CpuQuotaExceeded"},
		{429, "", calls, tvmexport.Wait, tvmexport.Quota, time.Minute, "429"},
		{403, "", role, tvmexport.Stop, tvmexport.Permission, 0, "grant the application permission ThreatHunting.Read.All on Microsoft Graph"},
		{401, "", licence, tvmexport.Stop, tvmexport.Permission, 0, "licence"},
		{401, "", expired, tvmexport.Stop, tvmexport.Permission, 0, "token was refused"},
		{413, "", "<html>413 Request Entity Too Large</html>", tvmexport.Split, tvmexport.Rejected, 0, "413 Request Entity Too Large"},
		{502, "", gateway, tvmexport.Split, tvmexport.Unknown, 0, "502 Bad Gateway"},
		{504, "", unknown, tvmexport.Split, tvmexport.Unknown, 0, "UnknownError [request b354c428]"},
		{500, "", unknown, tvmexport.Retry, tvmexport.Unknown, 0, "HTTP 500"},
		{404, "", "", tvmexport.Stop, tvmexport.Rejected, 0, "check defender.endpoint"},
	}
	f := failureOf("T")
	for _, tt := range tests {
		h := http.Header{}
		if tt.header != "" {
			h.Set("Retry-After", tt.header)
		}
		err := f.status(&http.Response{StatusCode: tt.status, Header: h, Body: io.NopCloser(strings.NewReader(tt.body))})
		e, ok := err.(*tvmexport.Error)
		if !ok {
			t.Fatalf("%T", err)
		}
		if e.Action != tt.action || e.Cause != tt.cause || e.After != tt.after {
			t.Errorf("%d %.60s: action %d, cause %d, after %s; want %d, %d, %s", tt.status, tt.body, e.Action, e.Cause, e.After, tt.action, tt.cause, tt.after)
		}
		if !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%q does not say %q", err, tt.says)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		header, message string
		want            time.Duration
	}{
		{"733", "", 733 * time.Second},
		{"Mon, 23 Nov 2026 12:05:00 GMT", "", 5 * time.Minute},
		{"Mon, 23 Nov 2026 11:00:00 GMT", "", 0},
		{"", "You can run queries again in 2871 seconds", 2871 * time.Second},
		{"soon", "in 5 seconds", 5 * time.Second},
		{"", "API calls quota exceeded! maximum allowed 45 per 00:01:00", time.Minute},
		{"", "API calls quota exceeded! maximum allowed 1500 per 01:00:00", 0},
		{"99999999999999", "", 24 * time.Hour},
		{"9999999", "", 24 * time.Hour},
		{"-5", "", 0},
		{"", "", 0},
	}
	for _, tt := range tests {
		if got := retryAfter(tt.header, tt.message, now); got != tt.want {
			t.Errorf("retryAfter(%q, %q) = %s, want %s", tt.header, tt.message, got, tt.want)
		}
	}
}

func TestSignInErrorsAreOneSentence(t *testing.T) {
	f := failureOf("T")
	long := "ClientSecretCredential authentication failed. \nPOST https://login.microsoftonline.com/x/oauth2/v2.0/token\n-----\nRESPONSE 401: 401 Unauthorized\n-----\n{\n" +
		`  "error_description": "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the client secret value. Trace ID: 1 Correlation ID: 2 Timestamp: 2026-11-23",` + "\n}"
	for said, want := range map[string]string{
		long:               "sign in: AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the client secret value.",
		"no such host":     "sign in: no such host",
		`"AADSTS1: Gone."`: "sign in: AADSTS1: Gone.",
	} {
		e, ok := f.signIn(errors.New(said)).(*tvmexport.Error)
		if !ok || e.Err.Error() != want || e.Cause != tvmexport.Permission || e.Action != tvmexport.Stop {
			t.Errorf("got %v, want %q", e, want)
		}
	}
}

func TestUnknownCertificateAuthority(t *testing.T) {
	err := failureOf("T").transport(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})
	if tvmexport.ActionOf(err) != tvmexport.Stop || !strings.Contains(err.Error(), "ca_file") {
		t.Error(err)
	}
}

// A value that the destination does not take ends the call.
func TestHugeAndDeepValuesEnd(t *testing.T) {
	for err, says := range map[error]string{wire.ErrHuge: "one value has more than 64 MiB", wire.ErrDeep: "a value is nested more than"} {
		failed := failureOf("T").broken(fmt.Errorf("%w (it begins at byte 1)", err))
		if tvmexport.ActionOf(failed) != tvmexport.Stop || !strings.Contains(failed.Error(), says) {
			t.Error(failed)
		}
	}
}

// The query of an address may be a token or a signature: no error shows it.
func TestTransportErrorsHideTheQuery(t *testing.T) {
	err := failureOf("T").transport(&url.Error{Op: "Get", URL: "https://blob.example/part-1?sig=secret", Err: errors.New("connection reset by peer")})
	if want := `fetch T: Get "https://blob.example/part-1": connection reset by peer (check the network, the proxy and defender.endpoint)`; err.Error() != want {
		t.Errorf("got %s\nwant %s", err, want)
	}
}

// failureOf makes errors of a fetch.
func failureOf(table string) failure {
	return failure{&Call{Op: "fetch", Table: table, Permission: "ThreatHunting.Read.All on Microsoft Graph"}, "defender"}
}
