package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
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

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/config"
	"github.com/tvmexport/tvmexport/hunting"
)

// httpClient trusts the system's certificates and those of the file. It keeps
// to the proxy of the environment, and leaves compression to its callers.
func httpClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	transport.MaxIdleConnsPerHost = 16
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, usage(fmt.Errorf("ca_file: %w", err))
		}
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, usage(fmt.Errorf("ca_file %s holds no certificate in PEM form", caFile))
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}, nil
}

// credential signs in as the configuration says. Names that it leaves out are
// those of azidentity's environment: AZURE_TENANT_ID, AZURE_CLIENT_ID and so on.
func (p *process) credential(a config.Auth, c hunting.Cloud, client *http.Client) (azcore.TokenCredential, error) {
	env := func(name string) string { v, _ := p.env(name); return v }
	authority := strings.TrimSuffix(cmp.Or(a.Authority, env("AZURE_AUTHORITY_HOST"), c.Authority), "/")
	o := azcore.ClientOptions{
		Transport: client,
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: authority + "/"},
		Retry:     policy.RetryOptions{MaxRetries: 2},
	}
	tenant, id := cmp.Or(a.TenantID, env("AZURE_TENANT_ID")), env("AZURE_CLIENT_ID")
	var cred azcore.TokenCredential
	var err error
	switch a.Method {
	case "secret":
		var secret string
		if secret, err = p.secret("AZURE_CLIENT_SECRET"); err != nil {
			break
		}
		cred, err = azidentity.NewClientSecretCredential(tenant, id, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: o, DisableInstanceDiscovery: !known(authority),
		})
	case "certificate":
		cred, err = p.certificate(tenant, id, o, authority)
	case "managed-identity":
		m := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
		if id != "" {
			m.ID = azidentity.ClientID(id)
		}
		cred, err = azidentity.NewManagedIdentityCredential(m)
	case "workload-identity":
		cred, err = azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: o, TenantID: tenant, DisableInstanceDiscovery: !known(authority),
		})
	case "azure-cli":
		cred, err = azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: tenant})
	default:
		cred, err = p.defaultCredential(tenant, id, o, authority)
	}
	if err != nil {
		return nil, &tvmexport.Error{
			Op: "sign in", Cause: tvmexport.Permission, Err: err,
			Hint: "auth.method is " + cmp.Or(a.Method, "default") + "; check AZURE_TENANT_ID, AZURE_CLIENT_ID and what else it needs",
		}
	}
	return cred, nil
}

// defaultCredential is azidentity's chain. A client secret in the environment
// goes before it, because the secret may also lie in a file.
func (p *process) defaultCredential(tenant, id string, o azcore.ClientOptions, authority string) (azcore.TokenCredential, error) {
	if secret, err := p.secret("AZURE_CLIENT_SECRET"); err == nil && tenant != "" && id != "" {
		return azidentity.NewClientSecretCredential(tenant, id, secret, &azidentity.ClientSecretCredentialOptions{
			ClientOptions: o, DisableInstanceDiscovery: !known(authority),
		})
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
		ClientOptions: o, TenantID: tenant, DisableInstanceDiscovery: !known(authority),
	})
}

func (p *process) certificate(tenant, id string, o azcore.ClientOptions, authority string) (azcore.TokenCredential, error) {
	path, ok := p.env("AZURE_CLIENT_CERTIFICATE_PATH")
	if !ok {
		return nil, errors.New("AZURE_CLIENT_CERTIFICATE_PATH is not set")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	password, _ := p.secret("AZURE_CLIENT_CERTIFICATE_PASSWORD") // none is none
	certs, key, err := azidentity.ParseCertificates(data, []byte(password))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return azidentity.NewClientCertificateCredential(tenant, id, certs, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: o, DisableInstanceDiscovery: !known(authority), SendCertificateChain: true,
	})
}

// secret is a variable's value, or the content of the file that NAME_FILE names.
func (p *process) secret(name string) (string, error) {
	if v, ok := p.env(name); ok {
		return v, nil
	}
	file, ok := p.env(name + "_FILE")
	if !ok {
		return "", fmt.Errorf("neither %s nor %s_FILE is set", name, name)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// known says whether Microsoft runs the authority: only then is it asked
// whether the authority exists.
func known(authority string) bool {
	u, err := url.Parse(authority)
	return err == nil && slices.Contains([]string{
		"login.microsoftonline.com", "login.microsoftonline.us", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn",
	}, u.Hostname())
}
