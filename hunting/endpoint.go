package hunting

import (
	"cmp"
	"fmt"
	"time"
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
	return "", fmt.Errorf("API %q is unknown; use graph, xdr or mde", s)
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

// Permission is an application permission: its name, and the service that it
// is granted on.
type Permission struct {
	Role      string
	Service   string // as the portal lists it
	ServiceID string // its application
}

// Permission is the one that queries need.
func (a API) Permission() Permission {
	switch a {
	case XDR:
		return Permission{"AdvancedHunting.Read.All", "Microsoft Threat Protection", "8ee8fdad-f234-4243-8f3b-15c294843740"}
	case MDE:
		return Permission{"AdvancedQuery.Read.All", "WindowsDefenderATP", "fc780465-2017-40d4-a0c5-307022471b92"}
	}
	return Permission{"ThreatHunting.Read.All", "Microsoft Graph", "00000003-0000-0000-c000-000000000000"}
}

// permission is the application permission that queries need, and where it is granted.
func (a API) permission() string {
	p := a.Permission()
	return p.Role + " on " + p.Service
}

// LastDay is the last day on which Microsoft answers a legacy front end
// (https://learn.microsoft.com/defender-xdr/api-advanced-hunting); zero for Graph.
func (a API) LastDay() time.Time {
	if a == XDR || a == MDE {
		return time.Date(2027, time.January, 31, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}
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
		return Cloud{}, fmt.Errorf("cloud %q is unknown; use commercial, gcc, gcc-high or dod", name)
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
