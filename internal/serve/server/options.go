package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/smallfile"
)

// Options say where to listen and who may read.
type Options struct {
	Listen      string // HOST:PORT; port 0 picks one
	Token       string // that readers must show; "" asks for none
	Certificate string // PEM file; with it connections are TLS
	Key         string // PEM file
	ClientCA    string // PEM file; readers must show a certificate of it

	Handler http.Handler // what is served to those who may read
	Ready   func() error // why the program is not ready; nil if it is
}

// leastToken is how long a token must be: shorter ones can be tried out.
const leastToken = 16

// Check says why the options cannot be used, in one sentence.
func (o Options) Check() error {
	host, _, err := net.SplitHostPort(o.Listen)
	switch {
	case err != nil:
		return mistake(fmt.Errorf("serve.listen is %q; it must be HOST:PORT such as 127.0.0.1:9464", o.Listen))
	case (o.Certificate == "") != (o.Key == ""):
		return mistake(errors.New("serve.certificate and serve.key belong together; one of them is not set"))
	case o.ClientCA != "" && o.Certificate == "":
		return mistake(errors.New("serve.client_ca needs serve.certificate and serve.key: client certificates exist in TLS only"))
	case o.Token != "" && len(o.Token) < leastToken:
		return mistake(fmt.Errorf("the token of serve has %d characters; it must have at least %d (openssl rand -base64 32 generates one)", len(o.Token), leastToken))
	case strings.ContainsFunc(o.Token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return mistake(errors.New("the token of serve contains a blank or another character that is invalid in a header (openssl rand -base64 32 generates one)"))
	case !loopback(host) && o.Token == "" && o.ClientCA == "":
		return mistake(fmt.Errorf("serve does not listen on %s without access control; set TVMEXPORT_SERVE_TOKEN (or TVMEXPORT_SERVE_TOKEN_FILE), or serve.client_ca, or listen on 127.0.0.1", o.Listen))
	}
	return nil
}

func mistake(err error) error {
	return &tvmexport.Error{Op: "serve", Cause: tvmexport.Usage, Err: err}
}

// loopback says whether only this machine reaches a host. No host is all of
// them.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// plainToken says whether a token would cross a network unencrypted.
func (o Options) plainToken() bool {
	host, _, err := net.SplitHostPort(o.Listen)
	return err == nil && o.Token != "" && o.Certificate == "" && !loopback(host)
}

// tls is the configuration of connections; nil: they are not encrypted.
func (o Options) tls() (*tls.Config, error) {
	if o.Certificate == "" {
		return nil, nil
	}
	pair := &keyPair{certificate: o.Certificate, key: o.Key}
	if _, err := pair.get(nil); err != nil {
		return nil, mistake(err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
	if o.ClientCA == "" {
		return c, nil
	}
	pem, err := smallfile.Read(o.ClientCA, smallfile.Certificate)
	if err != nil {
		return nil, mistake(fmt.Errorf("serve.client_ca: %w", err))
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, mistake(fmt.Errorf("serve.client_ca: %s contains no certificate in PEM format", o.ClientCA))
	}
	c.ClientAuth = tls.VerifyClientCertIfGiven // the guard asks for it where one is needed
	return c, nil
}
