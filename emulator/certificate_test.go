package emulator

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"testing"
)

// handshake connects to the authority's server under a name, trusting only its
// file.
func handshake(t *testing.T, a *authority, name string) error {
	t.Helper()
	file, err := a.write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("the file holds no certificate")
	}
	near, far := net.Pipe()
	defer near.Close()
	done := make(chan error, 1)
	go func() {
		defer far.Close()
		done <- tls.Server(far, a.config()).Handshake()
	}()
	err = tls.Client(near, &tls.Config{RootCAs: pool, ServerName: name}).Handshake()
	if err == nil {
		err = <-done
	}
	return err
}

func TestCertificatesCoverTheNames(t *testing.T) {
	a, err := newAuthority([]string{"storage.test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.1", "::1", "localhost", "acc.blob.localhost", "a.localhost", "storage.test", "acc.queue.storage.test", "LOCALHOST"} {
		if err := handshake(t, a, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"example.com", "login.microsoftonline.com", "notlocalhost", "10.0.0.1"} {
		if handshake(t, a, name) == nil {
			t.Errorf("%s: a certificate for it was accepted", name)
		}
	}
}

// Even a certificate that somebody made with the key is no good for other names.
func TestAuthorityIsConstrained(t *testing.T) {
	a, err := newAuthority(nil)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	for name, good := range map[string]bool{"x.localhost": true, "example.com": false} {
		c, err := a.issue(name)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
