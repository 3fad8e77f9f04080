package fleet

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
)

// Tenant is a tenant and the database that has its rows.
type Tenant struct {
	Name     string   // as readers see it
	Cluster  string   // query URI
	Database string   // as the configuration has it
	Also     []string // other names that the cluster has for the database, such as its GUID in an Eventhouse
}

// Options say what the fleet's database has to show.
type Options struct {
	Cluster  string // query URI of the fleet's database
	Database string // of the fleet, with nothing else in it
	Tenants  []Tenant
	Tables   []tvmexport.Table // that have functions; where there are none, those that the tenants have configured
	Prefix   string            // before the names of the read functions, the same in all databases
	Remove   bool              // the group loses databases of which the options know nothing

	Known     func(name string) (tvmexport.Table, bool) // describes a table that a tenant has configured
	Otherwise []tvmexport.Table                         // the tables if no tenant says which
}

// check refuses what would show rows of one tenant as those of another, or hide them.
func (o Options) check() error {
	if len(o.Tenants) == 0 {
		return refused(errors.New("the configuration has no tenants"))
	}
	if o.Database == "" {
		return refused(errors.New("fleet.database is empty"))
	}
	if o.Prefix != "" {
		if err := tvmexport.CheckIdentifier("functions.prefix", o.Prefix); err != nil {
			return refused(err)
		}
	}
	names, owners := map[string]bool{}, map[string]string{}
	for _, t := range o.Tenants {
		switch {
		case t.Name == "" || t.Database == "" || host(t.Cluster) == "":
			return refused(fmt.Errorf("the tenant %q has no name, database or cluster", t.Name))
		case names[t.Name]:
			return refused(fmt.Errorf("two tenants have the name %s", t.Name))
		case o.isLocal(t) && strings.EqualFold(t.Database, o.Database):
			return refused(fmt.Errorf("fleet.database is the database of the tenant %s: give the fleet a database of its own", t.Name))
		}
		names[t.Name] = true
		for _, name := range t.names() {
			at := host(t.Cluster) + "/" + name
			if other, taken := owners[at]; taken && other != t.Name {
				return refused(fmt.Errorf("the tenants %s and %s have one database, %s: a database has the rows of one tenant", other, t.Name, t.Database))
			}
			owners[at] = t.Name
		}
	}
	for _, t := range o.Tables {
		if err := conn.CheckNames(t); err != nil {
			return err
		}
	}
	return nil
}

func refused(err error) error { return conn.UsageError("init", "", err) }

// isLocal says whether the tenant's database is in the cluster of the fleet's.
func (o Options) isLocal(t Tenant) bool { return host(t.Cluster) == host(o.Cluster) }

// entity is the tenant's database as a member of the group.
func (o Options) entity(t Tenant) string {
	if o.isLocal(t) {
		return "database(" + quoted(t.Database) + ")"
	}
	return "cluster(" + quoted("https://"+host(t.Cluster)) + ").database(" + quoted(t.Database) + ")"
}

// quoted is a string literal in single quotes, as the service lists entities.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// names are all names of the tenant's database, in lower case.
func (t Tenant) names() []string {
	out := []string{strings.ToLower(t.Database)}
	for _, name := range t.Also {
		if name = strings.ToLower(name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// host is the host of a cluster's URI in lower case, with its port unless that is the one of https.
func host(cluster string) string {
	u, err := url.Parse(strings.TrimSpace(cluster))
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(u.Host, ":443"))
}

// byDatabase says whether the name of a database alone tells whose it is. Then the functions
// depend on nothing that the service says of its address.
func byDatabase(tenants []Tenant) bool {
	owner := map[string]string{}
	for _, t := range tenants {
		for _, name := range t.names() {
			if other, taken := owner[name]; taken && other != t.Name {
				return false
			}
			owner[name] = t.Name
		}
	}
	return true
}
