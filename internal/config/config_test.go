package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/internal/config"
)

func env(vars map[string]string) config.Lookup {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestExampleIsCompleteAndHoldsTheDefaults(t *testing.T) {
	got, err := config.Parse("example.yaml", []byte(config.Example), env(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Kusto.Cluster, want.Kusto.Database = "https://NAME.REGION.kusto.windows.net", "security"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFileThenEnvironment(t *testing.T) {
	text := "kusto:\n  cluster: https://${NAME}.kusto.windows.net\n  database: security\n  trusted_hosts: [a.example, b.example]\nlag: 1h30m\n"
	got, err := config.Parse("f.yaml", []byte(text), env(map[string]string{
		"NAME": "adx", "TVMEXPORT_KUSTO_DATABASE": "other", "TVMEXPORT_DEFENDER_SHARE": "1", "TVMEXPORT_KUSTO_AUTH_TENANT_ID": "t",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Kusto = config.Kusto{
		Cluster: "https://adx.kusto.windows.net", Database: "other",
		TrustedHosts: []string{"a.example", "b.example"}, Auth: config.Auth{TenantID: "t"},
	}
	want.Lag, want.Defender.Share = 90*time.Minute, 1
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMistakesAreOneSentenceWithTheirPlace(t *testing.T) {
	const head = "kusto: {cluster: https://adx.kusto.windows.net, database: security}\n"
	tests := []struct{ text, want string }{
		{head + "defender:\n  shares: 1\n", `c.yaml:3:3: unknown key "defender.shares"; did you mean "defender.share"?`},
		{head + "auth:\n  client_secret: x\n", `c.yaml:3:3: unknown key "auth.client_secret"; secrets do not belong here: put it into a file and set auth.client_secret_file to its path`},
		{head + "kutso: {}\n", `c.yaml:2:1: unknown key "kutso"; did you mean "kusto"?`},
		{head + "zzzzzzzzzzzz: 1\n", `c.yaml:2:1: unknown key "zzzzzzzzzzzz"`},
		{head + "defender:\n  share: much\n", `c.yaml:3:10: defender.share is "much"; it must be a number`},
		{head + "defender: graph\n", `c.yaml:2:11: defender must contain keys and values`},
		{head + "lag: 15\n", `c.yaml:2:6: lag is "15"; it must be a duration such as 15m, 1h30m or 7d`},
		{head + "defender: {api: beta}\n", `c.yaml:2:17: defender.api is "beta"; it must be one of graph, xdr, mde`},
		{head + "defender: {share: 2}\n", `c.yaml:2:19: defender.share is 2; it must be above 0 and at most 1`},
		{head + "ca_file: ${NO_SUCH}\n", `c.yaml:2:10: ca_file: the environment variable NO_SUCH is not set`},
		{head + "share: 1\n", `c.yaml:2:1: unknown key "share"; did you mean "defender.share"?`},
		{head + "defender: {shares: 1}\nlags: 1\n", "c.yaml:2:12: unknown key \"defender.shares\"; did you mean \"defender.share\"?\nc.yaml:3:1: unknown key \"lags\"; did you mean \"lag\"?"},
		{head + "tables: {DeviceInfo: {excludes: [a]}}\n", `c.yaml:2:23: unknown key "tables.DeviceInfo.excludes"; did you mean "tables.DeviceInfo.exclude"?`},
		{head + "tables: {Device Info: {}}\n", `c.yaml:2:10: tables.Device Info is not a table name: table "Device Info" is not an identifier (a letter or _, then letters, digits or _, 128 at most)`},
		{head + "tables: {DeviceInfo: {exclude: [A], include: [B]}}\n", `c.yaml:2:10: tables.DeviceInfo has both include and exclude; set only one of them`},
		{head + "tables: {DeviceInfo: {exclude: [A, A]}}\n", `c.yaml:2:32: tables.DeviceInfo.exclude names A twice`},
		{head + "tables: {DeviceInfo: {exclude: [A], pseudonymise: [A]}}\n", `c.yaml:2:51: tables.DeviceInfo.pseudonymise names A, which is not published`},
		{head + "tables: {DeviceInfo: {pseudonymise: [A]}}\n", `c.yaml: pseudonymisation_key is empty, but tables use pseudonyms; set pseudonymisation_key_file to the path of a file with the key, or TVMEXPORT_PSEUDONYMISATION_KEY (openssl rand -base64 32 generates one)`},
		{head + "pseudonymisation_key: short\n", `c.yaml:2:23: pseudonymisation_key has 5 characters; it must have at least 16 (openssl rand -base64 32 generates one)`},
		{"kusto: {database: d}\n", `c.yaml: kusto.cluster is empty; set it to a URL such as https://NAME.REGION.kusto.windows.net`},
		{"kusto: {cluster: adx.kusto.windows.net, database: d}\n", `c.yaml:1:18: kusto.cluster is "adx.kusto.windows.net"; it must begin with https:// and contain a host`},
		{"kusto: {cluster: 'http://adx.example', database: d}\n", `c.yaml:1:18: kusto.cluster is "http://adx.example"; only https is allowed, because tokens are sent over it`},
		{"kusto: {cluster: https://adx.kusto.windows.net}\n", `c.yaml: kusto.database is empty; set it to the name of the destination database`},
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	for _, tt := range tests {
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.File(file, env(nil))
		if err == nil {
			t.Errorf("%q: no error, want %s", tt.text, tt.want)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), dir+"/", ""); got != tt.want {
			t.Errorf("%q:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestAWrongVariableIsNamed(t *testing.T) {
	_, err := config.File("", env(map[string]string{
		"TVMEXPORT_KUSTO_CLUSTER": "https://adx.kusto.windows.net", "TVMEXPORT_KUSTO_DATABASE": "d", "TVMEXPORT_DEFENDER_API": "beta",
	}))
	const want = `TVMEXPORT_DEFENDER_API: defender.api is "beta"; it must be one of graph, xdr, mde`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestASecretComesFromAFileAndIsNeverPrinted(t *testing.T) {
	const secret = "correct horse battery staple"
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse("c.yaml", nil, env(map[string]string{"TVMEXPORT_PSEUDONYMISATION_KEY_FILE": file}))
	if err != nil {
		t.Fatal(err)
	}
	if string(c.PseudonymisationKey) != secret {
		t.Error("the key is not what the file holds")
	}
	j, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", c, c, c, c.PseudonymisationKey), string(j)} {
		if strings.Contains(text, secret) {
			t.Errorf("printed: %s", text)
		}
	}
	_, err = config.Parse("c.yaml", nil, env(map[string]string{"TVMEXPORT_PSEUDONYMISATION_KEY_FILE": file + ".not"}))
	if err == nil || !strings.Contains(err.Error(), "TVMEXPORT_PSEUDONYMISATION_KEY_FILE") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestPrecedenceOfSecrets(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own, other := file("configured"), file("variable")
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	type vars = map[string]string
	for _, tt := range []struct {
		name, yaml string
		vars       vars
		want, err  string
	}{
		{name: "nothing"},
		{name: "the file that the configuration names", yaml: "serve: {token_file: " + own + "}", want: "configured"},
		{name: "a value in the configuration before its file", yaml: "serve: {token: value, token_file: " + own + "}", want: "value"},
		{name: "a file of a variable before the configuration", yaml: "serve: {token: value, token_file: " + own + "}", vars: vars{"TVMEXPORT_SERVE_TOKEN_FILE": other}, want: "variable"},
		{name: "a variable before everything", yaml: "serve: {token: value, token_file: " + own + "}", vars: vars{"TVMEXPORT_SERVE_TOKEN_FILE": other, "TVMEXPORT_SERVE_TOKEN": "first"}, want: "first"},
		{name: "an empty file", yaml: "serve:\n  token_file: " + empty, err: "c.yaml:2:15: serve.token_file names the file " + empty + ", which is empty"},
		{name: "no file", yaml: "serve:\n  token_file: " + empty + ".not", err: "c.yaml:2:15: serve.token_file cannot be used: "},
		{name: "an empty file of a variable", vars: vars{"TVMEXPORT_SERVE_TOKEN_FILE": empty}, err: "TVMEXPORT_SERVE_TOKEN_FILE: serve.token_file names"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.Parse("c.yaml", []byte(tt.yaml), env(tt.vars))
			if string(c.Serve.Token) != tt.want || (err != nil) != (tt.err != "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("%q, %v; want %q, %q", string(c.Serve.Token), err, tt.want, tt.err)
			}
		})
	}
}

// A key whose value is a secret has a neighbour that names a file with it.
func TestSecretsHaveFiles(t *testing.T) {
	known := map[string]bool{}
	for _, f := range config.Fields() {
		known[f.Path] = true
	}
	for _, f := range config.Fields() {
		if f.Type == reflect.TypeFor[config.Secret]() && !known[f.Path+"_file"] {
			t.Errorf("there is no key %s_file", f.Path)
		}
	}
}

func TestBrokenYAMLNamesItsLine(t *testing.T) {
	_, err := config.Parse("c.yaml", []byte("kusto:\n  cluster: [\n"), env(nil))
	if err == nil || !strings.HasPrefix(err.Error(), "c.yaml:") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(config.Example))
	f.Add([]byte("kusto: {auth: {method: x}}\n---\nlag: !!int 3\n"))
	f.Add([]byte("a: &x [1]\nb: *x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := config.Parse("f.yaml", text, env(nil))
		if err == nil {
			_ = c.Check()
		}
	})
}
