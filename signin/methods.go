package signin

import (
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
)

// build makes azidentity's credential, and the certificate that it shows, if any.
func (o Options) build(client *http.Client) (azcore.TokenCredential, *shown, error) {
	switch o.Method {
	case Secret:
		secret, err := o.secret(o.Secrets)
		if err != nil {
			return nil, nil, o.misconfigured(err, "give the value of the client secret in one of them")
		}
		c, err := o.bySecret(client, secret)
		return c, nil, err
	case Certificate:
		return o.byCertificate(client)
	case ManagedIdentity:
		c, err := o.byManagedIdentity(client)
		return c, nil, err
	case WorkloadIdentity:
		c, err := o.byWorkloadIdentity(client)
		return c, nil, err
	case AzureCLI:
		c, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: o.TenantID})
		return c, nil, o.unusable(err)
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

func (o Options) bySecret(client *http.Client, secret string) (azcore.TokenCredential, error) {
	c, err := azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, secret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: o.clientOptions(client, entraRetries), DisableInstanceDiscovery: !known(o.Authority),
	})
	return c, o.unusable(err)
}

func (o Options) byCertificate(client *http.Client) (azcore.TokenCredential, *shown, error) {
	if o.CertificateFile == "" {
		return nil, nil, o.usage("the method %s needs a file", "set "+o.Section+".certificate or AZURE_CLIENT_CERTIFICATE_PATH")
	}
	password, err := o.secret(o.Passwords)
	if err != nil && !errors.Is(err, errNone) {
		return nil, nil, o.misconfigured(err, "")
	}
	data, err := os.ReadFile(o.CertificateFile)
	if err != nil {
		return nil, nil, o.misconfigured(err, "set "+o.Section+".certificate or AZURE_CLIENT_CERTIFICATE_PATH")
	}
	certificates, key, err := parseCertificates(data, password)
	if err != nil {
		return nil, nil, o.badCertificate(err)
	}
	c, err := azidentity.NewClientCertificateCredential(o.TenantID, o.ClientID, certificates, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: o.clientOptions(client, entraRetries), DisableInstanceDiscovery: !known(o.Authority),
		SendCertificateChain: o.sendChain(),
	})
	return c, show(o.CertificateFile, certificates, key), o.unusable(err)
}

// sendChain follows azidentity's variable. Without it the chain is sent: where it
// is not needed, it does no harm.
func (o Options) sendChain() bool {
	v := o.env("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")
	return v == "" || v == "1" || strings.EqualFold(v, "true")
}

// byManagedIdentity leaves repeating to azidentity, which knows for how long the
// metadata service may be away.
func (o Options) byManagedIdentity(client *http.Client) (azcore.TokenCredential, error) {
	m := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o.clientOptions(client, 0)}
	switch {
	case o.ClientID == "":
	case strings.HasPrefix(o.ClientID, "/"):
		m.ID = azidentity.ResourceID(o.ClientID)
	default:
		m.ID = azidentity.ClientID(o.ClientID)
	}
	c, err := azidentity.NewManagedIdentityCredential(m)
	return c, o.unusable(err)
}

func (o Options) byWorkloadIdentity(client *http.Client) (azcore.TokenCredential, error) {
	if o.TokenFile == "" {
		return nil, o.usage("the method %s needs the file of the federated token", "set "+o.Section+".token_file or AZURE_FEDERATED_TOKEN_FILE; on Kubernetes the workload identity webhook sets it")
	}
	if _, err := os.Stat(o.TokenFile); err != nil {
		return nil, o.misconfigured(fmt.Errorf("the federated token: %w", err), "check "+o.Section+".token_file or AZURE_FEDERATED_TOKEN_FILE")
	}
	c, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: o.clientOptions(client, entraRetries), DisableInstanceDiscovery: !known(o.Authority),
		TenantID: o.TenantID, ClientID: o.ClientID, TokenFilePath: o.TokenFile,
	})
	return c, o.unusable(err)
}

// byDefault is azidentity's chain. Its first link, the environment, is built
// here, because secrets may also lie in files and because a section of the
// configuration may name another application than AZURE_CLIENT_ID.
func (o Options) byDefault(client *http.Client) (azcore.TokenCredential, *shown, error) {
	if o.TenantID != "" && o.ClientID != "" && o.chainHas("EnvironmentCredential") {
		secret, err := o.secret(o.Secrets)
		switch {
		case err == nil:
			c, err := o.bySecret(client, secret)
			return c, nil, err
		case !errors.Is(err, errNone):
			return nil, nil, o.misconfigured(err, "")
		case o.CertificateFile != "":
			return o.byCertificate(client)
		}
	}
	if o.ClientID != o.env("AZURE_CLIENT_ID") {
		return nil, nil, o.misconfigured(errors.New("the default chain knows one application, that of AZURE_CLIENT_ID, and "+o.Section+".client_id names another"),
			"give its secret ("+variables(o.Secrets, " or ")+") or certificate, or set "+o.Section+".method")
	}
	c, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: o.clientOptions(client, entraRetries), TenantID: o.TenantID, DisableInstanceDiscovery: !known(o.Authority),
	})
	return c, nil, o.unusable(err)
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
