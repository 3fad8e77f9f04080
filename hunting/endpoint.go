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

// Cloud is a national cloud in which hunting is available. The zero Cloud is Commercial.
type Cloud string

// The clouds.
const (
	Commercial Cloud = "commercial"
	GCC        Cloud = "gcc"
	GCCHigh    Cloud = "gcc-high"
	DoD        Cloud = "dod"
)

// ParseCloud reads a cloud as a configuration spells it.
func ParseCloud(s string) (Cloud, error) {
	c := cmp.Or(Cloud(s), Commercial)
	if _, ok := hosts[c]; !ok {
		return "", fmt.Errorf("cloud %q is none of commercial, gcc, gcc-high, dod", s)
	}
	return c, nil
}

// hosts are the base URLs of each cloud
// (https://learn.microsoft.com/defender-xdr/usgov,
// https://learn.microsoft.com/defender-endpoint/gov,
// https://learn.microsoft.com/graph/deployments).
var hosts = map[Cloud]struct {
	authority string
	api       map[API]string
}{
	Commercial: {"https://login.microsoftonline.com", map[API]string{
		Graph: "https://graph.microsoft.com",
		XDR:   "https://api.security.microsoft.com",
		MDE:   "https://api.securitycenter.microsoft.com",
	}},
	GCC: {"https://login.microsoftonline.com", map[API]string{
		Graph: "https://graph.microsoft.com",
		XDR:   "https://api-gcc.security.microsoft.us",
		MDE:   "https://api-gcc.securitycenter.microsoft.us",
	}},
	GCCHigh: {"https://login.microsoftonline.us", map[API]string{
		Graph: "https://graph.microsoft.us",
		XDR:   "https://api-gov.security.microsoft.us",
		MDE:   "https://api-gov.securitycenter.microsoft.us",
	}},
	DoD: {"https://login.microsoftonline.us", map[API]string{
		Graph: "https://dod-graph.microsoft.us",
		XDR:   "https://api-gov.security.microsoft.us",
		MDE:   "https://api-gov.securitycenter.microsoft.us",
	}},
}

// Authority is the base URL of Entra.
func (c Cloud) Authority() string { return hosts[cmp.Or(c, Commercial)].authority }

// Endpoint is the base URL of a front end.
func (c Cloud) Endpoint(a API) string {
	return hosts[cmp.Or(c, Commercial)].api[cmp.Or(a, Graph)]
}

// Scope is what a token for the front end is asked for. Regional hosts and
// other endpoints of a cloud take the same one.
func (c Cloud) Scope(a API) string { return c.Endpoint(a) + "/.default" }
