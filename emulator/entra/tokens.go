package entra

import (
	"crypto/rsa"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenHash is what is remembered of a token in its place.
type tokenHash = [sha256.Size]byte

// tokens are those that a server was shown. The zero value has none. It is safe for concurrent use.
type tokens struct {
	mu      sync.Mutex
	signed  map[tokenHash]claims // whose signature was checked
	revoked map[tokenHash]bool   // that are refused before their time
}

// mostSigned bounds how many tokens a server remembers as its own.
const mostSigned = 10_000

// claimsOf are the claims of a token that is signed with the key and valid now. A client sends its
// token with every request: the signature is checked for the first one, the times for each.
func (t *tokens) claimsOf(token string, hash tokenHash, key *rsa.PublicKey, now func() time.Time) (claims, error) {
	options := []jwt.ParserOption{jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(now), jwt.WithExpirationRequired()}
	t.mu.Lock()
	c, known := t.signed[hash]
	t.mu.Unlock()
	if known {
		return c, jwt.NewValidator(options...).Validate(c)
	}
	if _, err := jwt.NewParser(options...).ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
		return c, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.signed == nil || len(t.signed) >= mostSigned {
		t.signed = map[tokenHash]claims{}
	}
	t.signed[hash] = c
	return c, nil
}

func (t *tokens) revoke(hash tokenHash) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.revoked == nil {
		t.revoked = map[tokenHash]bool{}
	}
	t.revoked[hash] = true
}

func (t *tokens) isRevoked(hash tokenHash) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.revoked[hash]
}
