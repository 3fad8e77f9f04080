package emulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/internal/assessment"
	"github.com/tvmexport/tvmexport/emulator/internal/engine"
)

// The resources that tokens are for. A token for one of them is accepted by that
// service only.
const (
	GraphResource = "https://graph.microsoft.com"
	XDRResource   = "https://api.security.microsoft.com"
	MDEResource   = "https://api.securitycenter.microsoft.com"
	KustoResource = "https://kusto.kusto.windows.net"
)

// The application ids of the resources, as public documentation has them.
const (
	graphAppID = "00000003-0000-0000-c000-000000000000"
	mdeAppID   = "fc780465-2017-40d4-a0c5-307022471b92"
	kustoAppID = "2746ea77-4702-4b45-80ca-3c97e680e8b7"
)

// identities are the tenant's applications and the APIs they may ask for.
func identities(e *Emulator, at addresses) entra.Options {
	hunting := map[string][]string{
		GraphResource: {"ThreatHunting.Read.All"},
		XDRResource:   {"AdvancedHunting.Read.All", "AdvancedQuery.Read.All"},
		MDEResource:   append([]string{"AdvancedQuery.Read.All"}, assessment.Roles()...),
	}
	apps := []entra.App{
		{ID: ExporterID, Name: "tvmexport", Secrets: []string{e.ready.ClientSecret}, Roles: hunting, MultiTenant: true},
		{ID: AdminID, Name: "tvmexport-admin", Secrets: []string{e.ready.AdminClientSecret}},
		{ID: machineID, Name: "tvmexport-machine", Roles: hunting},
		{ID: userID, ObjectID: userObject, Name: "tvmexport-identity", Roles: hunting},
	}
	e.credentials.register(&apps[0])
	return entra.Options{
		TenantID:  e.o.TenantID,
		Domain:    tenantName,
		Customers: customers(e.o.Tenants[1:]),
		Apps:      append(apps, e.o.Apps...),
		Now:       e.o.Now,
		Managed:   []entra.ManagedIdentity{{AppID: machineID}, {AppID: userID, ResourceID: userResource}},

		IdentityHeader: e.ready.IdentityHeader,
		Resources: []entra.Resource{
			{URI: GraphResource, AppID: graphAppID, Aliases: []string{"https://graph.microsoft.us", "https://dod-graph.microsoft.us"}},
			{URI: XDRResource, Aliases: []string{"https://api-gcc.security.microsoft.us", "https://api-gov.security.microsoft.us"}},
			{URI: MDEResource, AppID: mdeAppID, Aliases: []string{
				"https://securitycenter.onmicrosoft.com/windowsatpservice",
				"https://api-gcc.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us",
			}},
			{URI: StorageResource, AppID: storageAppID},
			{URI: KustoResource, AppID: kustoAppID, Aliases: kustoAudiences(e, at)},
		},
	}
}

// customers are the tenants but the first as Entra knows them.
func customers(list []TenantOptions) []entra.Customer {
	var all []entra.Customer
	for _, t := range list {
		c := entra.Customer{ID: t.ID, Domain: strings.ToLower(t.Name) + ".onmicrosoft.com"}
		if !t.Unconsented {
			c.Apps = []string{ExporterID}
		}
		all = append(all, c)
	}
	return all
}

// kustoAudiences are the URIs that a token for Kusto may name: the resource of the
// metadata, a cluster's own address, and the resources of other clouds.
func kustoAudiences(e *Emulator, at addresses) []string {
	audiences := []string{KustoResource, kustoAppID, at.kusto, at.ingest, "https://kusto.kusto.usgovcloudapi.net", "https://kusto.azure.com"}
	for _, own := range at.own {
		audiences = append(audiences, own[0], own[1])
	}
	slices.Sort(audiences)
	return slices.Compact(audiences)
}

// authenticate finds the principal of a Kusto request.
func authenticate(e *Emulator, at addresses) func(*http.Request) (engine.Principal, error) {
	audiences := kustoAudiences(e, at)
	return func(r *http.Request) (engine.Principal, error) {
		token, err := entra.Bearer(r)
		if err != nil {
			return engine.Principal{}, err
		}
		claims, err := e.verify(r.Context(), token, audiences...)
		if err != nil {
			return engine.Principal{}, err
		}
		p := engine.Principal{AppID: claims.AppID, ObjectID: claims.ObjectID, TenantID: claims.TenantID, Name: claims.Name}
		if strings.EqualFold(p.TenantID, e.o.TenantID) {
			p.TenantID = e.o.TenantID
		}
		return p, nil
	}
}

// setUpDatabase makes the databases and gives the exporting application and the
// managed identities the two roles that exporting is documented to need.
func setUpDatabase(ctx context.Context, e *Emulator) error {
	names := slices.Clone(e.o.Databases)
	for _, t := range e.o.Tenants {
		names = append(names, t.Database)
	}
	for _, name := range names {
		if err := setUpOne(ctx, e, name); err != nil {
			return err
		}
	}
	return nil
}

func setUpOne(ctx context.Context, e *Emulator, database string) error {
	e.engine.CreateDatabase(database)
	if o, ok := e.tenants.byBase[strings.ToLower(database)]; ok {
		e.tenants.byBase[strings.ToLower(e.engine.DatabaseName(database))] = o
	}
	if e.o.Eventhouse && database == e.o.Database {
		e.ready.DatabaseID = e.engine.DatabaseName(database)
	}
	for _, role := range []string{"users", "ingestors"} {
		var who []string
		for _, id := range []string{ExporterID, machineID, userID} {
			who = append(who, fmt.Sprintf("'aadapp=%s;%s'", id, e.o.TenantID))
		}
		text := fmt.Sprintf(".add database ['%s'] %s (%s)", strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(database), role, strings.Join(who, ", "))
		answer, err := e.engine.Command(ctx, engine.Call{Principal: e.admin, Database: database, Text: text})
		if err != nil {
			return fmt.Errorf("emulator: set the roles of database %s: %w", database, err)
		}
		for _, t := range answer.Tables {
			for _, err := range t.Rows {
				if err != nil {
					return fmt.Errorf("emulator: set the roles of database %s: %w", database, err)
				}
			}
		}
	}
	return nil
}
