package wiring

import (
	"cmp"
	"net/http"
	"sync"

	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/signin"
)

// LazyCredential makes a credential when it is first needed: a command that does not go
// to Defender needs no secret for it.
type LazyCredential func() (*signin.Credential, error)

// SignIn prepares the credentials of both sides, which may be one.
func (s Setup) SignIn(cloud hunting.Cloud, client *http.Client) (defender, sink LazyCredential) {
	prepare := func(o signin.Options) LazyCredential {
		o.Env, o.HTTPClient, o.Logger = s.Env, client, s.Logger
		return sync.OnceValues(func() (*signin.Credential, error) { return signin.New(o) })
	}
	source, cluster, one := s.Auth(cloud)
	defender = prepare(source)
	if one {
		return defender, defender
	}
	return defender, prepare(cluster)
}

// Auth is how to sign in to both sides. It is one sign-in where kusto.auth says nothing
// else; that of a tenant is its own.
func (s Setup) Auth(cloud hunting.Cloud) (defender, cluster signin.Options, one bool) {
	if s.Member != nil {
		defender, cluster = tenantAuth(*s.Member, cloud, s.Env)
		return defender, cluster, false
	}
	return defenderAuth(s.Config, cloud, s.Env), kustoAuth(s.Config, cloud, s.Env), s.Config.Kusto.Auth == (config.Auth{}) && !anySet(s.Env, KustoSecret, KustoPassword)
}

// The variables of secrets that are Kusto's alone.
const (
	KustoSecret   = "TVMEXPORT_KUSTO_AUTH_CLIENT_SECRET"
	KustoPassword = "TVMEXPORT_KUSTO_AUTH_CERTIFICATE_PASSWORD"
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
	o.Secrets = append([]signin.Place{{Variable: KustoSecret}, {Key: "kusto.auth.client_secret_file", File: a.ClientSecretFile}}, o.Secrets...)
	o.Passwords = append([]signin.Place{{Variable: KustoPassword}, {Key: "kusto.auth.certificate_password_file", File: a.CertificatePasswordFile}}, o.Passwords...)
	return o
}

// tenantAuth is how to sign in to Defender and to the cluster for a tenant. To Defender it
// is the tenant's own auth over that of the top. To the cluster it is kusto.auth over the
// auth of the top: the cluster is usually that of the provider.
func tenantAuth(m config.Member, cloud hunting.Cloud, env config.Lookup) (defender, cluster signin.Options) {
	top := m.Config
	top.Auth = m.Home
	home := defenderAuth(top, cloud, env)
	defender = defenderAuth(m.Config, cloud, env)
	defender.Section = "tenants." + m.Name + ".auth"
	if defender.ClientID != home.ClientID { // secret and certificate in the environment are those of the top's application
		defender.Secrets = defender.Secrets[:1]
		defender.CertificateFile = m.Config.Auth.Certificate
	}
	if defender.CertificateFile != home.CertificateFile {
		defender.Passwords = defender.Passwords[:1]
	}
	defender.Secrets = append([]signin.Place{{Variable: m.Variable("auth.client_secret")}}, defender.Secrets...)
	defender.Passwords = append([]signin.Place{{Variable: m.Variable("auth.certificate_password")}}, defender.Passwords...)
	cluster = kustoAuth(top, cloud, env)
	cluster.Secrets = append([]signin.Place{{Variable: m.Variable("kusto.auth.client_secret")}}, cluster.Secrets...)
	cluster.Passwords = append([]signin.Place{{Variable: m.Variable("kusto.auth.certificate_password")}}, cluster.Passwords...)
	return defender, cluster
}

// SecretVariables are the variables that hold secrets of a tenant and set no key.
func SecretVariables(m config.Member) []string {
	var out []string
	for _, key := range []string{"auth.client_secret", "auth.certificate_password", "kusto.auth.client_secret", "kusto.auth.certificate_password"} {
		name := m.Variable(key)
		out = append(out, name, name+"_FILE")
	}
	return out
}
