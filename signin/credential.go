package signin

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
)

// Credential signs in by one method. It is safe for concurrent use.
type Credential struct {
	o    Options
	http *http.Client

	turn   chan struct{} // holds one while somebody asks for a token, and guards the rest
	inner  built
	tenant string // resolved from o.TenantID
	tokens map[string]azcore.AccessToken
}

var _ azcore.TokenCredential = (*Credential)(nil)

// New prepares a credential. It reads secrets and certificates, but makes no call.
func New(o Options) (*Credential, error) {
	o = o.completed()
	if err := o.check(); err != nil {
		return nil, err
	}
	c := &Credential{o: o, http: o.client(), turn: make(chan struct{}, 1), tokens: map[string]azcore.AccessToken{}}
	var err error
	if c.inner, err = o.build(c.http); err != nil {
		return nil, err
	}
	return c, nil
}

// spare is how long before its end a token is not used any more.
const spare = 5 * time.Minute

// GetToken implements azcore.TokenCredential. Tokens are kept, since some methods
// start a program for each. A token of another tenant than the configured one is
// an error with the cause Permission.
func (c *Credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, context.Cause(ctx)
	}
	key := strings.Join(o.Scopes, " ")
	plain := o.Claims == "" && o.TenantID == "" && !o.EnableCAE
	if t, ok := c.tokens[key]; ok && plain && fresh(t, time.Now()) {
		return t, nil
	}
	t, err := c.ask(ctx, o)
	if tvmexport.CauseOf(err) == tvmexport.Permission && c.renewed() {
		t, err = c.ask(ctx, o)
	}
	if err != nil {
		return azcore.AccessToken{}, err
	}
	who, err := c.checkTenant(ctx, t.Token)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	c.o.Logger.Debug("signed in", "section", c.o.Section, "method", string(c.o.Method), "scope", key,
		"tenant", who.TenantID, "app", who.AppID, "object", who.ObjectID, "roles", strings.Join(who.Roles, ","), "until", t.ExpiresOn)
	if plain {
		c.tokens[key] = t
	}
	return t, nil
}

func (c *Credential) ask(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	ctx, m := withMishap(ctx)
	t, err := c.inner.GetToken(ctx, o)
	if err != nil {
		err = c.explain(ctx, m, err)
	}
	return t, err
}

// renewed reads secret and certificate again and says whether they have changed:
// a program that runs for months outlives both, and files are replaced under it.
func (c *Credential) renewed() bool {
	again, err := c.o.build(c.http)
	if err != nil || again.material == c.inner.material {
		return false
	}
	c.inner = again
	return true
}

// fresh says whether a token can be used without asking for another.
func fresh(t azcore.AccessToken, now time.Time) bool {
	return t.ExpiresOn.Sub(now) > spare && (t.RefreshOn.IsZero() || now.Before(t.RefreshOn))
}

// Identify signs in for a scope and says who that is.
func (c *Credential) Identify(ctx context.Context, scope string) (Identity, error) {
	t, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		return Identity{}, err
	}
	who, err := read(t.Token)
	if err != nil {
		return Identity{}, c.o.refused(err, "")
	}
	return who, nil
}
