package entra

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// ErrRevoked is the reason for a token that an event has ended before its time,
// as continuous access evaluation does
// (https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation).
var ErrRevoked = errors.New("the token was revoked by continuous access evaluation")

// Revoke lets Verify refuse a token from now on.
func (s *Server) Revoke(token string) { s.tokens.revoke(sha256.Sum256([]byte(token))) }

// Challenge is what the WWW-Authenticate header of an API says of a revoked
// token: the claims that the next one has to be asked for with
// (https://learn.microsoft.com/entra/identity-platform/claims-challenge).
func Challenge(at time.Time) string {
	claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, at.Unix())
	return fmt.Sprintf("error=%q, claims=%q", "insufficient_claims", base64.StdEncoding.EncodeToString([]byte(claims)))
}
