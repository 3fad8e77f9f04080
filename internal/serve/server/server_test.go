package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/serve/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "correct-horse-battery"

var page = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") })

func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		o    server.Options
		want string // "" is valid
	}{
		{"loopback", server.Options{Listen: "127.0.0.1:9464"}, ""},
		{"loopback by name", server.Options{Listen: "localhost:0"}, ""},
		{"loopback of IPv6", server.Options{Listen: "[::1]:0"}, ""},
		{"loopback as IPv6 writes it", server.Options{Listen: "[::ffff:127.0.0.1]:0"}, ""},
		{"all addresses", server.Options{Listen: ":9464"}, "without access control"},
		{"all addresses by number", server.Options{Listen: "0.0.0.0:9464"}, "without access control"},
		{"another address", server.Options{Listen: "10.0.0.4:9464"}, "without access control"},
		{"a name", server.Options{Listen: "exporter.example:9464"}, "without access control"},
		{"a name like loopback", server.Options{Listen: "localhost.example:9464"}, "without access control"},
		{"with a token", server.Options{Listen: ":9464", Token: token}, ""},
		{"with a short token", server.Options{Listen: ":9464", Token: "secret"}, "has 6 characters"},
		{"with a client's authority", server.Options{Listen: ":9464", Certificate: "c", Key: "k", ClientCA: "a"}, ""},
		{"with an authority alone", server.Options{Listen: ":9464", ClientCA: "a"}, "serve.client_ca needs"},
		{"TLS alone is no guard", server.Options{Listen: ":9464", Certificate: "c", Key: "k"}, "without access control"},
		{"a certificate alone", server.Options{Listen: "127.0.0.1:0", Certificate: "c"}, "belong together"},
		{"no port", server.Options{Listen: "127.0.0.1"}, "HOST:PORT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.o.Check()
			switch {
			case tt.want == "" && err == nil:
			case tt.want == "" || err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %v, want %q", err, tt.want)
			case tvmexport.CauseOf(err) != tvmexport.Usage || strings.Contains(err.Error(), "secret"):
				t.Errorf("%v is %v", err, tvmexport.CauseOf(err))
			}
		})
	}
}

func TestGuard(t *testing.T) {
	plain := server.Handler(server.Options{Handler: page})
	guarded := server.Handler(server.Options{Handler: page, Token: token, Ready: func() error { return errors.New("the ledger is away") }})
	tests := []struct {
		name    string
		h       http.Handler
		request func(r *http.Request)
		path    string
		code    int
	}{
		{"loopback", plain, nil, "/", 200},
		{"another name that leads here", plain, func(r *http.Request) { r.Host = "evil.example:9464" }, "/", 421},
		{"IPv6", plain, func(r *http.Request) { r.Host = "[::1]:9464" }, "/", 200},
		{"writing", plain, func(r *http.Request) { r.Method = "POST" }, "/", 405},
		{"no token", guarded, nil, "/", 401},
		{"no token for metrics", guarded, nil, "/metrics", 401},
		{"another token", guarded, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"x") }, "/", 401},
		{"an empty token", guarded, func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, "/", 401},
		{"the token", guarded, func(r *http.Request) { r.Header.Set("Authorization", "bearer "+token) }, "/", 200},
		{"the token as password", guarded, func(r *http.Request) { r.SetBasicAuth("me", token) }, "/", 200},
		{"the token as name", guarded, func(r *http.Request) { r.SetBasicAuth(token, "") }, "/", 401},
		{"any host with the token", guarded, func(r *http.Request) { r.Host = "x.example"; r.SetBasicAuth("", token) }, "/", 200},
		{"alive without a token", guarded, nil, "/healthz", 200},
		{"not ready", guarded, nil, "/readyz", 503},
		{"ready", plain, nil, "/readyz", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", tt.path, nil)
			r.Host = "127.0.0.1:9464"
			if tt.request != nil {
				tt.request(r)
			}
			w := httptest.NewRecorder()
			tt.h.ServeHTTP(w, r)
			if w.Code != tt.code {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.code)
			}
			if strings.Contains(w.Body.String(), "ledger is away") || w.Code >= 400 && strings.Contains(w.Body.String(), "the page") {
				t.Errorf("the answer is %q", w.Body)
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("the policy is %q", csp)
			}
			if w.Code == 401 && len(w.Header().Values("WWW-Authenticate")) != 2 {
				t.Error("the answer does not say how to sign in")
			}
		})
	}
}

// authority signs certificates for the test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.key, a.cert = a.issue("ca", nil)
	return a
}

func (a *authority) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// issue writes NAME.pem and NAME.key.
func (a *authority) issue(name string, parent *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	a.must(err)
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: parent == nil,
	}
	signer := a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	a.must(err)
	c, err = x509.ParseCertificate(der)
	a.must(err)
	text, err := x509.MarshalPKCS8PrivateKey(key)
	a.must(err)
	a.must(os.WriteFile(a.path(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	a.must(os.WriteFile(a.path(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}), 0o600))
	return key, c
}

// client trusts the authority and shows a certificate by name; "" shows none.
func (a *authority) client(name string) *http.Client {
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	c.RootCAs.AddCert(a.cert)
	if name != "" {
		pair, err := tls.LoadX509KeyPair(a.path(name+".pem"), a.path(name+".key"))
		a.must(err)
		// Shown even if the server's hints say that it is of no use.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
}

func serving(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s, err := server.Open(t.Context(), o, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, log) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestMutualTLS(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	a.issue("server", a.cert)
	a.issue("reader", a.cert)
	other.issue("stranger", other.cert)
	s := serving(t, server.Options{Listen: "127.0.0.1:0", Certificate: a.path("server.pem"), Key: a.path("server.key"), ClientCA: a.path("ca.pem"), Handler: page})
	get := func(c *http.Client, path string) (int, error) {
		r, err := c.Get(strings.TrimSuffix(s.URL, "/") + path)
		if err != nil {
			return 0, err
		}
		defer r.Body.Close()
		_, err = io.Copy(io.Discard, r.Body)
		return r.StatusCode, err
	}
	if code, err := get(a.client("reader"), "/"); code != 200 || err != nil {
		t.Errorf("with a certificate: %d, %v", code, err)
	}
	if code, err := get(a.client(""), "/"); code != 401 || err != nil {
		t.Errorf("without one: %d, %v", code, err)
	}
	if code, err := get(a.client(""), "/healthz"); code != 200 || err != nil {
		t.Errorf("health without one: %d, %v", code, err)
	}
	stranger := a.client("")
	pair, err := tls.LoadX509KeyPair(other.path("stranger.pem"), other.path("stranger.key"))
	a.must(err)
	stranger.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	if code, err := get(stranger, "/"); err == nil {
		t.Errorf("with the certificate of another authority: %d", code)
	}

	// A renewed certificate is served without a restart.
	before, err := os.Stat(a.path("server.pem"))
	a.must(err)
	_, renewed := a.issue("server", a.cert)
	a.must(os.Chtimes(a.path("server.pem"), time.Time{}, before.ModTime().Add(time.Second)))
	r, err := a.client("reader").Get(s.URL)
	a.must(err)
	defer r.Body.Close()
	if r.TLS.PeerCertificates[0].SerialNumber.Cmp(renewed.SerialNumber) != 0 {
		t.Error("the old certificate is still served")
	}
}

// A stream that is open does not keep the program from ending.
func TestStreamsEndWithTheServer(t *testing.T) {
	started := make(chan struct{})
	stream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		close(started)
		<-r.Context().Done()
	})
	log := slog.New(slog.DiscardHandler)
	s, err := server.Open(t.Context(), server.Options{Listen: "127.0.0.1:0", Handler: stream}, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx, log) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	r, err := client.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	<-started
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	a := newAuthority(t)
	a.issue("server", a.cert)
	a.must(os.WriteFile(a.path("text.pem"), []byte("no certificate"), 0o600))
	log := slog.New(slog.DiscardHandler)
	for _, o := range []server.Options{
		{Certificate: a.path("absent.pem"), Key: a.path("server.key")},
		{Certificate: a.path("text.pem"), Key: a.path("server.key")},
		{Certificate: a.path("server.pem"), Key: a.path("server.key"), ClientCA: a.path("text.pem")},
		{Certificate: a.path("server.pem"), Key: a.path("server.key"), ClientCA: a.path("absent.pem")},
	} {
		o.Listen = "127.0.0.1:0"
		if _, err := server.Open(t.Context(), o, log); tvmexport.CauseOf(err) != tvmexport.Usage {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
