package entra_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// No body makes the token endpoint panic or answer with anything but a token or
// an error of Entra's shape.
func FuzzTokenRequest(f *testing.F) {
	s := newServer(f, nil)
	f.Add("grant_type=client_credentials&client_id=" + appID + "&client_secret=x&scope=" + graph + "/.default")
	f.Add("client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=a.b.c&client_id=" + appID)
	f.Add("%zz")
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "https://login.example/"+tenantID+"/oauth2/v2.0/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		document := decode(t, w.Result())
		if _, ok := document["access_token"]; ok == (document["error"] != nil) {
			t.Errorf("status %d, body %v", w.Code, document)
		}
	})
}

// No text makes Verify panic, and none but an issued token passes.
func FuzzVerify(f *testing.F) {
	s := newServer(f, nil)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := s.Verify(token); err == nil {
			t.Errorf("%q is accepted", token)
		}
	})
}
