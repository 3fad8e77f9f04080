//go:build !noemulator

package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// setSignIn sets the credentials other than the secret, in variables that the
// program does not read: a script copies those that it tests.
func setSignIn(ts *testscript.TestScript, r emulator.Ready) {
	for name, value := range map[string]string{
		"SECRET": r.ClientSecret, "CERT": r.Certificate, "EXPIRED_CERT": r.ExpiredCertificate, "FEDERATED": r.FederatedToken,
		"IMDS": r.IMDS, "APP_ENDPOINT": r.IdentityEndpoint, "APP_HEADER": r.IdentityHeader,
		"USER_ID": r.IdentityClientID, "USER_RESOURCE": r.IdentityResourceID,
		"FAKE_AZ_URL": r.Authority + "/" + r.TenantID, "FAKE_AZ_ID": r.ClientID, "FAKE_AZ_SECRET": r.ClientSecret, "FAKE_AZ_CA": r.CA,
	} {
		ts.Setenv(name, value)
	}
}

// cmdSecond starts a tenant of its own with a cluster. What the program exports
// into it is what agree, count and admin then look at.
func cmdSecond(ts *testscript.TestScript, _ bool, _ []string) {
	first := emulators.get(ts)
	f := defaultEmulator()
	f.devices, f.seed, f.quota, f.batching, f.dir = deviceRange{1, 1}, 1, "off", 20*time.Millisecond, ts.MkAbs("second")
	first.landing = startEmulator(ts, f, fewDays, "2ec04d00-4f6d-4b8e-9c55-0d2a1f3b6c71")
	r := first.landing.Ready
	for name, value := range map[string]string{
		"SECOND_TENANT": r.TenantID, "SECOND_ID": r.ClientID, "SECOND_SECRET": r.ClientSecret, "SECOND_AUTHORITY": r.Authority,
		"SECOND_GRAPH": r.Graph, "SECOND_KUSTO": r.Kusto, "SECOND_INGEST": r.Ingest, "SECOND_CERT": r.Certificate,
	} {
		ts.Setenv(name, value)
	}
	more, err := os.ReadFile(r.CA)
	ts.Check(err)
	trusted, err := os.OpenFile(first.Ready.CA, os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = trusted.Write(more)
	ts.Check(err)
	ts.Check(trusted.Close())
}

func cmdPFX(ts *testscript.TestScript, _ bool, args []string) {
	var key any
	var certificates []*x509.Certificate
	for data := []byte(ts.ReadFile(args[0])); ; {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		var err error
		if block.Type == "PRIVATE KEY" {
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		} else {
			var c *x509.Certificate
			c, err = x509.ParseCertificate(block.Bytes)
			certificates = append(certificates, c)
		}
		ts.Check(err)
	}
	encoder := pkcs12.Modern
	if len(args) > 3 {
		encoder = pkcs12.LegacyDES
	}
	pfx, err := encoder.WithRand(rand.Reader).Encode(key.(*rsa.PrivateKey), certificates[0], certificates[1:], args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pfx, 0o600))
}

// cmdStranger writes stranger.pem, its certificate without the key as public.pem,
// and stranger.token.
func cmdStranger(ts *testscript.TestScript, _ bool, _ []string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stranger"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	issuer, err := entra.NewIssuer("https://stranger.invalid/", "nobody")
	ts.Check(err)
	token, err := issuer.Token(time.Now(), time.Hour)
	ts.Check(err)
	for name, content := range map[string][]byte{
		"public.pem": public, "stranger.token": []byte(token),
		"stranger.pem": append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), public...),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), content, 0o600))
	}
}

// cmdMark remembers what the services have been asked so far.
func cmdMark(ts *testscript.TestScript, _ bool, _ []string) {
	r := emulators.get(ts)
	r.marked = r.asked(ts)
}

func cmdUnmoved(ts *testscript.TestScript, _ bool, _ []string) {
	r := emulators.get(ts)
	if now := r.asked(ts); now != r.marked {
		ts.Fatalf("something was read or written: %s, and before %s", now, r.marked)
	}
}

// asked is what Defender and Kusto were asked, without sign-in and clocks.
func (r *running) asked(ts *testscript.TestScript) string {
	s := r.Stats()
	all := []any{s.Defender, s.Kusto, s.Ingestion}
	if r.landing != nil {
		s = r.landing.Stats()
		all = append(all, s.Defender, s.Kusto, s.Ingestion)
	}
	text, err := json.Marshal(all)
	ts.Check(err)
	return string(text)
}

var anyToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}`)

// cmdHides looks for every secret of the script's emulator, lines of private
// keys, and anything that looks like a token.
func cmdHides(ts *testscript.TestScript, _ bool, _ []string) {
	r := emulators.get(ts)
	secrets := map[string]string{
		"client secret": r.Ready.ClientSecret, "administrator's secret": r.Ready.AdminClientSecret, "identity header": r.Ready.IdentityHeader,
		"federated token": ts.ReadFile(r.Ready.FederatedToken), "given secret": ts.Getenv("AZURE_CLIENT_SECRET"),
		"given password": ts.Getenv("AZURE_CLIENT_CERTIFICATE_PASSWORD"), "Kusto's secret": ts.Getenv(wiring.KustoSecret), "Kusto's password": ts.Getenv(wiring.KustoPassword),
	}
	for i, line := range strings.Split(ts.ReadFile(r.Ready.Certificate), "\n") {
		if len(line) == 64 {
			secrets[fmt.Sprintf("line %d of the certificate's file", i+1)] = line
		}
	}
	printed := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	for what, secret := range secrets {
		if secret != "" && strings.Contains(printed, secret) {
			ts.Fatalf("the %s was printed", what)
		}
	}
	if found := anyToken.FindString(printed); found != "" {
		ts.Fatalf("a token was printed: %s...", found[:10])
	}
}

// cmdTunnel puts a proxy between the program and the emulator, and names in place
// of loopback addresses, for which no proxy is asked.
func cmdTunnel(ts *testscript.TestScript, _ bool, _ []string) {
	r := emulators.get(ts)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	r.tunnel = &tunnelProxy{asked: map[string]int{}}
	server := &http.Server{Handler: r.tunnel, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with Close
	}()
	ts.Defer(func() {
		ts.Check(server.Close())
		<-done
		r.tunnel.tunnels.Wait()
	})
	named := func(address, host string) string {
		u, err := url.Parse(address)
		ts.Check(err)
		return "https://" + host + ".localhost:" + u.Port()
	}
	for name, value := range map[string]string{
		"HTTPS_PROXY": "http://" + listener.Addr().String(), "AZURE_AUTHORITY_HOST": named(r.Ready.Authority, "login"),
		"TVMEXPORT_DEFENDER_ENDPOINT": named(r.Ready.Graph, "graph"), "TVMEXPORT_KUSTO_CLUSTER": named(r.Ready.Kusto, "cluster"),
		"TVMEXPORT_KUSTO_INGEST": named(r.Ready.Ingest, "ingest-cluster"), "TVMEXPORT_KUSTO_TRUSTED_HOSTS": ".localhost",
	} {
		ts.Setenv(name, value)
	}
}

func cmdTunnelled(ts *testscript.TestScript, _ bool, args []string) {
	p := emulators.get(ts).tunnel
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, host := range args {
		if !slices.ContainsFunc(p.hosts(), func(h string) bool { return strings.Contains(h, host) }) {
			ts.Fatalf("the proxy was asked for %v, not for %s", p.hosts(), host)
		}
	}
}

// tunnelProxy is a proxy that tunnels to this machine, for every host name.
type tunnelProxy struct {
	mu      sync.Mutex
	asked   map[string]int
	tunnels sync.WaitGroup
}

func (p *tunnelProxy) hosts() []string {
	var all []string
	for h := range p.asked {
		all = append(all, h)
	}
	slices.Sort(all)
	return all
}

func (p *tunnelProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, port, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil {
		http.Error(w, "only CONNECT", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.asked[host]++
	p.mu.Unlock()
	there, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	p.tunnels.Go(func() { tunnel(here, there) })
}

// azureCLI stands for the Azure CLI, signed in as an application, with the
// commands that azidentity uses.
func azureCLI() {
	resource := ""
	for i, a := range os.Args {
		if a == "--resource" && i+1 < len(os.Args) {
			resource = os.Args[i+1]
		}
	}
	if os.Getenv("FAKE_AZ_SECRET") == "" || resource == "" {
		fmt.Fprintln(os.Stderr, "ERROR: Please run 'az login' to setup account.")
		os.Exit(1)
	}
	client, err := wiring.HTTPClient(os.Getenv("FAKE_AZ_CA"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(1)
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, os.Getenv("FAKE_AZ_URL")+"/oauth2/v2.0/token", strings.NewReader(url.Values{
		"grant_type": {"client_credentials"}, "client_id": {os.Getenv("FAKE_AZ_ID")}, "client_secret": {os.Getenv("FAKE_AZ_SECRET")},
		"scope": {resource + "/.default"},
	}.Encode()))
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(1)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(1)
	}
	defer answer.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Token == "" {
		fmt.Fprintln(os.Stderr, "ERROR: AADSTS7000215: Invalid client secret provided.")
		os.Exit(1)
	}
	end := time.Now().Add(time.Hour)
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"accessToken": got.Token, "expiresOn": end.Format("2006-01-02 15:04:05.000000"), "expires_on": end.Unix(), "tokenType": "Bearer",
	})
}
