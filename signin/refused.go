package signin

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// challenge is what the next token of a scope has to be, after one was refused.
type challenge struct {
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
		c.refusedBy[key] = &challenge{claims: claims}
		c.o.Logger.Info("a token was refused; a new one is asked for", "section", c.o.Section, "scope", key, "claims", claims != "")
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

// anyClaims makes managed identities pass over the cache that azidentity keeps
// for the whole process. They do not send it.
const anyClaims = "{}"

// afresh prepares the sign-in that answers a challenge. azidentity keeps tokens
// by scope: it passes over them where claims are given. Without claims only a
// credential with an empty cache does, which also reads its files again.
func (c *Credential) afresh(o policy.TokenRequestOptions, to *challenge) policy.TokenRequestOptions {
	if to.claims != "" {
		o.Claims = to.claims
		return o
	}
	if again, err := c.o.build(c.http); err == nil {
		c.inner = again
	}
	if _, managed := c.inner.TokenCredential.(*azidentity.ManagedIdentityCredential); managed {
		o.Claims = anyClaims
	}
	return o
}
