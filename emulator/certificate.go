package emulator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// authority is the certificate authority of one running emulator. Its key exists
// in memory only, and its certificate is good for loopback names alone, so that
// trusting it cannot hurt.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	names       []string // further DNS names than localhost, and domains below which all names are served

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by server name
}

// maxLeaves bounds how many names get a certificate of their own.
const maxLeaves = 1000

// certificateLife is longer than anybody lets an emulator run.
const certificateLife = 90 * 24 * time.Hour

// newAuthority makes an authority for 127.0.0.0/8, ::1, localhost, everything
// below localhost, and names with everything below them.
func newAuthority(names []string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the test authority's key: %w", err)
	}
	names = append([]string{"localhost"}, names...)
	template := &x509.Certificate{
		SerialNumber:                serialNumber(),
		Subject:                     pkix.Name{CommonName: "tvmexport emulator test CA", Organization: []string{"for tests on this machine only"}},
		NotBefore:                   time.Now().Add(-time.Hour),
		NotAfter:                    time.Now().Add(certificateLife),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         names,
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the test authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the test authority: %w", err)
	}
	return &authority{certificate: certificate, key: key, names: names, leaves: map[string]*tls.Certificate{}}, nil
}

// serialNumber is random: two authorities in one trust store must differ.
func serialNumber() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return new(big.Int).SetBytes(b[:])
}

// write puts the certificate in dir as ca.pem and gives the file's name.
func (a *authority) write(dir string) (string, error) {
	file := filepath.Join(dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return "", fmt.Errorf("write the test authority: %w", err)
	}
	return file, nil
}

// config is the TLS configuration of the listeners.
func (a *authority) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return a.leaf(hello.ServerName) },
		NextProtos:     []string{"h2", "http/1.1"},
	}
}

// leaf is the certificate for a server name. Each name gets its own, since some
// clients take no wildcard directly below localhost. A client that sends no name,
// or one that is not served, gets the one of localhost.
func (a *authority) leaf(name string) (*tls.Certificate, error) {
	name = strings.ToLower(name)
	if !a.serves(name) {
		name = "localhost"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.leaves[name]; c != nil {
		return c, nil
	}
	c, err := a.issue(name)
	if err != nil {
		return nil, err
	}
	if len(a.leaves) < maxLeaves {
		a.leaves[name] = c
	}
	return c, nil
}

// serves says whether name is one of the authority's names or below one.
func (a *authority) serves(name string) bool {
	for _, n := range a.names {
		if name == n || strings.HasSuffix(name, "."+n) {
			return true
		}
	}
	return false
}

// issue makes the certificate for name and for the loopback addresses.
func (a *authority) issue(name string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key for %q: %w", name, err)
	}
	names := []string{name}
	if name != "localhost" {
		names = append(names, "localhost")
	}
	template := &x509.Certificate{
		SerialNumber: serialNumber(),
		Subject:      pkix.Name{CommonName: "tvmexport emulator"},
		NotBefore:    a.certificate.NotBefore,
		NotAfter:     a.certificate.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     names,
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate for %q: %w", name, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}, nil
}
