package signin

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	emulated "github.com/tvmexport/tvmexport/emulator/entra"
)

// bySecretAt is a credential whose token requests are counted and noted.
func bySecretAt(t *testing.T, asked func(form map[string]string)) *Credential {
	t.Helper()
	at, client := authority(t, emulated.App{Secrets: []string{"s"}}, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && r.ParseForm() == nil {
			form := map[string]string{}
			for k := range r.PostForm {
				form[k] = r.PostForm.Get(k)
			}
			asked(form)
		}
		return false
	})
	c, err := New(Options{
		Method: Secret, TenantID: ours, ClientID: app, Secrets: []Place{{Variable: "S"}}, Env: env(map[string]string{"S": "s"}), Authority: at, HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A refused token is replaced by one with the claims of the challenge, in one
// sign-in for all who held it; the next tokens come from the cache again.
func TestRefusedTokenIsReplaced(t *testing.T) {
	for _, claims := range []string{"", `{"access_token":{"nbf":{"essential":true,"value":"1764367200"}}}`} {
		t.Run(fmt.Sprintf("claims %t", claims != ""), func(t *testing.T) {
			var calls atomic.Int64
			var last sync.Map
			c := bySecretAt(t, func(form map[string]string) {
				calls.Add(1)
				last.Store("claims", form["claims"])
			})
			first, err := ask(t, c)
			if err != nil {
				t.Fatal(err)
			}
			if sent, _ := last.Load("claims"); !strings.Contains(sent.(string), `"CP1"`) {
				t.Errorf("the first token was asked for with the claims %q, which do not say that challenges are understood", sent)
			}
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					c.Refused(first.Token, claims)
					if again, err := ask(t, c); err != nil || again.Token == first.Token {
						t.Errorf("the token was not replaced: %v", err)
					}
				})
			}
			all.Wait()
			if n := calls.Load(); n != 2 {
				t.Errorf("%d sign-ins, want 2", n)
			}
			if sent, _ := last.Load("claims"); claims != "" && !(strings.Contains(sent.(string), "1764367200") && strings.Contains(sent.(string), "CP1")) {
				t.Errorf("the second token was asked for with the claims %q", sent)
			}
			c.Refused("another token", claims)
			if _, err := ask(t, c); err != nil || calls.Load() != 2 {
				t.Errorf("%d sign-ins after a refusal of a token that is not kept: %v", calls.Load(), err)
			}
		})
	}
}

// A sign-in that fails leaves the challenge: the next one answers it.
func TestChallengeOutlivesAFailedSignIn(t *testing.T) {
	down, claims := false, ""
	at, client := authority(t, emulated.App{Secrets: []string{"s"}}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && r.ParseForm() == nil {
			claims = r.PostForm.Get("claims")
		}
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down
	})
	c, err := New(Options{
		Method: Secret, TenantID: ours, ClientID: app, Secrets: []Place{{Variable: "S"}}, Env: env(map[string]string{"S": "s"}), Authority: at, HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	first, err := ask(t, c)
	if err != nil {
		t.Fatal(err)
	}
	down = true
	c.Refused(first.Token, `{"access_token":{"nbf":{"value":"7"}}}`)
	ctx := policy.WithRetryOptions(t.Context(), policy.RetryOptions{MaxRetries: -1})
	if _, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}}); err == nil {
		t.Fatal("signed in though Entra is down")
	}
	down = false
	if _, err := ask(t, c); err != nil || !strings.Contains(claims, `"7"`) {
		t.Errorf("claims %q: %v", claims, err)
	}
}

// A federated token that is replaced in its file is used as soon as Entra
// refuses the old one, not when azidentity's copy of it is ten minutes old.
func TestReplacedFederatedTokenIsReadAgain(t *testing.T) {
	issuer, err := emulated.NewIssuer("https://issuer.example", "system:serviceaccount:tvm:export")
	if err != nil {
		t.Fatal(err)
	}
	old, err := issuer.Token(time.Now().Add(-2*time.Hour), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	good, err := issuer.Token(time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	at, client := authority(t, emulated.App{Federated: []emulated.FederatedCredential{issuer.Credential()}}, nil)
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(old)
	c, err := New(Options{Method: WorkloadIdentity, TenantID: ours, ClientID: app, TokenFile: file, Authority: at, HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, c); tvmexport.CauseOf(err) != tvmexport.Permission {
		t.Fatalf("%v, want a refusal of the old token", err)
	}
	write(good)
	first, err := ask(t, c)
	if err != nil {
		t.Fatal(err)
	}
	write(old) // and a refused access token is replaced through the file as it is now
	write(good)
	c.Refused(first.Token, "")
	if again, err := ask(t, c); err != nil || again.Token == first.Token {
		t.Errorf("the token was not replaced: %v", err)
	}
}

// Entra's place may be taken by a page or a redirect: the sentence names it, and
// nothing is repeated.
func TestPagesInsteadOfEntra(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html><title>Guest network</title>"))
		}, `HTTP 200 OK with Content-Type text/html: it is an HTML page titled "Guest network"`},
		"a redirect": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://portal.example/x")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "redirects to another host, https://portal.example"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			at, client := authority(t, emulated.App{Secrets: []string{"s"}}, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost {
					return false
				}
				calls++
				tt.answer(w, r)
				return true
			})
			c, err := New(Options{
				Method: Secret, TenantID: ours, ClientID: app, Secrets: []Place{{Variable: "S"}}, Env: env(map[string]string{"S": "s"}), Authority: at, HTTPClient: client,
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{scope}})
			if err == nil || !strings.Contains(err.Error(), tt.says) || tvmexport.ActionOf(err) != tvmexport.Stop || calls > 2 {
				t.Errorf("%d calls: %v", calls, err)
			}
		})
	}
}
