package signin

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/smallfile"
)

// Method is a way to sign in. The zero Method is Default.
type Method string

// The methods.
const (
	Default          Method = "default" // azidentity's DefaultAzureCredential
	Secret           Method = "secret"
	Certificate      Method = "certificate"
	ManagedIdentity  Method = "managed-identity"
	WorkloadIdentity Method = "workload-identity"
	AzureCLI         Method = "azure-cli"
)

// Options say who signs in, where and how.
type Options struct {
	Section   string // of the configuration, as messages name it; "" is auth
	Method    Method
	TenantID  string // id or domain name. Secret, Certificate and WorkloadIdentity need one; of the others' tokens it is checked
	ClientID  string // of the application or the user-assigned identity; for an identity its resource id will do
	Authority string // base URL of Entra

	CertificateFile string  // PEM or PKCS #12, with the private key
	TokenFile       string  // federated token of workload identity
	Secrets         []Place // where the client secret may be, the first that is set counts
	Passwords       []Place // the same for the certificate's password

	Env        func(name string) (string, bool) // nil is os.LookupEnv; azidentity itself reads the process's environment
	HTTPClient *http.Client                     // nil is http.DefaultClient
	Logger     *slog.Logger                     // nil is silent
}

// Place is where a secret may be: in a variable or in the file that the variable
// NAME_FILE names, or in the file that a key of the configuration names.
type Place struct {
	Variable string
	Key      string // of the configuration
	File     string // value of Key
}

// completed fills the defaults.
func (o Options) completed() Options {
	o.Section = cmp.Or(o.Section, "auth")
	o.Method = cmp.Or(o.Method, Default)
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	o.HTTPClient = cmp.Or(o.HTTPClient, http.DefaultClient)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.Authority = strings.TrimSuffix(o.Authority, "/")
	return o
}

// check says what a method lacks.
func (o Options) check() error {
	switch o.Method {
	case Secret, Certificate, WorkloadIdentity:
		if o.TenantID == "" {
			return o.usage("the method %s requires a tenant", "set "+o.Section+".tenant_id or AZURE_TENANT_ID")
		}
		if o.ClientID == "" {
			return o.usage("the method %s requires the application's id", "set "+o.Section+".client_id or AZURE_CLIENT_ID")
		}
	case Default, ManagedIdentity, AzureCLI:
	default:
		return o.usage("the method %s is unknown", "use one of default, secret, certificate, managed-identity, workload-identity, azure-cli")
	}
	return nil
}

// usage is about a configuration that cannot work; text has a place for the method.
func (o Options) usage(text, hint string) error {
	return o.misconfigured(fmt.Errorf(text, o.Method), hint)
}

func (o Options) misconfigured(err error, hint string) error {
	return &tvmexport.Error{Op: "sign in (" + o.Section + ")", Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: err, Hint: hint}
}

// env is a variable's value; one that is empty counts as not set, as in azidentity.
func (o Options) env(name string) string {
	v, _ := o.Env(name)
	return v
}

// DropEmptyVariables takes variables without a value out of the process's
// environment: templates of containers leave them behind, and azidentity's chain
// takes some of them for a value. It is for the beginning of a program.
func DropEmptyVariables() {
	for _, name := range []string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TOKEN_CREDENTIALS", "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"} {
		if v, ok := os.LookupEnv(name); ok && v == "" {
			_ = os.Unsetenv(name) // it fails for names that are none
		}
	}
}

// errNone: a secret is in none of its places.
var errNone = errors.New("none")

// secret is the value at the first place that is set.
func (o Options) secret(places []Place) (string, error) {
	for _, p := range places {
		name, file := p.Key, p.File
		if p.Variable != "" {
			if v := o.env(p.Variable); v != "" {
				return v, nil
			}
			name = p.Variable + "_FILE"
			file = o.env(name)
		}
		if file == "" {
			continue
		}
		b, err := smallfile.Read(file, smallfile.Secret)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		v := strings.TrimRight(string(b), "\r\n")
		if v == "" {
			return "", fmt.Errorf("%s: the file %s is empty", name, file)
		}
		return v, nil
	}
	return "", fmt.Errorf("%w of %s is set", errNone, placeNames(places, ", "))
}

// placeNames lists what a secret may be given as.
func placeNames(places []Place, between string) string {
	var all []string
	for _, p := range places {
		if p.Variable == "" {
			all = append(all, p.Key)
			continue
		}
		all = append(all, p.Variable, p.Variable+"_FILE")
	}
	return strings.Join(all, between)
}
