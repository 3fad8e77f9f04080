package assessment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Cloud is a national cloud in which the APIs are available. The zero Cloud is the
// commercial one.
type Cloud struct {
	endpoint string   // base URL
	audience string   // of tokens; regional hosts and newer ones take the same
	storage  []string // ends of the hosts on which files are
	apis     []string // ends of the hosts of the APIs, regional ones among them
}

const (
	publicStorage     = ".blob.core.windows.net"
	governmentStorage = ".blob.core.usgovcloudapi.net"
)

var governmentAPIs = []string{".securitycenter.microsoft.us"}

// clouds are those of https://learn.microsoft.com/defender-endpoint/gov. Newer pages
// name api.security.microsoft.com, for which tokens of the older host are valid.
var clouds = map[string]Cloud{
	"commercial": {"https://api.security.microsoft.com", "https://api.securitycenter.microsoft.com", []string{publicStorage}, []string{"api.security.microsoft.com", ".securitycenter.microsoft.com", ".securitycenter.windows.com"}},
	"gcc":        {"https://api-gcc.securitycenter.microsoft.us", "https://api-gcc.securitycenter.microsoft.us", []string{publicStorage, governmentStorage}, governmentAPIs},
	"gcc-high":   {"https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us", []string{governmentStorage}, governmentAPIs},
	"dod":        {"https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us", []string{governmentStorage}, governmentAPIs},
}

// LookupCloud finds a cloud by its name; "" is commercial.
func LookupCloud(name string) (Cloud, error) {
	c, ok := clouds[cmp.Or(name, "commercial")]
	if !ok {
		return Cloud{}, fmt.Errorf("cloud %q is unknown; use commercial, gcc, gcc-high or dod", name)
	}
	return c, nil
}

func (c Cloud) orCommercial() Cloud {
	if c.endpoint == "" {
		return clouds["commercial"]
	}
	return c
}

// Endpoint is the base URL of the APIs.
func (c Cloud) Endpoint() string { return c.orCommercial().endpoint }

// Scope is what a token is asked for.
func (c Cloud) Scope() string { return c.orCommercial().audience + "/.default" }

// sameAPI says whether two hosts serve the API of the cloud: then both take its tokens. A
// host that is not one of the cloud serves it alone.
func (c Cloud) sameAPI(a, b string) bool {
	api := func(host string) bool {
		return slices.ContainsFunc(c.orCommercial().apis, func(end string) bool {
			return strings.HasSuffix("."+strings.ToLower(host), "."+strings.TrimPrefix(end, "."))
		})
	}
	return strings.EqualFold(a, b) || api(a) && api(b)
}

// Storage is how the hosts end on which the files of the APIs are.
func (c Cloud) Storage() []string { return c.orCommercial().storage }
