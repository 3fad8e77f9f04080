package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/internal/config"
)

// written writes files into a folder and returns its path.
func written(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func loadTenants(t *testing.T, text string, vars map[string]string) (config.Config, []config.Member, error) {
	t.Helper()
	return config.Load(filepath.Join(written(t, map[string]string{"c.yaml": text}), "c.yaml"), env(vars))
}

const top = `auth: {method: secret, tenant_id: provider, client_id: app}
kusto: {cluster: https://adx.kusto.windows.net, trusted_hosts: [a.example]}
defender: {share: 0.25}
tables: {DeviceInfo: {exclude: [PublicIP]}, DeviceTvmInfoGathering: {exclude: [A]}}
`

func TestATenantHasTheSettingsOfTheTopAndItsOwn(t *testing.T) {
	c, members, err := loadTenants(t, top+`tenants:
  fabrikam:
    auth: {tenant_id: fff}
    defender: {share: 0.5}
    kusto: {database: fabrikam, trusted_hosts: [b.example]}
    tables: {DeviceInfo: {volatile: [LastSeen]}}
    schedule: "@daily"
  contoso: {auth: {tenant_id: ccc}, kusto: {database: contoso}}
`, map[string]string{"TVMEXPORT_DEFENDER_API": "xdr", "TVMEXPORT_TENANTS_CONTOSO_KUSTO_CLUSTER": "https://other.kusto.windows.net"})
	if err != nil {
		t.Fatal(err)
	}
	if !c.HasTenants() || len(members) != 2 || members[0].Name != "contoso" || members[1].Name != "fabrikam" {
		t.Fatalf("members %v", members)
	}
	contoso, fabrikam := members[0].Config, members[1].Config
	for _, m := range members {
		if m.Config.HasTenants() || m.Home.TenantID != "provider" || m.Config.Defender.API != "xdr" || m.Config.Auth.ClientID != "app" {
			t.Errorf("%s: %+v", m.Name, m)
		}
	}
	if contoso.Auth.TenantID != "ccc" || contoso.Kusto.Database != "contoso" || contoso.Defender.Share != 0.25 || contoso.Schedule != config.Default().Schedule {
		t.Errorf("contoso: %+v", contoso)
	}
	if contoso.Kusto.Cluster != "https://other.kusto.windows.net" || fabrikam.Kusto.Cluster != "https://adx.kusto.windows.net" {
		t.Errorf("clusters: %s and %s", contoso.Kusto.Cluster, fabrikam.Kusto.Cluster)
	}
	if fabrikam.Defender.Share != 0.5 || fabrikam.Schedule != "@daily" {
		t.Errorf("fabrikam: %+v", fabrikam)
	}
	if d := cmp.Diff([]string{"b.example"}, fabrikam.Kusto.TrustedHosts); d != "" {
		t.Error(d)
	}
	want := map[string]config.Columns{
		"DeviceInfo":             {Exclude: []string{"PublicIP"}, Volatile: []string{"LastSeen"}},
		"DeviceTvmInfoGathering": {Exclude: []string{"A"}},
	}
	if d := cmp.Diff(want, fabrikam.Tables); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(c.Tables, contoso.Tables); d != "" {
		t.Errorf("a tenant's tables changed those of another one or of the top: %s", d)
	}
}

func TestSecretsOfATenantAreItsOwn(t *testing.T) {
	dir := written(t, map[string]string{"key": "of-contoso-0123456789\n", "top": "of-the-top-0123456789\n"})
	_, members, err := loadTenants(t, `auth: {tenant_id: p, client_id: app, client_secret_file: /secret, certificate: /cert, certificate_password_file: /password}
kusto: {cluster: https://adx.kusto.windows.net}
pseudonymisation_key_file: `+filepath.Join(dir, "top")+`
tenants:
  contoso: {auth: {tenant_id: a}, kusto: {database: a}, pseudonymisation_key_file: `+filepath.Join(dir, "key")+`}
  fabrikam: {auth: {tenant_id: b, client_id: other}, kusto: {database: b}}
  tailspin: {auth: {tenant_id: c, client_id: third, client_secret_file: /third}, kusto: {database: c}}
`, map[string]string{"TVMEXPORT_TENANTS_TAILSPIN_PSEUDONYMISATION_KEY": "of-tailspin-0123456789"})
	if err != nil {
		t.Fatal(err)
	}
	var keys, secrets, certificates []string
	for _, m := range members {
		keys = append(keys, string(m.Config.PseudonymisationKey))
		secrets = append(secrets, m.Config.Auth.ClientSecretFile)
		certificates = append(certificates, m.Config.Auth.Certificate+m.Config.Auth.CertificatePasswordFile)
	}
	if d := cmp.Diff([]string{"of-contoso-0123456789", "of-the-top-0123456789", "of-tailspin-0123456789"}, keys); d != "" {
		t.Error(d)
	}
	// The secrets of the top are those of its application, and of no other one.
	if d := cmp.Diff([]string{"/secret", "", "/third"}, secrets); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"/cert/password", "", ""}, certificates); d != "" {
		t.Error(d)
	}
}

func TestMistakesOfTenantsNameTheirPlace(t *testing.T) {
	const both = "  b: {auth: {tenant_id: b}, kusto: {database: b}}\n"
	for _, tt := range []struct{ text, want string }{
		{"  a: {kusto: {database: a}}\n", "c.yaml:6:3: tenant a: auth.tenant_id is not set; it names the customer's tenant, and there is no default tenant"},
		{"  a: {auth: {tenant_id: a}}\n", "c.yaml:6:3: tenant a: kusto.database is empty"},
		{"  a: {auth: {tenant_id: a}, kusto: {database: a}, defender: {share: 2}}\n", "c.yaml:6:69: tenant a: defender.share is 2; it must be above 0 and at most 1"},
		{"  a: {auth: {tenant_id: a}, kusto: {database: a}, serve: {listen: x}}\n", `c.yaml:6:51: unknown key "tenants.a.serve"`},
		{"  a: {auth: {tenant_id: a}, kusto: {databse: a}}\n", `unknown key "tenants.a.kusto.databse"; did you mean`},
		{"  a: {auth: {client_secret: x}}\n", "secrets do not belong here"},
		{"  'a b': {}\n", `c.yaml:6:3: tenants: "a b" is not a name of a tenant`},
		{"  a/b: {}\n", `"a/b" is not a name of a tenant`},
		{"  a:\n", "tenant a: kusto.database is empty"},
		{"  a: x\n", "tenants.a must contain keys and values"},
	} {
		_, members, err := loadTenants(t, top+"tenants:\n"+tt.text+both, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%q: %v, want %q (%v)", tt.text, err, tt.want, members)
		}
	}
}

// A tenant that cannot be exported next to another one has an error, and the other has none.
func TestTenantsThatExcludeEachOther(t *testing.T) {
	for _, tt := range []struct{ a, b, want string }{
		{"{auth: {tenant_id: a}, kusto: {database: x}}", "{auth: {tenant_id: b}, kusto: {database: x}}", "tenant b: kusto.database is that of tenant a"},
		{"{auth: {tenant_id: a}, kusto: {database: x}}", "{auth: {tenant_id: b}, kusto: {database: x, cluster: 'https://ADX.kusto.windows.net/'}}", "tenant b: kusto.database is that of tenant a"},
		{"{auth: {tenant_id: a}, kusto: {database: x}}", "{auth: {tenant_id: A}, kusto: {database: y}}", "tenant b: auth.tenant_id is that of tenant a"},
		{"{auth: {tenant_id: a}, kusto: {database: x}}", "{auth: {tenant_id: a}, kusto: {database: y}, defender: {endpoint: 'https://elsewhere.example'}}", ""},
		{"{auth: {tenant_id: a}, kusto: {database: x}}", "{auth: {tenant_id: b}, kusto: {database: x, cluster: 'https://other.kusto.windows.net'}}", ""},
	} {
		_, members, err := loadTenants(t, top+"tenants:\n  a: "+tt.a+"\n  b: "+tt.b+"\n", nil)
		if err != nil || len(members) != 2 || members[0].Err != nil {
			t.Fatalf("%v: %v", tt, err)
		}
		got := ""
		if members[1].Err != nil {
			got = members[1].Err.Error()
		}
		if (tt.want == "") != (got == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s and %s: %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
	_, members, err := loadTenants(t, top+"tenants:\n  a-b: {auth: {tenant_id: a}, kusto: {database: a}}\n  A.B: {auth: {tenant_id: b}, kusto: {database: b}}\n", nil)
	if err != nil || members[1].Err == nil || !strings.Contains(members[1].Err.Error(), "differs from A.B only in case or punctuation") {
		t.Errorf("%v %v", members, err)
	}
}

// A file of the folder that cannot be used is an error of its tenant only.
func TestTenantsOfAFolder(t *testing.T) {
	dir := written(t, map[string]string{
		"tenants/contoso.yaml":  "auth: {tenant_id: c}\nkusto: {database: contoso}\n",
		"tenants/fabrikam.yml":  "auth: {tenant_id: f}\nkusto: {database: fabrikam}\nunknown: 1\n",
		"tenants/broken.yaml":   "auth: [\n",
		"tenants/empty.yaml":    "",
		"tenants/bad name.yaml": "",
		"tenants/.hidden.yaml":  "x",
		"tenants/README.md":     "x",
		"tenants/sub/a.yaml":    "x",
		"tenants/latin.yaml":    "auth: \xe9\n",
		"tenants/twice.yaml":    "auth: {tenant_id: c}\nkusto: {database: twice}\n",
		"tenants/folder.yaml/x": "",
	})
	text := "kusto: {cluster: https://adx.kusto.windows.net}\ntenants_dir: " + filepath.Join(dir, "tenants") + "\n"
	c, members, err := loadTenants(t, text, nil)
	if err != nil || !c.HasTenants() {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range members {
		got[m.Name] = ""
		if m.Err != nil {
			got[m.Name] = strings.ReplaceAll(m.Err.Error(), dir, "")
		}
	}
	for name, want := range map[string]string{
		"contoso":  "",
		"fabrikam": `/tenants/fabrikam.yml:3:1: unknown key "unknown"`,
		"broken":   "/tenants/broken.yaml:1:7: ",
		"empty":    "/tenants/empty.yaml: tenant empty: kusto.database is empty",
		"bad name": `/tenants/bad name.yaml: "bad name" is not a name of a tenant`,
		"latin":    "/tenants/latin.yaml:1:7: the text is not valid UTF-8",
		"twice":    "tenant twice: auth.tenant_id is that of tenant contoso",
		"folder":   "read the settings of tenant folder",
	} {
		has, ok := got[name]
		if !ok || (want == "") != (has == "") || !strings.HasPrefix(has, want) {
			t.Errorf("%s: %q, want %q", name, has, want)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("more tenants: %v", got)
	}
	if _, _, err := loadTenants(t, "tenants_dir: /no/such/folder\n", nil); err == nil || !strings.Contains(err.Error(), "c.yaml:1:14: tenants_dir cannot be read") {
		t.Error(err)
	}
	if _, members, err := loadTenants(t, "tenants_dir: "+t.TempDir()+"\n", nil); err != nil || len(members) != 0 {
		t.Errorf("an empty folder: %v, %v", members, err)
	}
}

func TestVariablesOfTenants(t *testing.T) {
	m := config.Member{Name: "Contoso-EU.2"}
	if got := m.Variable("kusto.auth.client_secret"); got != "TVMEXPORT_TENANTS_CONTOSO_EU_2_KUSTO_AUTH_CLIENT_SECRET" {
		t.Error(got)
	}
	known := m.Variables()
	if got := config.UnknownVariables([]string{"TVMEXPORT_TENANTS_CONTOSO_EU_2_KUSTO_DATABASE=x", "TVMEXPORT_TENANTS_OTHER_KUSTO_DATABASE=x"}, known); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestTheClusterOfWorkers(t *testing.T) {
	const two = top + "tenants: {a: {auth: {tenant_id: a}, kusto: {database: a}}}\n"
	for _, tt := range []struct {
		name, text string
		vars       map[string]string
		wrong      string
		secured    bool
	}{
		{"plain", two + "fleet: {engine: temporal}\n", nil, "", false},
		{"key", two + "fleet: {engine: temporal, temporal: {address: 'x.tmprl.cloud:7233', namespace: a.b}}\n", map[string]string{"TVMEXPORT_FLEET_TEMPORAL_API_KEY": "k"}, "", true},
		{"certificate", two + "fleet: {temporal: {certificate: a, key: b}}\n", nil, "", true},
		{"half a certificate", two + "fleet: {temporal: {certificate: a}}\n", nil, "c.yaml:6:33: fleet.temporal.certificate and fleet.temporal.key belong together", false},
		{"no port", two + "fleet: {temporal: {address: temporal}}\n", nil, `fleet.temporal.address is "temporal"; it must be HOST:PORT`, false},
		{"no host", two + "fleet: {temporal: {address: ':7233'}}\n", nil, `fleet.temporal.address is ":7233"`, false},
		{"a URL", two + "fleet: {temporal: {address: 'https://temporal:7233'}}\n", nil, "fleet.temporal.address is", false},
		{"no tenants", "kusto: {cluster: 'https://adx.kusto.windows.net', database: a}\nfleet: {engine: temporal}\n", nil, "there are no tenants", false},
	} {
		c, _, err := loadTenants(t, tt.text, tt.vars)
		switch {
		case tt.wrong == "" && err != nil, tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.wrong)
		case err == nil && c.Fleet.Temporal.Secured() != tt.secured:
			t.Errorf("%s: secured %t", tt.name, !tt.secured)
		}
	}
}
