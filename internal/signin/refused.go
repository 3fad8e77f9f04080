package signin

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// challenge is what the next token of a scope has to be, after one was refused.
type challenge struct {
	token  string // that was refused
	claims string // that the service demands; "" if it did not say
}

// Refused tells the credential that a service answered 401 to a token, and the
// claims of its challenge, "" for none. The token is dropped, by its value, so
// that many calls which fail together ask for one new token. The next token is
// asked for with the claims and does not come from a cache
// (https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation).
func (c *Credential) Refused(token, claims string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, t := range c.tokens {
		if t.Token != token {
			continue
		}
		delete(c.tokens, key)
		c.refusedBy[key] = &challenge{token: token, claims: claims}
		c.o.Logger.Info("a token was refused; requesting a new one", "section", c.o.Section, "scope", key, "claims", claims != "")
	}
}

// challenged is the challenge that a token of the scope has to answer; nil for none.
func (c *Credential) challenged(key string) *challenge {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refusedBy[key]
}

// answered ends the challenge to a scope, if it is still the same.
func (c *Credential) answered(key string, to *challenge) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusedBy[key] == to {
		delete(c.refusedBy, key)
	}
}

// anyClaims makes azidentity skip its caches. Managed identities do not send it.
const anyClaims = "{}"

// replace signs in for a token that answers a challenge. azidentity keeps tokens
// by scope and skips them where claims are given. Without claims a credential
// with an empty cache does, which also reads its files again. The tokens of
// managed identities are cached by the process, also where they are a link of
// the default chain: if the refused token comes back, claims are given as well.
func (c *Credential) replace(ctx context.Context, o policy.TokenRequestOptions, key string, to *challenge) (azcore.AccessToken, error) {
	o.Claims = to.claims
	if to.claims == "" {
		if again, err := c.o.build(c.http); err == nil {
			c.inner = again
		}
	}
	t, err := c.signIn(ctx, o, key)
	if err != nil || t.Token != to.token || to.claims != "" {
		return t, err
	}
	o.Claims = anyClaims
	if other, err := c.signIn(ctx, o, key); err == nil {
		return other, nil
	}
	return t, nil // developer tools refuse claims; their token is all there is
}
