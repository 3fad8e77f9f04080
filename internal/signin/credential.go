package signin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
)

// Credential signs in by one method. It is safe for concurrent use.
type Credential struct {
	o    Options
	http *http.Client

	turn   chan struct{} // holds one while somebody asks for a token, and guards the next two
	inner  built
	tenant string // resolved from o.TenantID

	mu        sync.Mutex
	tokens    map[string]azcore.AccessToken // by scope
	refusedBy map[string]*challenge         // by scope, of a token that was refused and not yet replaced
}

var _ azcore.TokenCredential = (*Credential)(nil)

// New prepares a credential. It reads secrets and certificates, but makes no call.
func New(o Options) (*Credential, error) {
	o = o.completed()
	if err := o.check(); err != nil {
		return nil, err
	}
	c := &Credential{o: o, http: o.client(), turn: make(chan struct{}, 1), tokens: map[string]azcore.AccessToken{}, refusedBy: map[string]*challenge{}}
	var err error
	if c.inner, err = o.build(c.http); err != nil {
		return nil, err
	}
	return c, nil
}

// spare is how long before its end a token is not used any more.
const spare = 5 * time.Minute

// GetToken implements azcore.TokenCredential. Tokens are kept, since some methods
// start a program for each; a kept one waits for nobody. Tokens are asked for
// with the capability of continuous access evaluation; see Refused. A token of
// another tenant than the configured one is an error with the cause Permission.
func (c *Credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	key := strings.Join(o.Scopes, " ")
	plain := o.Claims == "" && o.TenantID == "" && !o.EnableCAE
	kept, state := c.kept(key, plain)
	if state == fresh {
		return kept, nil
	}
	select {
	case c.turn <- struct{}{}:
	default:
		if state == aging { // somebody is at it
			return kept, nil
		}
		select {
		case c.turn <- struct{}{}:
		case <-ctx.Done():
			return azcore.AccessToken{}, context.Cause(ctx)
		}
	}
	defer func() { <-c.turn }()
	if kept, state = c.kept(key, plain); state == fresh {
		return kept, nil
	}
	refused := c.challenged(key)
	o.EnableCAE = o.EnableCAE || plain
	var t azcore.AccessToken
	var err error
	if plain && refused != nil {
		t, err = c.replace(ctx, o, key, refused)
	} else {
		t, err = c.signIn(ctx, o, key)
	}
	switch {
	case err != nil && state == aging && !errors.Is(err, ErrWrongTenant):
		c.o.Logger.Warn("a token could not be renewed; the current one is still valid", "section", c.o.Section, "scope", key, "until", kept.ExpiresOn, "error", err)
		return kept, nil
	case err != nil:
		return azcore.AccessToken{}, err
	}
	if plain {
		c.answered(key, refused)
		c.mu.Lock()
		c.tokens[key] = t
		c.mu.Unlock()
	}
	return t, nil
}

// signIn asks for a token and checks whose it is.
func (c *Credential) signIn(ctx context.Context, o policy.TokenRequestOptions, key string) (azcore.AccessToken, error) {
	t, err := c.ask(ctx, o)
	if tvmexport.CauseOf(err) == tvmexport.Permission && c.renewed() {
		c.o.Logger.Info("sign-in was refused; retrying with the changed secret, certificate or federated token", "section", c.o.Section, "method", string(c.o.Method))
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
	return t, nil
}

func (c *Credential) ask(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	ctx, m := withMishap(ctx)
	t, err := c.inner.GetToken(ctx, o)
	for again := 0; cutShort(err) && again < maxCutShort && ctx.Err() == nil; again++ {
		t, err = c.inner.GetToken(ctx, o)
	}
	if err != nil {
		err = c.explain(ctx, m, err)
	}
	return t, err
}

// maxCutShort is how often a program is asked again whose answer was cut.
const maxCutShort = 3

// cutShort says whether a program that was asked for a token, such as the Azure CLI, was
// heard only in part. azidentity reads what a program has written for a tenth of a second
// after its end, which is not enough on a busy machine. Its error is a text.
func cutShort(err error) bool {
	return err != nil && strings.Contains(err.Error(), "unexpected end of JSON input")
}

// renewed reads secret, certificate and federated token again and says whether
// they have changed: a program that runs for months outlives them, and files are
// replaced under it. azidentity keeps a federated token for ten minutes.
func (c *Credential) renewed() bool {
	again, err := c.o.build(c.http)
	if err != nil || again.material == c.inner.material {
		return false
	}
	c.inner = again
	return true
}

// age is what a kept token is good for.
type age int

const (
	gone  age = iota // there is none, or its end is near
	aging            // it holds, and the authority wants it renewed
	fresh
)

func ageOf(t azcore.AccessToken, now time.Time) age {
	switch {
	case t.ExpiresOn.Sub(now) <= spare:
		return gone
	case !t.RefreshOn.IsZero() && !now.Before(t.RefreshOn):
		return aging
	}
	return fresh
}

func (c *Credential) kept(key string, plain bool) (azcore.AccessToken, age) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tokens[key]
	if !ok || !plain {
		return t, gone
	}
	return t, ageOf(t, time.Now())
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
