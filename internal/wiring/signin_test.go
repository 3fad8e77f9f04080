package wiring

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/signin"
)

// What kusto.auth leaves out is taken from auth, and what auth leaves out from
// azidentity's variables, but no secret goes to an application that it is not of.
func TestWhoSignsInToKusto(t *testing.T) {
	vars := map[string]string{
		"AZURE_TENANT_ID": "env-tenant", "AZURE_CLIENT_ID": "env-app", "AZURE_AUTHORITY_HOST": "https://env.example",
		"AZURE_CLIENT_CERTIFICATE_PATH": "env.pem", "AZURE_FEDERATED_TOKEN_FILE": "env.token",
	}
	variable := func(name string) signin.Place { return signin.Place{Variable: name} }
	place := func(key, file string) signin.Place { return signin.Place{Key: key, File: file} }
	ownSecret := func(file string) []signin.Place {
		return []signin.Place{variable(KustoSecret), place("kusto.auth.client_secret_file", file)}
	}
	ownPassword := func(file string) []signin.Place {
		return []signin.Place{variable(KustoPassword), place("kusto.auth.certificate_password_file", file)}
	}
	common := signin.Options{
		Section: "kusto.auth", Method: "secret", TenantID: "env-tenant", ClientID: "env-app", Authority: "https://env.example",
		CertificateFile: "env.pem", TokenFile: "env.token",
		Secrets:   append(ownSecret(""), place("auth.client_secret_file", "secret"), variable("AZURE_CLIENT_SECRET")),
		Passwords: append(ownPassword(""), place("auth.certificate_password_file", "password"), variable("AZURE_CLIENT_CERTIFICATE_PASSWORD")),
	}
	change := func(f func(*signin.Options)) signin.Options {
		o := common
		f(&o)
		return o
	}
	for _, tt := range []struct {
		name string
		auth config.Auth // of Kusto
		want signin.Options
	}{
		{"nothing", config.Auth{}, common},
		{"another tenant, the same application", config.Auth{TenantID: "other"}, change(func(o *signin.Options) { o.TenantID = "other" })},
		{"another application", config.Auth{ClientID: "other"}, change(func(o *signin.Options) {
			o.ClientID, o.Secrets = "other", ownSecret("")
		})},
		{"the same application, said again", config.Auth{ClientID: "env-app"}, common},
		{"a secret of its own", config.Auth{ClientSecretFile: "own"}, change(func(o *signin.Options) {
			o.Secrets = append(ownSecret("own"), common.Secrets[2:]...)
		})},
		{"another application with its secret", config.Auth{ClientID: "other", ClientSecretFile: "own"}, change(func(o *signin.Options) {
			o.ClientID, o.Secrets = "other", ownSecret("own")
		})},
		{"another certificate with its password", config.Auth{Certificate: "other.pem", CertificatePasswordFile: "own"}, change(func(o *signin.Options) {
			o.CertificateFile, o.Passwords = "other.pem", ownPassword("own")
		})},
		{"another certificate", config.Auth{Method: "certificate", Certificate: "other.pem"}, change(func(o *signin.Options) {
			o.Method, o.CertificateFile, o.Passwords = signin.Certificate, "other.pem", ownPassword("")
		})},
		{"the machine's identity", config.Auth{Method: "managed-identity"}, change(func(o *signin.Options) {
			o.Method, o.ClientID = signin.ManagedIdentity, ""
		})},
		{"a user-assigned identity", config.Auth{Method: "managed-identity", ClientID: "identity"}, change(func(o *signin.Options) {
			o.Method, o.ClientID, o.Secrets = signin.ManagedIdentity, "identity", ownSecret("")
		})},
		{"all of its own", config.Auth{Method: "workload-identity", TenantID: "t", ClientID: "c", TokenFile: "f", Authority: "https://a"}, change(func(o *signin.Options) {
			o.Method, o.TenantID, o.ClientID, o.TokenFile, o.Authority, o.Secrets = signin.WorkloadIdentity, "t", "c", "f", "https://a", ownSecret("")
		})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := config.Default()
			c.Auth = config.Auth{Method: "secret", ClientSecretFile: "secret", CertificatePasswordFile: "password"}
			c.Kusto.Auth = tt.auth
			got := kustoAuth(c, hunting.Cloud{}, func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
			if d := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(signin.Options{}, "Env", "HTTPClient", "Logger")); d != "" {
				t.Error(d)
			}
		})
	}
}

// The authority is the configuration's, the environment's, or that of the cloud by its name.
func TestAuthorityByCloud(t *testing.T) {
	for name, want := range map[string]string{
		"commercial": "https://login.microsoftonline.com", "gcc": "https://login.microsoftonline.com",
		"gcc-high": "https://login.microsoftonline.us", "dod": "https://login.microsoftonline.us",
	} {
		cloud, err := hunting.LookupCloud(name)
		if err != nil {
			t.Fatal(err)
		}
		c, vars := config.Default(), map[string]string{}
		env := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
		authority := func(want string) {
			t.Helper()
			if got := defenderAuth(c, cloud, env).Authority; got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			if got := kustoAuth(c, cloud, env).Authority; got != want {
				t.Errorf("%s, Kusto: %s, want %s", name, got, want)
			}
		}
		authority(want)
		vars["AZURE_AUTHORITY_HOST"] = "https://env.example"
		authority("https://env.example")
		c.Auth.Authority = "https://config.example"
		authority("https://config.example")
	}
}

func TestOneIdentityForBothSides(t *testing.T) {
	env := func(name string) (string, bool) { return map[string]string{"SET": "x"}[name], name == "SET" }
	same := func(c config.Config) bool {
		defender, sink := Setup{Config: c, Env: env}.SignIn(hunting.Cloud{Authority: "https://login.example"}, nil)
		a, err := defender()
		if err != nil {
			t.Fatal(err)
		}
		b, err := sink()
		if err != nil {
			t.Fatal(err)
		}
		return a == b
	}
	c := config.Default()
	c.Auth.Method = "azure-cli"
	if !same(c) {
		t.Error("two credentials for one identity")
	}
	c.Kusto.Auth.TenantID = "11111111-2222-3333-4444-555555555555"
	if same(c) {
		t.Error("one credential for two tenants")
	}
}

// Secrets of the top are for its application only; the cluster is signed in to as the top says.
func TestSignInOfATenant(t *testing.T) {
	vars := map[string]string{"AZURE_CLIENT_SECRET": "top", "AZURE_CLIENT_CERTIFICATE_PATH": "/top", "AZURE_TENANT_ID": "home-of-the-environment", "TVMEXPORT_TENANTS_C_AUTH_CLIENT_SECRET": "own"}
	env := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	cloud, err := hunting.LookupCloud("commercial")
	if err != nil {
		t.Fatal(err)
	}
	home := config.Auth{Method: "secret", ClientID: "app"}
	for _, tt := range []struct {
		auth, kusto     config.Auth
		defender        string // tenant and application
		cluster         string
		defenderSecrets int // places: the tenant's variable, the file, the top's variable
		certificate     string
	}{
		{config.Auth{Method: "secret", TenantID: "customer", ClientID: "app"}, config.Auth{}, "customer app", "home-of-the-environment app", 3, "/top"},
		{config.Auth{Method: "secret", TenantID: "customer", ClientID: "other"}, config.Auth{}, "customer other", "home-of-the-environment app", 2, ""},
		{config.Auth{Method: "certificate", TenantID: "customer", ClientID: "other", Certificate: "/own"}, config.Auth{}, "customer other", "home-of-the-environment app", 2, "/own"},
		{config.Auth{Method: "secret", TenantID: "customer", ClientID: "app"}, config.Auth{TenantID: "customer", ClientID: "theirs"}, "customer app", "customer theirs", 3, "/top"},
	} {
		m := config.Member{Name: "c", Home: home, Config: config.Default()}
		m.Config.Auth, m.Config.Kusto.Auth = tt.auth, tt.kusto
		defender, cluster := tenantAuth(m, cloud, env)
		if got := defender.TenantID + " " + defender.ClientID; got != tt.defender {
			t.Errorf("Defender: %s, want %s", got, tt.defender)
		}
		if got := cluster.TenantID + " " + cluster.ClientID; got != tt.cluster {
			t.Errorf("cluster: %s, want %s", got, tt.cluster)
		}
		if len(defender.Secrets) != tt.defenderSecrets || defender.Secrets[0].Variable != "TVMEXPORT_TENANTS_C_AUTH_CLIENT_SECRET" {
			t.Errorf("%s: secrets from %+v", tt.defender, defender.Secrets)
		}
		if defender.CertificateFile != tt.certificate {
			t.Errorf("%s: certificate %q, want %q", tt.defender, defender.CertificateFile, tt.certificate)
		}
	}
}
