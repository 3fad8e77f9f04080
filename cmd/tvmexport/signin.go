package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/signin"
	"github.com/tvmexport/tvmexport/internal/smallfile"
)

// httpClient trusts the system's certificates and those of the file. It keeps
// to the proxy of the environment, and leaves compression to its callers.
func httpClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	transport.MaxIdleConnsPerHost = 16
	if caFile != "" {
		pem, err := smallfile.Read(caFile, smallfile.Certificate)
		if err != nil {
			return nil, usage(fmt.Errorf("ca_file: %w", err))
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, usage(fmt.Errorf("ca_file %s contains no certificate in PEM format", caFile))
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}, nil
}

// lazyCredential makes a credential when it is first needed: a command that does not go
// to Defender needs no secret for it.
type lazyCredential func() (*signin.Credential, error)

// signIn prepares the credentials of both sides, which may be one.
func (p *process) signIn(c config.Config, cloud hunting.Cloud, client *http.Client, log *slog.Logger) (defender, sink lazyCredential) {
	prepare := func(o signin.Options) lazyCredential {
		o.Env, o.HTTPClient, o.Logger = p.env, client, log
		return sync.OnceValues(func() (*signin.Credential, error) { return signin.New(o) })
	}
	source, cluster, one := authOf(p, c, cloud)
	defender = prepare(source)
	if one {
		return defender, defender
	}
	return defender, prepare(cluster)
}

// authOf is how to sign in to both sides. It is one sign-in where kusto.auth says nothing
// else; that of a tenant is its own.
func authOf(p *process, c config.Config, cloud hunting.Cloud) (defender, cluster signin.Options, one bool) {
	if p.tenant != nil {
		defender, cluster = tenantAuth(*p.tenant, cloud, p.env)
		return defender, cluster, false
	}
	return defenderAuth(c, cloud, p.env), kustoAuth(c, cloud, p.env), c.Kusto.Auth == (config.Auth{}) && !anySet(p.env, kustoSecret, kustoPassword)
}

// The variables of secrets that are Kusto's alone.
const (
	kustoSecret   = "TVMEXPORT_KUSTO_AUTH_CLIENT_SECRET"
	kustoPassword = "TVMEXPORT_KUSTO_AUTH_CERTIFICATE_PASSWORD"
)

func anySet(env config.Lookup, names ...string) bool {
	for _, n := range names {
		if value(env, n) != "" || value(env, n+"_FILE") != "" {
			return true
		}
	}
	return false
}

func value(env config.Lookup, name string) string { v, _ := env(name); return v }

// defenderAuth is how to sign in to Defender: as auth says, and where it says
// nothing, as azidentity's variables do.
func defenderAuth(c config.Config, cloud hunting.Cloud, env config.Lookup) signin.Options {
	a := c.Auth
	return signin.Options{
		Section: "auth", Method: signin.Method(a.Method),
		TenantID:        cmp.Or(a.TenantID, value(env, "AZURE_TENANT_ID")),
		ClientID:        cmp.Or(a.ClientID, value(env, "AZURE_CLIENT_ID")),
		Authority:       cmp.Or(a.Authority, value(env, "AZURE_AUTHORITY_HOST"), cloud.Authority),
		CertificateFile: cmp.Or(a.Certificate, value(env, "AZURE_CLIENT_CERTIFICATE_PATH")),
		TokenFile:       cmp.Or(a.TokenFile, value(env, "AZURE_FEDERATED_TOKEN_FILE")),
		Secrets:         []signin.Place{{Key: "auth.client_secret_file", File: a.ClientSecretFile}, {Variable: "AZURE_CLIENT_SECRET"}},
		Passwords:       []signin.Place{{Key: "auth.certificate_password_file", File: a.CertificatePasswordFile}, {Variable: "AZURE_CLIENT_CERTIFICATE_PASSWORD"}},
	}
}

// kustoAuth is how to sign in to Kusto: what kusto.auth says over what auth says.
// An application of its own does not get the other one's secret, a certificate of
// its own not the other one's password, and a managed identity that kusto.auth
// alone asks for is not the application of auth.
func kustoAuth(c config.Config, cloud hunting.Cloud, env config.Lookup) signin.Options {
	a, o := c.Kusto.Auth, defenderAuth(c, cloud, env)
	if a.ClientID != "" && a.ClientID != o.ClientID {
		o.Secrets = nil
	}
	if a.Certificate != "" && a.Certificate != o.CertificateFile {
		o.Passwords = nil
	}
	if signin.Method(a.Method) == signin.ManagedIdentity && o.Method != signin.ManagedIdentity {
		o.ClientID = ""
	}
	o.Section = "kusto.auth"
	o.Method = cmp.Or(signin.Method(a.Method), o.Method)
	o.TenantID = cmp.Or(a.TenantID, o.TenantID)
	o.ClientID = cmp.Or(a.ClientID, o.ClientID)
	o.Authority = cmp.Or(a.Authority, o.Authority)
	o.CertificateFile = cmp.Or(a.Certificate, o.CertificateFile)
	o.TokenFile = cmp.Or(a.TokenFile, o.TokenFile)
	o.Secrets = append([]signin.Place{{Variable: kustoSecret}, {Key: "kusto.auth.client_secret_file", File: a.ClientSecretFile}}, o.Secrets...)
	o.Passwords = append([]signin.Place{{Variable: kustoPassword}, {Key: "kusto.auth.certificate_password_file", File: a.CertificatePasswordFile}}, o.Passwords...)
	return o
}
