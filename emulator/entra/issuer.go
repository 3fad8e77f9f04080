package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// Issuer is a foreign issuer of tokens, such as a Kubernetes cluster, that an
// application can trust by a FederatedCredential.
type Issuer struct {
	url     string
	subject string
	key     *rsa.PrivateKey
}

// NewIssuer makes an issuer with a key of its own. url and subject are what its
// tokens say; nothing is asked at url.
func NewIssuer(url, subject string) (*Issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("entra: make the key of the issuer %s: %w", url, err)
	}
	return &Issuer{url, subject, key}, nil
}

// Credential is what an application is registered with to accept the issuer.
func (i *Issuer) Credential() FederatedCredential {
	return FederatedCredential{Issuer: i.url, Subject: i.subject, Key: &i.key.PublicKey}
}

// Token is what the issuer hands to a workload: valid from at, for lifetime.
func (i *Issuer) Token(at time.Time, lifetime time.Duration) (string, error) {
	text, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer: i.url, Subject: i.subject, Audience: jwt.ClaimStrings{defaultExchange}, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(at), NotBefore: jwt.NewNumericDate(at), ExpiresAt: jwt.NewNumericDate(at.Add(lifetime)),
	}).SignedString(i.key)
	if err != nil {
		return "", fmt.Errorf("entra: sign a token of the issuer %s: %w", i.url, err)
	}
	return text, nil
}
