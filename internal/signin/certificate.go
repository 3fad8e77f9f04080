package signin

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/tvmexport/tvmexport"
)

var (
	errPassword = errors.New("the password does not decrypt the file")
	errSealed   = errors.New("the private key in the PEM file is encrypted")
	errNoKey    = errors.New("the file contains no private key")
	errNotRSA   = errors.New("the private key is not an RSA key; Entra accepts RSA keys only")
)

// parseCertificates reads a private key and certificates, in PEM or PKCS #12
// (PFX) form. azidentity's own reader does not know the ciphers that PFX files
// have been written with since OpenSSL 3 and Windows Server 2019.
func parseCertificates(data []byte, password string) ([]*x509.Certificate, crypto.PrivateKey, error) {
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return parsePEM(data)
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return nil, nil, errPassword
	case err != nil:
		return nil, nil, fmt.Errorf("it is neither a PEM file nor a PFX file with one key and its certificate: %w", err)
	}
	return usable(append([]*x509.Certificate{leaf}, chain...), key)
}

func parsePEM(data []byte) ([]*x509.Certificate, crypto.PrivateKey, error) {
	var certificates []*x509.Certificate
	var key crypto.PrivateKey
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return usable(certificates, key)
		}
		var err error
		switch block.Type {
		case "CERTIFICATE":
			var c *x509.Certificate
			if c, err = x509.ParseCertificate(block.Bytes); err == nil {
				certificates = append(certificates, c)
			}
		case "ENCRYPTED PRIVATE KEY":
			return nil, nil, errSealed
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			switch {
			case block.Headers["DEK-Info"] != "":
				return nil, nil, errSealed
			case key != nil:
				return nil, nil, errors.New("the file contains more than one private key")
			case block.Type == "EC PRIVATE KEY":
				return nil, nil, errNotRSA
			case block.Type == "RSA PRIVATE KEY":
				key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
			default:
				key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
			}
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the block %s cannot be parsed: %w", block.Type, err)
		}
	}
}

// usable checks that key and certificates can sign a client assertion.
func usable(certificates []*x509.Certificate, key crypto.PrivateKey) ([]*x509.Certificate, crypto.PrivateKey, error) {
	if key == nil {
		return nil, nil, errNoKey
	}
	if _, ok := key.(*rsa.PrivateKey); !ok {
		return nil, nil, errNotRSA
	}
	if signing(certificates, key) == nil {
		return nil, nil, errors.New("the file contains no certificate that matches its private key")
	}
	return certificates, key, nil
}

// signing is the certificate of the key, or nil.
func signing(certificates []*x509.Certificate, key crypto.PrivateKey) *x509.Certificate {
	private, ok := key.(*rsa.PrivateKey)
	for _, c := range certificates {
		if ok && private.PublicKey.Equal(c.PublicKey) {
			return c
		}
	}
	return nil
}

// badCertificate is about a file that gives no credential.
func (o Options) badCertificate(err error) error {
	out := &tvmexport.Error{
		Op: o.op(), Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: fmt.Errorf("certificate %s: %w", o.CertificateFile, err),
	}
	switch {
	case errors.Is(err, errPassword):
		out.Cause = tvmexport.Permission
		out.Hint = "set " + placeNames(o.Passwords, " or ")
	case errors.Is(err, errSealed):
		out.Hint = "convert it to PFX (openssl pkcs12 -export), which supports a password, or decrypt the key (openssl pkey)"
	case errors.Is(err, errNoKey):
		out.Hint = "the file must contain both the certificate and the private key, as a PFX file, or as a PEM file with both"
	}
	return out
}

// shown is the certificate that a credential shows to Entra.
type shown struct {
	file     string
	from, to time.Time
}

func show(file string, certificates []*x509.Certificate, key crypto.PrivateKey) *shown {
	c := signing(certificates, key)
	if c == nil {
		return nil
	}
	return &shown{file, c.NotBefore, c.NotAfter}
}

// outOfTime says that the certificate does not hold now; "" if it does.
func (s *shown) outOfTime(now time.Time) string {
	switch {
	case s == nil || now.After(s.from) && now.Before(s.to):
		return ""
	case now.Before(s.from):
		return fmt.Sprintf("the certificate in %s is not valid before %s", s.file, s.from.UTC().Format(time.DateTime))
	}
	return fmt.Sprintf("the certificate in %s expired at %s UTC; create a new one and upload it to the application", s.file, s.to.UTC().Format(time.DateTime))
}
