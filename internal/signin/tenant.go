package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/tvmexport/tvmexport"
)

var (
	guid     = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	guidPart = regexp.MustCompile(`(?i)/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(/|$)`)
)

// ErrWrongTenant says that a token belongs to another tenant than the configured one.
var ErrWrongTenant = errors.New("the token belongs to another tenant")

// checkTenant reads who a token is for and refuses one of another tenant than
// the configured one.
func (c *Credential) checkTenant(ctx context.Context, token string) (Identity, error) {
	who, err := read(token)
	if err != nil {
		return Identity{}, c.o.refused(err, "")
	}
	want, err := c.wanted(ctx)
	if err != nil {
		return Identity{}, err
	}
	if want == "" || want == who.TenantID {
		return who, nil
	}
	return Identity{}, c.o.refused(
		fmt.Errorf("%w, %s, not of the configured tenant, %s; nothing was read or written with it", ErrWrongTenant, who.TenantID, c.o.named(want)),
		"correct "+c.o.Section+".tenant_id (or AZURE_TENANT_ID), or sign in with an identity of that tenant")
}

// named is a tenant as the configuration has it, with its id.
func (o Options) named(id string) string {
	if strings.EqualFold(o.TenantID, id) {
		return id
	}
	return fmt.Sprintf("%s (%s)", o.TenantID, id)
}

// wanted is the id of the configured tenant, "" if none is configured. A domain
// name is looked up once.
func (c *Credential) wanted(ctx context.Context) (string, error) {
	if c.tenant == "" {
		id, err := c.lookUp(ctx, c.o.TenantID)
		if err != nil {
			return "", err
		}
		c.tenant = id
	}
	return c.tenant, nil
}

// lookUp finds a tenant's id by its name in its discovery document
// (https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc).
func (c *Credential) lookUp(ctx context.Context, name string) (string, error) {
	if name == "" || guid.MatchString(name) {
		return strings.ToLower(name), nil
	}
	const hint = "set the tenant's id, which the Entra ID overview in the portal shows"
	address := c.o.Authority + "/" + url.PathEscape(name) + "/v2.0/.well-known/openid-configuration"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", c.o.misconfigured(fmt.Errorf("the tenant %q: %w", name, err), hint)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return "", &tvmexport.Error{Op: c.o.op(), Action: tvmexport.Retry, Err: fmt.Errorf("look up the tenant %s: %w", name, err), Hint: hint}
	}
	defer answer.Body.Close()
	var document struct{ Issuer string }
	_ = json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&document) // an issuer without an id is refused below
	if m := guidPart.FindStringSubmatch(document.Issuer); m != nil {
		return strings.ToLower(m[1]), nil
	}
	return "", c.o.refused(fmt.Errorf("Entra at %s does not say which tenant %q is (HTTP %d)", c.o.Authority, name, answer.StatusCode), hint)
}
