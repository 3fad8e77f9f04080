package entra

import (
	"crypto/rsa"
	"crypto/sha1" // x5t is a SHA-1 thumbprint by definition, RFC 7515 section 4.1.7
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// jwtBearer is the only type of client assertion there is (RFC 7523).
const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// FederatedCredential lets an application sign in with a token of another
// issuer, as workload identity does:
// https://learn.microsoft.com/entra/workload-id/workload-identity-federation.
type FederatedCredential struct {
	Issuer   string
	Subject  string
	Audience string         // "" means api://AzureADTokenExchange
	Key      *rsa.PublicKey // of the issuer
}

// defaultExchange is the audience of federated tokens unless one is configured.
const defaultExchange = "api://AzureADTokenExchange"

// checkAssertion checks a client assertion: its signature by a certificate or a
// federated issuer of the app, its audience and its time. nil means it holds. See
// https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
func (s *Server) checkAssertion(r *http.Request, app App, kind, assertion string) *refusal {
	if kind != jwtBearer {
		return refusalOf(missingParameter("client_assertion_type"))
	}
	payload := jwt.RegisteredClaims{}
	unverified, _, err := jwt.NewParser().ParseUnverified(assertion, &payload)
	if err != nil {
		return refusalOf(malformedAssertion())
	}
	var key *rsa.PublicKey
	switch {
	case strings.EqualFold(payload.Issuer, app.ID) && strings.EqualFold(payload.Subject, app.ID):
		certificate, refused := s.certificateOf(app, unverified.Header)
		if refused != nil {
			return refused
		}
		key, _ = certificate.PublicKey.(*rsa.PublicKey)
		if key == nil {
			return refusalOf(badAssertion("The key is not an RSA key."))
		}
		if !slices.ContainsFunc(payload.Audience, func(a string) bool { return s.isOwnEndpoint(r, a) }) {
			return refusalOf(wrongAssertionAudience())
		}
	case len(app.Federated) > 0:
		federated, refused := app.federation(payload)
		if refused != nil {
			return refused
		}
		key = federated.Key
	default:
		return refusalOf(wrongAssertionIssuer())
	}
	return s.checkSignature(assertion, payload, key)
}

// checkSignature verifies the assertion with key and against the clock.
func (s *Server) checkSignature(assertion string, payload jwt.RegisteredClaims, key *rsa.PublicKey) *refusal {
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256", "PS256"}),
		jwt.WithTimeFunc(s.now),
		jwt.WithLeeway(clockSkew),
		jwt.WithExpirationRequired(),
	).ParseWithClaims(assertion, &jwt.RegisteredClaims{}, func(*jwt.Token) (any, error) { return key, nil })
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet):
		return refusalOf(assertionNotInTime(s.now(), dateOf(payload.NotBefore), dateOf(payload.ExpiresAt)))
	default:
		return refusalOf(badAssertion("The key was found, but the signature does not verify."))
	}
}

// clockSkew is how far the clocks of a client and Entra may be apart.
const clockSkew = 5 * time.Minute

func dateOf(d *jwt.NumericDate) time.Time {
	if d == nil {
		return time.Time{}
	}
	return d.Time
}

// certificateOf is the registered certificate that signed an assertion. It must
// be valid now; the chain that a client may send (x5c) must begin with it.
func (s *Server) certificateOf(app App, header map[string]any) (*x509.Certificate, *refusal) {
	certificate := app.certificate(header)
	if certificate == nil {
		return nil, refusalOf(unknownCertificate(app.ID, thumbprintIn(header)))
	}
	if now := s.now(); now.After(certificate.NotAfter) || now.Before(certificate.NotBefore) {
		return nil, refusalOf(expiredCertificate(app.ID, certificate))
	}
	sent, ok := header["x5c"]
	if !ok {
		return certificate, nil
	}
	chain, ok := sent.([]any)
	if !ok || len(chain) == 0 {
		return nil, refusalOf(malformedAssertion())
	}
	for i, link := range chain {
		text, _ := link.(string)
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, refusalOf(malformedAssertion())
		}
		if c, err := x509.ParseCertificate(der); err != nil || i == 0 && !c.Equal(certificate) {
			return nil, refusalOf(malformedAssertion())
		}
	}
	return certificate, nil
}

// thumbprintIn is the thumbprint of an assertion's header as Entra prints it, ""
// if it holds none.
func thumbprintIn(header map[string]any) string {
	for _, name := range []string{"x5t", "x5t#S256"} {
		text, _ := header[name].(string)
		b, err := base64.RawURLEncoding.DecodeString(standardToURL.Replace(strings.TrimRight(text, "=")))
		if err == nil && len(b) > 0 {
			return strings.ToUpper(hex.EncodeToString(b))
		}
	}
	return ""
}

// certificate is the registered certificate that the assertion's header names by
// thumbprint, or nil.
func (a App) certificate(header map[string]any) *x509.Certificate {
	for _, c := range a.Certificates {
		short := sha1.Sum(c.Raw)
		long := sha256.Sum256(c.Raw)
		if names(header["x5t"], short[:]) || names(header["x5t#S256"], long[:]) {
			return c
		}
	}
	return nil
}

// standardToURL maps the two characters in which the base64 alphabets differ.
var standardToURL = strings.NewReplacer("+", "-", "/", "_")

// names says whether a header value is the base64 text of thumbprint. The
// standard has base64url without padding; the official Go client sends the
// standard alphabet with padding, and Entra takes both.
func names(value any, thumbprint []byte) bool {
	text, ok := value.(string)
	if !ok {
		return false
	}
	got := standardToURL.Replace(strings.TrimRight(text, "="))
	want := base64.RawURLEncoding.EncodeToString(thumbprint)
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

// federation is the credential that matches the token: by issuer, subject and
// audience, to the letter. The refusal names the first of them that does not.
func (a App) federation(payload jwt.RegisteredClaims) (*FederatedCredential, *refusal) {
	mismatch := unknownFederation("issuer", 700211, payload.Issuer)
	for i, f := range a.Federated {
		audience := f.Audience
		if audience == "" {
			audience = defaultExchange
		}
		switch {
		case f.Key == nil || f.Issuer != payload.Issuer:
		case f.Subject != payload.Subject:
			mismatch = unknownFederation("subject", 700213, payload.Subject)
		case !slices.Contains(payload.Audience, audience):
			mismatch = unknownFederation("audience", 700212, strings.Join(payload.Audience, ","))
		default:
			return &a.Federated[i], nil
		}
	}
	return nil, refusalOf(mismatch)
}

// isOwnEndpoint says whether audience is an endpoint of the tenant that is asked: clients
// name the token endpoint or the issuer of the discovery document.
func (s *Server) isOwnEndpoint(r *http.Request, audience string) bool {
	u, err := url.Parse(audience)
	if err != nil || u.Scheme != "https" {
		return false
	}
	if !strings.EqualFold(u.Host, r.Host) && u.Host != "login.microsoftonline.com" && u.Host != "sts.windows.net" {
		return false
	}
	segment, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	asked, named := s.tenants.directory(r.PathValue("tenant")), s.tenants.directory(segment)
	return named != nil && named == asked
}
