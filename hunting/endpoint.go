package hunting

import (
	"cmp"
	"fmt"
)

// API is a front end of Advanced Hunting. The zero API is Graph.
type API string

// The front ends.
const (
	Graph API = "graph" // https://learn.microsoft.com/graph/api/security-security-runhuntingquery
	XDR   API = "xdr"   // https://learn.microsoft.com/defender-xdr/api-advanced-hunting
	MDE   API = "mde"   // https://learn.microsoft.com/defender-endpoint/api/run-advanced-query-api
)

// ParseAPI reads a front end as a configuration spells it.
func ParseAPI(s string) (API, error) {
	switch a := cmp.Or(API(s), Graph); a {
	case Graph, XDR, MDE:
		return a, nil
	}
	return "", fmt.Errorf("API %q is none of graph, xdr, mde", s)
}

// path is where queries are posted, below the base URL.
func (a API) path() string {
	switch a {
	case XDR:
		return "/api/advancedhunting/run"
	case MDE:
		return "/api/advancedqueries/run"
	}
	return "/v1.0/security/runHuntingQuery"
}

// permission is the application permission that queries need, and where it is granted.
func (a API) permission() string {
	switch a {
	case XDR:
		return "AdvancedHunting.Read.All on Microsoft Threat Protection"
	case MDE:
		return "AdvancedQuery.Read.All on WindowsDefenderATP"
	}
	return "ThreatHunting.Read.All on Microsoft Graph"
}

// Cloud is a national cloud in which hunting is available. The zero Cloud is
// the commercial one.
type Cloud struct {
	Authority string // base URL of Entra
	hosts     map[API]string
}

// clouds are those in which hunting is available
// (https://learn.microsoft.com/defender-xdr/usgov,
// https://learn.microsoft.com/defender-endpoint/gov,
// https://learn.microsoft.com/graph/deployments).
var clouds = map[string]Cloud{
	"commercial": {"https://login.microsoftonline.com", map[API]string{
		Graph: "https://graph.microsoft.com",
		XDR:   "https://api.security.microsoft.com",
		MDE:   "https://api.securitycenter.microsoft.com",
	}},
	"gcc": {"https://login.microsoftonline.com", map[API]string{
		Graph: "https://graph.microsoft.com",
		XDR:   "https://api-gcc.security.microsoft.us",
		MDE:   "https://api-gcc.securitycenter.microsoft.us",
	}},
	"gcc-high": {"https://login.microsoftonline.us", map[API]string{
		Graph: "https://graph.microsoft.us",
		XDR:   "https://api-gov.security.microsoft.us",
		MDE:   "https://api-gov.securitycenter.microsoft.us",
	}},
	"dod": {"https://login.microsoftonline.us", map[API]string{
		Graph: "https://dod-graph.microsoft.us",
		XDR:   "https://api-gov.security.microsoft.us",
		MDE:   "https://api-gov.securitycenter.microsoft.us",
	}},
}

// LookupCloud finds a cloud by its name; "" is commercial.
func LookupCloud(name string) (Cloud, error) {
	c, ok := clouds[cmp.Or(name, "commercial")]
	if !ok {
		return Cloud{}, fmt.Errorf("cloud %q is none of commercial, gcc, gcc-high, dod", name)
	}
	return c, nil
}

// Endpoint is the base URL of a front end.
func (c Cloud) Endpoint(a API) string {
	if c.hosts == nil {
		c = clouds["commercial"]
	}
	return c.hosts[cmp.Or(a, Graph)]
}

// Scope is what a token for the front end is asked for. Regional hosts and
// other endpoints of a cloud take the same one.
func (c Cloud) Scope(a API) string { return c.Endpoint(a) + "/.default" }
