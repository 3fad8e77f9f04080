package signin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestSecretsFromVariablesAndFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		name      string
		vars      map[string]string
		want, err string
		file      string // that the key of the configuration names
	}{
		{name: "none", err: "none of OWN, OWN_FILE, auth.secret_file, COMMON, COMMON_FILE is set"},
		{name: "empty is not set", vars: map[string]string{"OWN": "", "COMMON": "c"}, want: "c"},
		{name: "its own first", vars: map[string]string{"OWN": "o", "COMMON": "c"}, want: "o"},
		{name: "its own file before the common value", vars: map[string]string{"OWN_FILE": file("own", " spaces stay \r\n"), "COMMON": "c"}, want: " spaces stay "},
		{name: "value before file", vars: map[string]string{"OWN": "o", "OWN_FILE": "nowhere"}, want: "o"},
		{name: "no such file", vars: map[string]string{"OWN_FILE": filepath.Join(dir, "nowhere")}, err: "OWN_FILE: open "},
		{name: "empty file", vars: map[string]string{"OWN_FILE": file("empty", "\n")}, err: "is empty"},
		{name: "the file of the configuration", vars: map[string]string{"COMMON": "c"}, file: file("configured", "f\n"), want: "f"},
		{name: "its own value before the file of the configuration", vars: map[string]string{"OWN": "o"}, file: "nowhere", want: "o"},
		{name: "no such file of the configuration", vars: map[string]string{"COMMON": "c"}, file: filepath.Join(dir, "nowhere"), err: "auth.secret_file: open "},
		{name: "an empty file of the configuration", vars: map[string]string{"COMMON": "c"}, file: file("nothing", " \n"[1:]), err: "auth.secret_file: the file "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Options{Env: env(tt.vars)}.secret([]Place{{Variable: "OWN"}, {Key: "auth.secret_file", File: tt.file}, {Variable: "COMMON"}})
			if got != tt.want || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %v; want %q, %q", got, err, tt.want, tt.err)
			}
		})
	}
}

// What a method lacks is a mistake of the configuration, told before any call.
func TestMethodsSayWhatTheyLack(t *testing.T) {
	at := func(o Options) Options {
		o.Authority, o.Secrets, o.Passwords = "https://login.example", []Place{{Variable: "AZURE_CLIENT_SECRET"}}, []Place{{Variable: "AZURE_CLIENT_CERTIFICATE_PASSWORD"}}
		if o.Env == nil {
			o.Env = none
		}
		return o
	}
	for _, tt := range []struct {
		o    Options
		want string // in the error; "" for success
	}{
		{Options{Method: Secret}, "the method secret requires a tenant (set auth.tenant_id or AZURE_TENANT_ID)"},
		{Options{Method: Secret, TenantID: ours}, "the method secret requires the application's id (set auth.client_id or AZURE_CLIENT_ID)"},
		{Options{Method: Secret, TenantID: ours, ClientID: "app"}, "none of AZURE_CLIENT_SECRET"},
		{Options{Method: Secret, TenantID: "a tenant?", ClientID: "app", Env: env(map[string]string{"AZURE_CLIENT_SECRET": "s"})}, "invalid tenantID"},
		{Options{Method: Certificate, TenantID: ours, ClientID: "app", Section: "kusto.auth"}, "set kusto.auth.certificate or AZURE_CLIENT_CERTIFICATE_PATH"},
		{Options{Method: Certificate, TenantID: ours, ClientID: "app", CertificateFile: "nowhere.pem"}, "nowhere.pem"},
		{Options{Method: WorkloadIdentity, TenantID: ours, ClientID: "app"}, "AZURE_FEDERATED_TOKEN_FILE"},
		{Options{Method: WorkloadIdentity, TenantID: ours, ClientID: "app", TokenFile: "nowhere"}, "nowhere"},
		{Options{Method: "password"}, "the method password is unknown"},
		{Options{Method: ManagedIdentity}, ""},
		{Options{Method: AzureCLI}, ""},
		{Options{}, ""},
		{Options{TenantID: ours, ClientID: "app"}, "the default chain supports one application, that of AZURE_CLIENT_ID, but auth.client_id names another"},
		{Options{TenantID: ours, ClientID: "app", Env: env(map[string]string{"AZURE_CLIENT_SECRET": "s"})}, ""},
		{Options{TenantID: ours, ClientID: "app", Env: env(map[string]string{"AZURE_CLIENT_SECRET_FILE": "nowhere"})}, "AZURE_CLIENT_SECRET_FILE"},
		// A variable that is left out of the chain is not looked at.
		{Options{TenantID: ours, ClientID: "app", Env: env(map[string]string{"AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET_FILE": "nowhere", "AZURE_TOKEN_CREDENTIALS": "dev"})}, ""},
	} {
		_, err := New(at(tt.o))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%+v: %v", tt.o, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || tvmexport.CauseOf(err) != tvmexport.Usage {
			t.Errorf("%+v: %v with cause %v, want %s", tt.o, err, tvmexport.CauseOf(err), tt.want)
		}
	}
}

func TestChainIsSentUnlessForbidden(t *testing.T) {
	for value, want := range map[string]bool{"": true, "true": true, "True": true, "1": true, "false": false, "0": false, "no": false} {
		if got := (Options{Env: env(map[string]string{"AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": value})}).sendChain(); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
