package signin

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// A refused token of a managed identity is replaced, for each method of sign-in
// with it: its tokens are cached by the process and not by the credential.
func TestRefusedTokenOfAManagedIdentityIsReplaced(t *testing.T) {
	var calls atomic.Int64 // over all cases: they share the cache
	for _, method := range []Method{ManagedIdentity, Default} {
		for _, claims := range []string{"", `{"access_token":{"nbf":{"essential":true,"value":"1764367200"}}}`} {
			t.Run(fmt.Sprintf("%s, claims %t", method, claims != ""), func(t *testing.T) {
				machine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					signature := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d", calls.Add(1)))
					w.Header().Set("Content-Type", "application/json")
					fmt.Fprintf(w, `{"access_token":%q,"expires_on":"%d","resource":%q,"token_type":"Bearer"}`,
						token(ours)+signature, time.Now().Add(24*time.Hour).Unix(), scope)
				}))
				defer machine.Close()
				defer http.DefaultClient.CloseIdleConnections()
				for _, name := range []string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"} {
					if _, set := os.LookupEnv(name); set {
						t.Setenv(name, "")
						os.Unsetenv(name)
					}
				}
				t.Setenv("IDENTITY_ENDPOINT", machine.URL)
				t.Setenv("IDENTITY_HEADER", "header")
				c, err := New(Options{Method: method, HTTPClient: http.DefaultClient})
				if err != nil {
					t.Fatal(err)
				}
				first, err := ask(t, c)
				if err != nil {
					t.Fatal(err)
				}
				before := calls.Load()
				c.Refused(first.Token, claims)
				again, err := ask(t, c)
				if err != nil || again.Token == first.Token {
					t.Errorf("the token was not replaced: %v", err)
				}
				if n := calls.Load() - before; n != 1 {
					t.Errorf("%d calls for the new token, want 1", n)
				}
			})
		}
	}
}
