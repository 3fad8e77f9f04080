package setup

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// This file has the queries of a check that a run does not need. Nothing in it
// writes rows.

// Addresses are the URIs of the two endpoints: of queries, and of ingestion.
func (c *Inspector) Addresses() (cluster, ingest string) { return c.conn.Engine.URI, c.conn.Intake.URI }

// Scope is what a token for the cluster is asked for, as its metadata says.
func (c *Inspector) Scope(ctx context.Context) (string, error) {
	scope, err := c.conn.Engine.Audience(ctx)
	if err != nil {
		return "", conn.Translate("reach", "", c.conn.Engine, err)
	}
	return scope, nil
}

// Reach asks both endpoints for their sign-in metadata, which needs no token,
// once and without repeating it.
func (c *Inspector) Reach(ctx context.Context) (cluster, ingest error) {
	one := func(to *conn.Endpoint) error {
		if _, err := to.Audience(ctx); err != nil {
			return conn.Translate("reach", "", to, err)
		}
		return nil
	}
	if cluster = one(c.conn.Engine); c.conn.Intake.URI == c.conn.Engine.URI {
		return cluster, cluster
	}
	return cluster, one(c.conn.Intake)
}

// Stores are the hosts of the storage that queued ingestion goes through.
func (c *Inspector) Stores(ctx context.Context) ([]string, error) {
	s := conn.Statement{Op: "look at ingestion resources", Text: ".get ingestion resources", Idempotent: true}
	rows, err := c.conn.Manage(ctx, c.conn.Intake, "NetDefaultDB", s)
	if err != nil {
		return nil, err
	}
	roots, err := conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Text("StorageRoot") })
	if err != nil {
		return nil, err
	}
	var hosts []string
	for _, root := range roots { // they hold signatures: nothing but the host is kept
		if u, err := url.Parse(root); err == nil && u.Host != "" && !slices.Contains(hosts, u.Host) {
			hosts = append(hosts, u.Host)
		}
	}
	slices.Sort(hosts)
	return hosts, nil
}

// Readable says whether the database is there and may be read.
func (c *Inspector) Readable(ctx context.Context) error {
	if _, err := c.conn.Query(ctx, conn.Statement{Op: "read", Text: "print Readable = true"}); err != nil {
		return err
	}
	_, err := c.conn.Schema(ctx, "read", false)
	return err
}

// Held is a role that the caller has according to the service.
type Held struct{ Scope, Role string }

// Held lists the caller's roles in the database and its tables. It is for
// people: roles that come through groups may be missing.
func (c *Inspector) Held(ctx context.Context) ([]Held, error) {
	s := conn.Statement{Op: "look at roles", Text: ".show principal roles", Idempotent: true}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return nil, err
	}
	all, err := conn.ReadRows(s, rows, func(r *conn.Reader) Held { return Held{r.Text("Scope"), r.Text("Role")} })
	if err != nil {
		return nil, err
	}
	name, err := c.engineName(ctx)
	return slices.DeleteFunc(all, func(h Held) bool {
		return !strings.EqualFold(h.Scope, "Database "+c.conn.Database) && !strings.EqualFold(h.Scope, "Database "+name)
	}), err
}

// engineName is the service's own name of the database. In Fabric it is a GUID, and the
// configured name can be the one that people see.
func (c *Inspector) engineName(ctx context.Context) (string, error) {
	s := conn.Statement{Op: "look at roles", Text: "print Name = current_database()"}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return "", err
	}
	names, err := conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Text("Name") })
	if err != nil || len(names) == 0 {
		return "", err
	}
	return names[0], nil
}

// MayAppend says, by table, why rows may not be added to it: it appends none.
func (c *Inspector) MayAppend(ctx context.Context, tables []string) map[string]error {
	refused := map[string]error{}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(4)
	for _, t := range tables {
		g.Go(func() error {
			s := conn.Statement{Op: "append", Text: fmt.Sprintf(".set-or-append %s <| %s | take 0", kql.Ident(t), kql.Ident(t)), Idempotent: true}
			if _, err := c.conn.Command(ctx, s); err != nil {
				mu.Lock()
				defer mu.Unlock()
				refused[t] = err
			}
			return nil
		})
	}
	_ = g.Wait() // errors are in the map
	return refused
}

// Written returns the existing tables of the database to which a run of the tables
// appends.
func (c *Inspector) Written(ctx context.Context, tables []tvmexport.Table) ([]string, error) {
	inv, err := c.conn.Schema(ctx, "check", false)
	if err != nil {
		return nil, err
	}
	names := []string{kql.ConfigurationTable, kql.AuditTable, kql.RunsTable, kql.PartitionsTable}
	for _, t := range tables {
		names = append(names, t.Destination, t.Landing(), t.Typed())
	}
	return slices.DeleteFunc(names, func(n string) bool { _, ok := inv.Tables[n]; return !ok }), nil
}

// Made says whether init has been here: the configuration table is there.
func (c *Inspector) Made(ctx context.Context) (bool, error) {
	inv, err := c.conn.Schema(ctx, "check", false)
	if err != nil {
		return false, err
	}
	_, ok := inv.Tables[kql.ConfigurationTable]
	return ok, nil
}

// Owners are the tenants whose data the ledger says the database holds.
func (c *Inspector) Owners(ctx context.Context) ([]string, error) {
	s := conn.Statement{Op: "read ledger", Text: kql.RunsTable + `
| extend Tenant = tostring(Detail.tenant)
| where isnotempty(Tenant)
| distinct Tenant
| take 10`}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Text("Tenant") })
}

// OrderText is the command that changes one column of a table's newest
// configuration row, and leaves the rest of it as it is.
func (c *Inspector) OrderText(ctx context.Context, table, name string, value any) (string, error) {
	columns, err := c.conn.Columns(ctx, kql.ConfigurationTable)
	if err != nil {
		return "", err
	}
	list := make([]string, len(columns))
	for i, k := range columns {
		list[i] = kql.Ident(k.Name)
		if k.Name != name {
			continue
		}
		switch v := value.(type) {
		case string:
			list[i] += " = " + kql.Literal(v)
		default:
			list[i] += fmt.Sprint(" = ", v)
		}
	}
	return fmt.Sprintf(".set-or-append %s <| %s | where SourceTable == %s | top 1 by ingestion_time() desc | project %s",
		kql.ConfigurationTable, kql.ConfigurationTable, kql.Literal(table), strings.Join(list, ", ")), nil
}

// AddRole is the command by which an administrator gives a principal, such as
// aadapp=ID;TENANT, a role of the database: users, ingestors, viewers.
func (c *Inspector) AddRole(role, principal string) string {
	return c.conn.AddRole(role, principal)
}

// AddTableRole is the same for a table: ingestors, admins.
func (c *Inspector) AddTableRole(table, role, principal string) string {
	return fmt.Sprintf(".add table %s %s ('%s') 'tvmexport'", kql.Ident(table), role, principal)
}
