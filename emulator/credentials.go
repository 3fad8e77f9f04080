package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
)

// credentials are what the exporting application can sign in with in place of its
// secret. Their files are for programs; an emulator without sockets has none.
type credentials struct {
	key     *rsa.PrivateKey
	valid   *x509.Certificate
	expired *x509.Certificate
	parent  *x509.Certificate // signed both
	issuer  *entra.Issuer
}

// The issuer of federated tokens, in the form of an AKS cluster with workload identity.
const (
	issuerURL     = "https://oidc.emulated.invalid/cluster/"
	issuerSubject = "system:serviceaccount:tvmexport:exporter"
)

// The emulators of a process share the key of the client certificate and the issuer:
// an RSA key takes longer to make than the rest of an emulator.
var (
	clientKey    = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	sharedIssuer = sync.OnceValues(func() (*entra.Issuer, error) { return entra.NewIssuer(issuerURL, issuerSubject) })
)

func newCredentials(now time.Time) (*credentials, error) {
	issuer, err := sharedIssuer()
	if err != nil {
		return nil, err
	}
	c := &credentials{issuer: issuer}
	if c.key, err = clientKey(); err != nil {
		return nil, fmt.Errorf("make the key of the client certificate: %w", err)
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key behind the client certificate: %w", err)
	}
	name := pkix.Name{CommonName: "tvmexport emulator client CA", Organization: []string{"for tests on this machine only"}}
	parent := &x509.Certificate{
		SerialNumber: serialNumber(), Subject: name, NotBefore: now.Add(-2 * certificateLife), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	if c.parent, err = issueCertificate(parent, parent, &signer.PublicKey, signer); err != nil {
		return nil, err
	}
	for _, of := range []struct {
		to       **x509.Certificate
		from, up time.Time
	}{
		{&c.valid, now.Add(-time.Hour), now.Add(certificateLife)},
		{&c.expired, now.Add(-certificateLife), now.Add(-24 * time.Hour)},
	} {
		template := &x509.Certificate{
			SerialNumber: serialNumber(), Subject: pkix.Name{CommonName: "tvmexport"}, NotBefore: of.from, NotAfter: of.up,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		if *of.to, err = issueCertificate(template, c.parent, &c.key.PublicKey, signer); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func issueCertificate(template, parent *x509.Certificate, public, signer any) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of %s: %w", template.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// register lets the application sign in with them.
func (c *credentials) register(app *entra.App) {
	if c == nil {
		return
	}
	app.Certificates = []*x509.Certificate{c.valid, c.expired}
	app.Federated = []entra.FederatedCredential{c.issuer.Credential()}
}

// write puts them into dir, readable by the user alone, and names the files.
func (c *credentials) write(dir string, now time.Time, r *Ready) error {
	key, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return fmt.Errorf("write the client certificate: %w", err)
	}
	token, err := c.issuer.Token(now, certificateLife)
	if err != nil {
		return err
	}
	withKey := func(certificates ...*x509.Certificate) []byte {
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
		for _, c := range certificates {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		return text
	}
	for _, f := range []struct {
		name string
		to   *string
		text []byte
	}{
		{"client.pem", &r.Certificate, withKey(c.valid, c.parent)},
		{"client-expired.pem", &r.ExpiredCertificate, withKey(c.expired, c.parent)},
		{"federated-token", &r.FederatedToken, []byte(token)},
	} {
		*f.to = filepath.Join(dir, f.name)
		if err := os.WriteFile(*f.to, f.text, 0o600); err != nil {
			return fmt.Errorf("write what the application signs in with: %w", err)
		}
	}
	return nil
}
