package hunting

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Bodies as Microsoft's pages and published captures have them.
func TestErrorsSayWhatToDoNext(t *testing.T) {
	const (
		tooLarge  = `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results and try again."}}`
		tooLarge2 = `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again"}}`
		preempted = `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed limits. The query execution was preempted. This could possibly be due to high CPU and/or memory resource consumption. Optimize your query by following best practices and try again.","innerError":{"date":"2024-02-13T22:04:59","request-id":"00000000-0000-0000-0000-000000000001"}}}`
		noTable   = `{"error":{"code":"BadRequest","message":"'where' operator: Failed to resolve table or column expression named 'EmailEvents'. Fix semantic errors in your query.","innerError":{"date":"2026-09-13T10:00:00","request-id":"1f0c7f3e-0000-0000-0000-000000000000"}}}`
		syntax    = `{"error":{"code":"BadRequest","message":"Query operator expected.. Fix syntax errors in your query."}}`
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
		{400, "", tooLarge, tvmexport.Split, tvmexport.Rejected, 0, "allowed result size"},
		{400, "", tooLarge2, tvmexport.Split, tvmexport.Rejected, 0, "allowed result size"},
		{400, "", preempted, tvmexport.Retry, tvmexport.Rejected, 0, "request 00000000-0000-0000-0000-000000000001"},
		{400, "", noTable, tvmexport.Stop, tvmexport.Rejected, 0, "not licensed"},
		{400, "", syntax, tvmexport.Stop, tvmexport.Rejected, 0, "Query operator expected"},
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
		{404, "", "", tvmexport.Stop, tvmexport.Rejected, 0, "2027-01-31"},
	}
	f := failure{op: "fetch", table: "T", api: Graph}
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
	f := failure{op: "fetch", table: "T", api: Graph}
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
	err := failure{}.transport(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}})
	if tvmexport.ActionOf(err) != tvmexport.Stop || !strings.Contains(err.Error(), "ca_file") {
		t.Error(err)
	}
}
