package datamanagement

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
)

// An identity token says who queued a message: the principal and the token's end,
// and a signature over them. Clients keep one for an hour and pass it on as it is.

const tokenLife = 24 * time.Hour

var errIdentity = errors.New("the authorizationContext is not a token of this service, or it has expired")

type identity struct {
	Principal engine.Principal
	Expires   time.Time
}

// identities makes identity tokens and reads them.
type identities struct {
	key []byte
	now func() time.Time
}

func newKey() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	return key
}

func (s identities) sign(text string) string {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// issue makes a token for p.
func (s identities) issue(p engine.Principal) (string, error) {
	text, err := json.Marshal(identity{p, s.now().Add(tokenLife)})
	if err != nil {
		return "", err
	}
	encoded := base64.RawURLEncoding.EncodeToString(text)
	return encoded + "." + s.sign(encoded), nil
}

// principalOf is who a token was made for.
func (s identities) principalOf(token string) (engine.Principal, error) {
	encoded, signature, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !hmac.Equal([]byte(signature), []byte(s.sign(encoded))) {
		return engine.Principal{}, errIdentity
	}
	var i identity
	if json.Unmarshal(text, &i) != nil || s.now().After(i.Expires) {
		return engine.Principal{}, errIdentity
	}
	return i.Principal, nil
}
