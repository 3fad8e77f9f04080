package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ours   = "11111111-2222-3333-4444-555555555555"
	theirs = "99999999-2222-3333-4444-555555555555"
	scope  = "https://graph.microsoft.com/.default"
)

// token is one of tenant that is not signed; nobody here checks signatures.
func token(tenant string) string {
	payload, _ := json.Marshal(map[string]any{"tid": tenant, "appid": "app", "oid": "object", "roles": []string{"ThreatHunting.Read.All"}})
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(payload) + ".signature"
}

// entra stands for azidentity.
type entra struct {
	give  func(calls int) (azcore.AccessToken, error)
	calls atomic.Int64
}

func (e *entra) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return e.give(int(e.calls.Add(1)))
}

func credential(o Options, inner azcore.TokenCredential) *Credential {
	o = o.completed()
	return &Credential{o: o, inner: built{TokenCredential: inner}, http: o.client(), turn: make(chan struct{}, 1), tokens: map[string]azcore.AccessToken{}}
}

func ask(t *testing.T, c *Credential) (azcore.AccessToken, error) {
	t.Helper()
	return c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}})
}

func TestTheTokensTenantIsChecked(t *testing.T) {
	discovery := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/contoso.com/") {
			http.Error(w, `{"error":"invalid_tenant"}`, http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"issuer":"https://login.example/%s/v2.0"}`, strings.ToUpper(ours))
	}))
	defer discovery.Close()
	defer http.DefaultClient.CloseIdleConnections()
	for _, tt := range []struct {
		name, configured, token string
		want                    string // in the error; "" for success
	}{
		{"the same", ours, token(ours), ""},
		{"in capitals", strings.ToUpper(ours), token(ours), ""},
		{"none configured", "", token(theirs), ""},
		{"by its name", "contoso.com", token(ours), ""},
		{"another", ours, token(theirs), "the token belongs to another tenant, " + theirs + ", not of the configured tenant, " + ours},
		{"another than the name's", "contoso.com", token(theirs), "not of the configured tenant, contoso.com (" + ours + ")"},
		{"unknown name", "nowhere.com", token(ours), `does not say which tenant "nowhere.com" is`},
		{"no token", ours, "opaque", "a token that cannot be parsed"},
		{"a token without tenant", ours, token(""), "a token that cannot be parsed"},
		{"a token that is not text", ours, "a.\x00.b", "a token that cannot be parsed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := credential(Options{TenantID: tt.configured, Authority: discovery.URL}, &entra{give: func(int) (azcore.AccessToken, error) {
				return azcore.AccessToken{Token: tt.token, ExpiresOn: time.Now().Add(time.Hour)}, nil
			}})
			got, err := ask(t, c)
			if tt.want == "" {
				if err != nil || got.Token != tt.token {
					t.Errorf("%v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || tvmexport.CauseOf(err) != tvmexport.Permission {
				t.Errorf("got %v with cause %v, want %s", err, tvmexport.CauseOf(err), tt.want)
			}
			if got.Token != "" {
				t.Error("the token was handed out")
			}
		})
	}
}

func TestIdentify(t *testing.T) {
	c := credential(Options{}, &entra{give: func(int) (azcore.AccessToken, error) {
		return azcore.AccessToken{Token: token(ours), ExpiresOn: time.Now().Add(time.Hour)}, nil
	}})
	who, err := c.Identify(t.Context(), scope)
	if err != nil || who.TenantID != ours || who.AppID != "app" || who.ObjectID != "object" || len(who.Roles) != 1 {
		t.Errorf("%+v, %v", who, err)
	}
}

// A token is used until shortly before its end, or until the authority wants it
// to be renewed, and one that failed is asked for again.
func TestTokensAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refresh := 0 * time.Minute
		e := &entra{}
		e.give = func(calls int) (azcore.AccessToken, error) {
			if calls == 1 {
				return azcore.AccessToken{}, errors.New("not yet")
			}
			out := azcore.AccessToken{Token: token(ours), ExpiresOn: time.Now().Add(time.Hour)}
			if refresh > 0 {
				out.RefreshOn = time.Now().Add(refresh)
			}
			return out, nil
		}
		c := credential(Options{}, e)
		steps := []struct {
			after time.Duration
			calls int64
		}{{0, 1}, {0, 2}, {0, 2}, {54 * time.Minute, 2}, {2 * time.Minute, 3}}
		for i, s := range steps {
			time.Sleep(s.after)
			if _, err := ask(t, c); (err != nil) != (i == 0) {
				t.Fatalf("step %d: %v", i, err)
			}
			if got := e.calls.Load(); got != s.calls {
				t.Errorf("step %d: %d calls, want %d", i, got, s.calls)
			}
		}
		time.Sleep(time.Hour)
		refresh = 10 * time.Minute
		for i, want := range []int64{4, 4, 5} {
			if _, err := ask(t, c); err != nil {
				t.Fatal(err)
			}
			if got := e.calls.Load(); got != want {
				t.Errorf("renewal %d: %d calls, want %d", i, got, want)
			}
			time.Sleep(6 * time.Minute)
		}
	})
}

// While a token holds, nobody waits for its successor, and an outage passes unseen;
// a successor of another tenant does not.
func TestATokenThatHoldsIsUsedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let, next := make(chan struct{}), token(ours)
		var fail error
		e := &entra{}
		e.give = func(calls int) (azcore.AccessToken, error) {
			if calls > 1 {
				<-let
			}
			return azcore.AccessToken{Token: next, ExpiresOn: time.Now().Add(time.Hour), RefreshOn: time.Now().Add(10 * time.Minute)}, fail
		}
		c := credential(Options{TenantID: ours}, e)
		if _, err := ask(t, c); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		fail = errors.New("AADSTS90033: down")
		done := make(chan error)
		go func() { _, err := ask(t, c); done <- err }()
		synctest.Wait()
		if _, err := ask(t, c); err != nil || e.calls.Load() != 2 {
			t.Errorf("%v after %d calls", err, e.calls.Load())
		}
		close(let)
		if err := <-done; err != nil {
			t.Errorf("the token still holds, and %v", err)
		}
		fail, next = nil, token(theirs)
		if _, err := ask(t, c); !errors.Is(err, ErrWrongTenant) {
			t.Errorf("%v", err)
		}
		time.Sleep(36 * time.Minute)
		fail = errors.New("AADSTS90033: down")
		if _, err := ask(t, c); err == nil {
			t.Error("a token was used until its end")
		}
	})
}

// One that waits for another's sign-in can be stopped.
func TestWaitingEndsWithTheContext(t *testing.T) {
	c := credential(Options{}, &entra{})
	c.turn <- struct{}{}
	why := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}}); !errors.Is(err, why) {
		t.Error(err)
	}
}
