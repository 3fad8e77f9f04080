package signin

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/tvmexport/tvmexport/internal/smallfile"
)

// built is azidentity's credential and what it was made of.
type built struct {
	azcore.TokenCredential
	shown    *shown   // the certificate, if one is used
	material [32]byte // a hash of the secret, certificate or federated token; zero for methods that keep none
}

// build makes the credential.
func (o Options) build(client *http.Client) (built, error) {
	switch o.Method {
	case Secret:
		secret, err := o.secret(o.Secrets)
		if err != nil {
			return built{}, o.misconfigured(err, "set a variable to the client secret, or one of the names with file to the path of a file that contains it")
		}
		return o.bySecret(client, secret)
	case Certificate:
		return o.byCertificate(client)
	case ManagedIdentity:
		return o.byManagedIdentity(client)
	case WorkloadIdentity:
		return o.byWorkloadIdentity(client)
	case AzureCLI:
		c, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: o.TenantID})
		return built{TokenCredential: c}, o.unusable(err)
	}
	return o.byDefault(client)
}

func (o Options) clientOptions(client *http.Client, retries int32) azcore.ClientOptions {
	return azcore.ClientOptions{
		Transport: client,
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: o.Authority + "/"},
		Retry:     policy.RetryOptions{MaxRetries: retries},
	}
}

// entraRetries is how often a call to Entra is repeated; a run repeats what it
// is for as well.
const entraRetries = 2

func (o Options) bySecret(client *http.Client, secret string) (built, error) {
	c, err := azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: o.clientOptions(client, entraRetries), DisableInstanceDiscovery: !known(o.Authority),
	})
	return built{TokenCredential: c, material: sha256.Sum256([]byte(secret))}, o.unusable(err)
}

func (o Options) byCertificate(client *http.Client) (built, error) {
	if o.CertificateFile == "" {
		return built{}, o.usage("the method %s requires a certificate file", "set "+o.Section+".certificate or AZURE_CLIENT_CERTIFICATE_PATH")
	}
	password, err := o.secret(o.Passwords)
	if err != nil && !errors.Is(err, errNone) {
		return built{}, o.misconfigured(err, "")
	}
	data, err := smallfile.Read(o.CertificateFile, smallfile.Certificate)
	if err != nil {
		return built{}, o.misconfigured(err, "set "+o.Section+".certificate or AZURE_CLIENT_CERTIFICATE_PATH")
	}
	certificates, key, err := parseCertificates(data, password)
	if err != nil {
		return built{}, o.badCertificate(err)
	}
	c, err := azidentity.NewClientCertificateCredential(o.TenantID, o.ClientID, certificates, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: o.clientOptions(client, entraRetries), DisableInstanceDiscovery: !known(o.Authority),
		SendCertificateChain: o.sendChain(),
	})
	return built{c, show(o.CertificateFile, certificates, key), sha256.Sum256(data)}, o.unusable(err)
}

// sendChain follows azidentity's variable. Without it the chain is sent: where it
// is not needed, it does no harm.
func (o Options) sendChain() bool {
	v := o.env("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")
	return v == "" || v == "1" || strings.EqualFold(v, "true")
}

// byManagedIdentity leaves repeating to azidentity, which knows for how long the
// metadata service may be away.
func (o Options) byManagedIdentity(client *http.Client) (built, error) {
	m := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o.clientOptions(client, 0)}
	switch {
	case o.ClientID == "":
	case strings.HasPrefix(o.ClientID, "/"):
		m.ID = azidentity.ResourceID(o.ClientID)
	default:
		m.ID = azidentity.ClientID(o.ClientID)
	}
	c, err := azidentity.NewManagedIdentityCredential(m)
	return built{TokenCredential: c}, o.unusable(err)
}

func (o Options) byWorkloadIdentity(client *http.Client) (built, error) {
	if o.TokenFile == "" {
		return built{}, o.usage("the method %s requires the file of the federated token", "set "+o.Section+".token_file or AZURE_FEDERATED_TOKEN_FILE; on Kubernetes the workload identity webhook sets it")
	}
	assertion, err := os.ReadFile(o.TokenFile)
	if err != nil {
		return built{}, o.misconfigured(fmt.Errorf("the federated token: %w", err), "check "+o.Section+".token_file or AZURE_FEDERATED_TOKEN_FILE")
	}
	c, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: o.clientOptions(client, entraRetries), DisableInstanceDiscovery: !known(o.Authority),
		TenantID: o.TenantID, ClientID: o.ClientID, TokenFilePath: o.TokenFile,
	})
	return built{TokenCredential: c, material: sha256.Sum256(assertion)}, o.unusable(err)
}

// byDefault is azidentity's chain. Its first link, the environment, is built
// here, because secrets may also be in files and because a section of the
// configuration may name another application than AZURE_CLIENT_ID.
func (o Options) byDefault(client *http.Client) (built, error) {
	if o.TenantID != "" && o.ClientID != "" && o.chainHas("EnvironmentCredential") {
		secret, err := o.secret(o.Secrets)
		switch {
		case err == nil:
			return o.bySecret(client, secret)
		case !errors.Is(err, errNone):
			return built{}, o.misconfigured(err, "")
		case o.CertificateFile != "":
			return o.byCertificate(client)
		}
	}
	if o.ClientID != o.env("AZURE_CLIENT_ID") {
		return built{}, o.misconfigured(errors.New("the default chain supports one application, that of AZURE_CLIENT_ID, but "+o.Section+".client_id names another"),
			"give its secret ("+placeNames(o.Secrets, " or ")+") or certificate, or set "+o.Section+".method")
	}
	c, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: o.clientOptions(client, entraRetries), TenantID: o.TenantID, DisableInstanceDiscovery: !known(o.Authority),
	})
	out := built{TokenCredential: c}
	if assertion, err := os.ReadFile(o.env("AZURE_FEDERATED_TOKEN_FILE")); err == nil { // the chain may sign in with it
		out.material = sha256.Sum256(assertion)
	}
	return out, o.unusable(err)
}

// chainHas says whether AZURE_TOKEN_CREDENTIALS leaves a link of production in
// the default chain.
func (o Options) chainHas(link string) bool {
	only := o.env("AZURE_TOKEN_CREDENTIALS")
	return only == "" || only == "prod" || strings.EqualFold(only, link)
}

// known says whether Microsoft runs the authority: only then is it asked
// whether the authority exists.
func known(authority string) bool {
	u, err := url.Parse(authority)
	return err == nil && slices.Contains([]string{
		"login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn",
	}, u.Hostname())
}
