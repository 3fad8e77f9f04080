// Package onboard has the steps by which a customer's tenant comes and goes: what its
// administrator consents to, and the commands that create and delete its database. It
// makes no request.
package onboard

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Customer is a tenant with what its steps depend on.
type Customer struct {
	Name      string
	TenantID  string
	ClientID  string // of the application that signs in to Defender
	Authority string // base URL of Entra
	Cluster   string // URL
	Database  string

	// Retention is how long the database keeps rows, and Hot how long they are cached.
	Retention, Hot time.Duration
}

// Role is an application permission.
type Role struct{ Name, Service, ServiceID string }

// ConsentURL is the page on which an administrator of the customer consents to the
// application. Entra shows the permissions that the application's registration requests
// (https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent).
func (c Customer) ConsentURL() string {
	return strings.TrimRight(c.Authority, "/") + "/" + url.PathEscape(c.TenantID) + "/adminconsent?client_id=" + url.QueryEscape(c.ClientID)
}

// Registration are the commands that let the application's registration request the roles.
// They run once, in the tenant of the application.
func (c Customer) Registration(roles []Role) []string {
	var out []string
	for _, r := range roles {
		out = append(out, fmt.Sprintf("az ad app permission add --id %s --api %s --api-permissions $(az ad sp show --id %s --query \"appRoles[?value=='%s'].id\" -o tsv)=Role",
			c.ClientID, r.ServiceID, r.ServiceID, r.Name))
	}
	return out
}

// Way is one of several ways to do the same.
type Way struct {
	With     string // the tool or the API
	Commands []string
}

// CreateDatabase are the ways to create the database: those of Azure Data Explorer, or
// those of Fabric, as the cluster's address says. Replace the words in upper case.
func (c Customer) CreateDatabase() []Way {
	if c.fabric() {
		return []Way{{"the REST API of Fabric", []string{
			"az rest --method post --resource https://api.fabric.microsoft.com --url https://api.fabric.microsoft.com/v1/workspaces/WORKSPACE/kqlDatabases --body " +
				quote(compact(map[string]any{"displayName": c.Database, "creationPayload": map[string]string{"databaseType": "ReadWrite", "parentEventhouseItemId": "EVENTHOUSE"}})),
		}}}
	}
	return []Way{
		{"the az CLI (az extension add --name kusto)", []string{fmt.Sprintf(
			"az kusto database create --resource-group GROUP --cluster-name %s --database-name %s --read-write-database location=REGION soft-delete-period=%s hot-cache-period=%s",
			c.clusterName(), word(c.Database), isoDays(c.Retention), isoDays(c.Hot))}},
		{"Azure Resource Manager", []string{
			fmt.Sprintf("az rest --method put --url %s --body ", quote("https://management.azure.com"+c.resource())) + quote(compact(map[string]any{
				"location": "REGION", "kind": "ReadWrite",
				"properties": map[string]string{"softDeletePeriod": isoDays(c.Retention), "hotCachePeriod": isoDays(c.Hot)},
			})),
		}},
	}
}

// DeleteDatabase are the ways to delete the database with all rows.
func (c Customer) DeleteDatabase() []Way {
	if c.fabric() {
		return []Way{{"the REST API of Fabric", []string{
			"az rest --method delete --resource https://api.fabric.microsoft.com --url https://api.fabric.microsoft.com/v1/workspaces/WORKSPACE/kqlDatabases/DATABASE_ID",
		}}}
	}
	return []Way{{"the az CLI (az extension add --name kusto)", []string{fmt.Sprintf(
		"az kusto database delete --resource-group GROUP --cluster-name %s --database-name %s", c.clusterName(), word(c.Database))}}}
}

// Withdraw is the command by which an administrator of the customer takes the consent away.
func (c Customer) Withdraw() string {
	return fmt.Sprintf("az login --tenant %s --allow-no-subscriptions && az ad sp delete --id %s", c.TenantID, c.ClientID)
}

// fabric says whether the cluster is an eventhouse.
func (c Customer) fabric() bool {
	u, err := url.Parse(c.Cluster)
	return err == nil && strings.HasSuffix(strings.ToLower(u.Hostname()), ".fabric.microsoft.com")
}

// clusterName is the name of the resource, which begins the cluster's host name.
func (c Customer) clusterName() string {
	u, err := url.Parse(c.Cluster)
	if err != nil || u.Hostname() == "" {
		return "CLUSTER"
	}
	name, _, _ := strings.Cut(u.Hostname(), ".")
	return name
}

// resource is the path of the database as a resource of Azure
// (https://learn.microsoft.com/azure/templates/microsoft.kusto/clusters/databases).
func (c Customer) resource() string {
	return "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Kusto/clusters/" + c.clusterName() + "/databases/" + url.PathEscape(c.Database) + "?api-version=2023-08-15"
}

// isoDays is a period in the form of ISO 8601, in whole days.
func isoDays(d time.Duration) string { return fmt.Sprintf("P%dD", max(1, int(d.Hours()+23)/24)) }

// compact is a value as JSON.
func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "{}" // unreachable: maps of texts
	}
	return string(text)
}

// quote quotes a text for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// word is a text as one word of a POSIX shell, quoted where it has to be.
func word(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return quote(s)
}
