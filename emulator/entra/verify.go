package entra

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims is what an API reads from a verified token.
type Claims struct {
	AppID    string
	ObjectID string
	TenantID string
	Name     string // display name of the application
	Audience string
	Roles    []string // application permissions
	Expiry   time.Time
}

// HasRole says whether the application holds a permission.
func (c Claims) HasRole(role string) bool { return slices.Contains(c.Roles, role) }

// Reasons why a token is refused. Each API has its own words for them.
var (
	ErrNoToken       = errors.New("no bearer token")
	ErrMalformed     = errors.New("the token is not a JSON Web Token")
	ErrSignature     = errors.New("the token's signature is not of this authority")
	ErrExpired       = errors.New("the token has expired")
	ErrNotYetValid   = errors.New("the token is not valid yet")
	ErrWrongAudience = errors.New("the token is for another audience")
)

// Bearer is the token of a request's Authorization header, or ErrNoToken.
func Bearer(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", ErrNoToken
	}
	return token, nil
}

// issuer is the issuer of a tenant's tokens. Tenants share signing keys, so it tells
// whose token it is.
func issuer(tenantID string) string { return "https://sts.windows.net/" + tenantID + "/" }

// Verify checks that this server issued token, that it is valid now and that it
// is for one of audiences; a slash at the end makes no difference. Without
// audiences, any will do. The error wraps one of the reasons above and never
// holds the token.
func (s *Server) Verify(token string, audiences ...string) (Claims, error) {
	if token == "" {
		return Claims{}, ErrNoToken
	}
	hash := sha256.Sum256([]byte(token))
	c, err := s.tokens.claimsOf(token, hash, &s.key.PublicKey, s.now)
	switch {
	case err == nil && (s.tenants.byName[c.TenantID] == nil || c.Issuer != issuer(c.TenantID)):
		return Claims{}, ErrSignature
	case err == nil:
	case errors.Is(err, jwt.ErrTokenMalformed):
		return Claims{}, ErrMalformed
	case errors.Is(err, jwt.ErrTokenSignatureInvalid), errors.Is(err, jwt.ErrTokenUnverifiable):
		return Claims{}, ErrSignature
	case errors.Is(err, jwt.ErrTokenExpired):
		return Claims{}, fmt.Errorf("%w at %s", ErrExpired, dateOf(c.ExpiresAt).UTC().Format(time.RFC3339))
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return Claims{}, ErrNotYetValid
	default:
		return Claims{}, ErrMalformed
	}
	if s.tokens.isRevoked(hash) {
		return Claims{}, ErrRevoked
	}
	if len(audiences) > 0 && !slices.ContainsFunc(audiences, func(a string) bool {
		return strings.EqualFold(strings.TrimSuffix(a, "/"), strings.TrimSuffix(c.Audience, "/"))
	}) {
		return Claims{}, fmt.Errorf("%w: it is for %q", ErrWrongAudience, c.Audience)
	}
	return Claims{
		AppID:    c.AppID,
		ObjectID: c.ObjectID,
		TenantID: c.TenantID,
		Name:     c.AppName,
		Audience: c.Audience,
		Roles:    slices.Clone(c.Roles),
		Expiry:   dateOf(c.ExpiresAt),
	}, nil
}

// ClaimedTenant is the id of the tenant that a token says it is of, in lower case; "" if it
// cannot be read. Only Verify says whether that is true.
func ClaimedTenant(token string) string {
	var c claims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &c); err != nil {
		return ""
	}
	return strings.ToLower(c.TenantID)
}
