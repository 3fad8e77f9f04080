package signin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/tvmexport/tvmexport"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// chainOf is a certificate of the key and the one behind it.
func chainOf(t testing.TB, key crypto.Signer, until time.Time) []*x509.Certificate {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	make := func(name string, parent *x509.Certificate, public any) *x509.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
			IsCA: parent == nil, BasicConstraintsValid: true,
		}
		if parent == nil {
			parent = template
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	root := make("root", nil, &signer.PublicKey)
	return []*x509.Certificate{make("leaf", root, key.Public()), root}
}

func pemOf(t testing.TB, blocks ...any) []byte {
	t.Helper()
	var out []byte
	for _, b := range blocks {
		switch b := b.(type) {
		case *x509.Certificate:
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Raw})...)
		case *pem.Block:
			out = append(out, pem.EncodeToMemory(b)...)
		default:
			der, err := x509.MarshalPKCS8PrivateKey(b)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
		}
	}
	return out
}

func TestParseCertificates(t *testing.T) {
	key := rsaKey()
	chain := chainOf(t, key, time.Now().Add(time.Hour))
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pfx := func(e *pkcs12.Encoder, password string) []byte {
		data, err := e.WithRand(rand.Reader).Encode(key, chain[0], chain[1:], password)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	pkcs1 := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	for _, tt := range []struct {
		name     string
		data     []byte
		password string
		want     string // in the error; "" for success
	}{
		{"key first", pemOf(t, key, chain[0], chain[1]), "", ""},
		{"root first, key last", pemOf(t, chain[1], chain[0], key), "", ""},
		{"PKCS #1", pemOf(t, chain[0], pkcs1), "", ""},
		{"PEM takes no password", pemOf(t, key, chain[0]), "unused", ""},
		{"PFX of today", pfx(pkcs12.Modern2023, "pass"), "pass", ""},
		{"PFX of yesterday", pfx(pkcs12.LegacyDES, "pass"), "pass", ""},
		{"PFX of old Windows", pfx(pkcs12.LegacyRC2, "pass"), "pass", ""},
		{"PFX without a password", pfx(pkcs12.Modern2023, ""), "", ""},
		{"wrong password", pfx(pkcs12.Modern2023, "pass"), "guess", errPassword.Error()},
		{"no password", pfx(pkcs12.Modern2023, "pass"), "", errPassword.Error()},
		{"sealed key", pemOf(t, chain[0], &pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")}), "", errSealed.Error()},
		{"old sealed key", pemOf(t, chain[0], &pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"DEK-Info": "AES"}, Bytes: []byte("x")}), "", errSealed.Error()},
		{"no key", pemOf(t, chain[0]), "", errNoKey.Error()},
		{"two keys", pemOf(t, key, key, chain[0]), "", "more than one private key"},
		{"no certificate", pemOf(t, key), "", "no certificate that matches its private key"},
		{"another's certificate", pemOf(t, key, chain[1]), "", "no certificate that matches its private key"},
		{"a key that Entra does not take", pemOf(t, other, chain[0]), "", errNotRSA.Error()},
		{"broken", pemOf(t, &pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), "", "the block PRIVATE KEY cannot be parsed"},
		{"neither", []byte("hello"), "", "neither a PEM file nor a PFX file"},
		{"empty", nil, "", "neither a PEM file nor a PFX file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			certificates, got, err := parseCertificates(tt.data, tt.password)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil || !key.Equal(got) || signing(certificates, got) == nil || !signing(certificates, got).Equal(chain[0]) {
				t.Errorf("%d certificates, %v", len(certificates), err)
			}
		})
	}
}

// No file makes the reader panic, and what it takes can sign.
func FuzzParseCertificates(f *testing.F) {
	chain := chainOf(f, rsaKey(), time.Now().Add(time.Hour))
	f.Add(pemOf(f, rsaKey(), chain[0]), "")
	data, err := pkcs12.Modern2023.WithRand(rand.Reader).Encode(rsaKey(), chain[0], chain[1:], "p")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, "p")
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		certificates, key, err := parseCertificates(data, password)
		if err == nil && signing(certificates, key) == nil {
			t.Error("accepted, and cannot sign")
		}
	})
}

func TestShownCertificateOutOfTime(t *testing.T) {
	end := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := &shown{"client.pem", end.Add(-time.Hour), end}
	for _, tt := range []struct {
		now  time.Time
		want string
	}{
		{end.Add(-time.Minute), ""},
		{end.Add(time.Minute), "client.pem expired at 2026-03-04 05:06:07 UTC"},
		{end.Add(-2 * time.Hour), "client.pem is not valid before 2026-03-04 04:06:07"},
	} {
		if got := s.outOfTime(tt.now); got == "" != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("at %s: %q, want %q", tt.now, got, tt.want)
		}
	}
	if (*shown)(nil).outOfTime(end) != "" {
		t.Error("no certificate cannot be out of time")
	}
}

func TestBadCertificatesHaveTheirCause(t *testing.T) {
	file := filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(file, pemOf(t, rsaKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Options{Method: Certificate, TenantID: ours, ClientID: "app", Authority: "https://login.example", CertificateFile: file, Env: none})
	if tvmexport.CauseOf(err) != tvmexport.Usage || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
}

func none(string) (string, bool) { return "", false }
