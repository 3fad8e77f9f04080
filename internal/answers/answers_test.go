package answers

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestForeign(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1}`:                   "",
		"\xef\xbb\xbf {}":           "",
		"\n[]":                      "",
		"":                          "its body is empty",
		" \r\n":                     "its body is empty",
		"\xef\xbb\xbf":              "its body is empty",
		"\xff\xfe{\x00":             "it is encoded as UTF-16",
		"\x1f\x8b\x08":              "it is compressed more than once",
		"x":                         "its body is neither a JSON object nor a JSON array",
		`"row"`:                     "its body is neither a JSON object nor a JSON array",
		`<?xml version="1.0"?><a/>`: "it is an XML document",
		"<!DOCTYPE html><html><head><title>\n Sign in &amp; pay </title>": `it is an HTML page titled "Sign in & pay"`,
		"<HTML><body>x": "it is an HTML page",
	} {
		if got := Foreign([]byte(body)); got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

func TestHead(t *testing.T) {
	for kind, want := range map[string]string{
		"text/html; charset=utf-8": "HTTP 200 OK with Content-Type text/html",
		"":                         "HTTP 200 OK with no Content-Type",
		"a value of a row":         "HTTP 200 OK with no Content-Type",
	} {
		if got := Head(&http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {kind}}}); got != want {
			t.Errorf("%q: %q", kind, got)
		}
	}
}

func TestClaims(t *testing.T) {
	const claims = `{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}`
	std, raw := base64.StdEncoding.EncodeToString([]byte(claims)), base64.RawURLEncoding.EncodeToString([]byte(claims))
	for header, want := range map[string]string{
		`Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="` + std + `"`: claims,
		`Bearer claims="` + raw + `"`:                        claims,
		`Bearer error="invalid_token"`:                       "",
		`Bearer claims="%%%"`:                                "",
		`Bearer claims="` + "e30" + `"`:                      "", // {}
		`Bearer xclaims="` + raw + `"`:                       "",
		`Bearer claims="` + strings.Repeat("A", 1<<15) + `"`: "",
	} {
		if got := Claims(http.Header{"Www-Authenticate": {"Negotiate", header}}); got != want {
			t.Errorf("%.80s: %q", header, got)
		}
	}
}

type fixed http.Response

func (f *fixed) RoundTrip(r *http.Request) (*http.Response, error) {
	out := http.Response(*f)
	out.Body, out.Request = io.NopCloser(strings.NewReader("")), r
	return &out, nil
}

func TestRedirectsToOtherHosts(t *testing.T) {
	for location, followed := range map[string]bool{
		"/other": true, "https://a.example/x": true, "https://A.example:443/x": true, "": true,
		"http://a.example/x": false, "https://b.example/x": false, "https://a.example:8443/": false, "//evil.example": false,
	} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			c := http.Client{
				Transport:     SameHost(&fixed{StatusCode: status, Header: http.Header{"Location": {location}}}),
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}
			answer, err := c.Post("https://a.example/q", "text/plain", strings.NewReader("x"))
			if err == nil {
				_ = answer.Body.Close()
			}
			r, is := AsRedirect(err)
			if is == followed || !followed && (r.From != "a.example" || r.Status != status || !errors.Is(err, r)) {
				t.Errorf("%d to %q: %v", status, location, err)
			}
		}
	}
}
