package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// The defaults of Options. The ids are made up, and the same in every emulator.
const (
	DefaultDatabase = "security"
	DefaultBatching = 2 * time.Second

	DefaultDevices    = tenant.DefaultDevices
	DefaultChangeRate = tenant.DefaultChangeRate
	DefaultCVEs       = tenant.LibrarySize
	DefaultHistory    = tenant.DefaultHistoryDays

	DefaultTenantID = "7e0a51c3-4f6d-4b8e-9c55-0d2a1f3b6c70"
)

// The client ids of the applications that are there.
const (
	ExporterID = "c1a0de00-5eed-4c1e-8e57-1a7e0c0ffee1" // may hunt, and is user and ingestor of the database
	AdminID    = "ad319000-5eed-4c1e-8e57-1a7e0c0ffee2" // administers the database
)

const (
	tenantName = "emulated.onmicrosoft.com"
	machineID  = "5e1f0000-5eed-4c1e-8e57-1a7e0c0ffee3" // the system-assigned identity
	userID     = "05e20000-5eed-4c1e-8e57-1a7e0c0ffee4" // the user-assigned identity
	userObject = "05e2000b-5eed-4c1e-8e57-1a7e0c0ffee5"

	userResource = "/subscriptions/5ab50000-5eed-4c1e-8e57-1a7e0c0ffee6/resourceGroups/emulated/providers/Microsoft.ManagedIdentity/userAssignedIdentities/tvmexport"
)

// Options describes an emulator. The zero value is a tenant of DefaultDevices devices
// with the documented quotas.
type Options struct {
	Devices    int     // devices of the tenant; 0 means DefaultDevices
	Seed       uint64  // of the data: equal seeds, sizes and clocks make equal rows
	ChangeRate float64 // share of devices that change on a day; 0 means DefaultChangeRate
	CVEs       int     // known CVEs; 0 means DefaultCVEs
	History    int     // days of events at the start; 0 means DefaultHistory
	Quota      *Quota  // of hunting; nil means DocumentedQuota
	// ExportQuota is that of the export assessment APIs; nil means the documented one, or
	// none where Quota is NoQuota.
	ExportQuota *ExportQuota
	Wire        Wire        // the form of hunting answers
	Apps        []entra.App // further applications of the tenant
	// TVMIngestionTime makes ingestion_time() of the vulnerability tables the time at
	// which the tenant's day began; otherwise it is null. Which of both the service
	// answers is not documented.
	TVMIngestionTime bool
	// Expiry makes devices that leave the tenant stop reporting, so that what they
	// reported expires as documented, and makes the others report every day. Otherwise a device
	// that leaves is gone at once.
	Expiry   bool
	TenantID string // "" means DefaultTenantID
	// Tenants makes several tenants on one cluster, each with an id, data, a database and quotas
	// of its own. The first one is the home tenant: the applications are registered there,
	// and its identities have rights in the databases. The exporting application is
	// multi-tenant and signs in to each tenant that has consented to it. nil means one tenant.
	Tenants []TenantOptions

	Database  string        // name of the database; "" means DefaultDatabase
	Databases []string      // further databases with the same roles
	Batching  time.Duration // how long a batch of queued ingestion stays open, regardless of policies; 0 means DefaultBatching
	// StreamNeedsMapping refuses streamed JSON that names no mapping, as the page
	// on streaming ingestion has it; otherwise columns are found by their names.
	StreamNeedsMapping bool
	// Eventhouse makes the cluster an Eventhouse of Microsoft Fabric: it refuses the
	// commands that are documented for Azure Data Explorer only, the engine's names of
	// databases are GUIDs, and URIs have Fabric's form.
	Eventhouse bool
	// StorageHost is the name that a Server's storage URLs are advertised under,
	// "NAME" or "{account}.{kind}.NAME"; "" means the address of the listener.
	StorageHost string
	// Dir is the folder for the test authority, large answers and large data; ""
	// means a new temporary folder, which Close removes.
	Dir string

	Now func() time.Time // wall clock; nil means time.Now
	// Record is called with every query and command that a client sends, and its
	// endpoint: graph, xdr, mde, kusto-query, kusto-mgmt, ingest-mgmt. Several
	// goroutines may call it at once; nil records nothing.
	Record func(endpoint, text string)
	// Log gets a line for each trouble that no answer or not every client hears of, such
	// as an ingestion message that cannot be read; nil means no log.
	Log *slog.Logger
}

// Emulator is the services with their state. Its methods are safe for concurrent use.
type Emulator struct {
	o         Options
	ready     Ready
	ownDir    bool
	leftovers []string // files and folders to be removed
	tenants   *organisations
	entra     *entra.Server
	engine    *engine.Engine
	kusto     *kusto
	faults    *faults.Set
	admin     engine.Principal
	defenders http.Handler

	credentials *credentials // nil without sockets
}

// New makes an emulator without sockets; reach it through Transport. Close it.
func New(o Options) (*Emulator, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	at := publicEndpoints()
	if o.Eventhouse {
		at = publicEventhouse(o.TenantID)
	}
	return build(o, at.ownHosts(o), nil)
}

// build makes the emulator for the addresses at which it is reached. The options are filled.
func build(o Options, at addresses, c *credentials) (e *Emulator, err error) {
	e = &Emulator{o: o, faults: &faults.Set{}, credentials: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.o.Dir == "" {
		dir, err := os.MkdirTemp("", "tvmexport-emulator-*")
		if err != nil {
			return e, fmt.Errorf("emulator: make a folder: %w", err)
		}
		e.o.Dir, e.ownDir = dir, true
	}
	e.ready = Ready{
		Graph: at.graph, XDR: at.xdr, MDE: at.mde, Authority: at.authority, Control: at.control,
		Kusto: at.kusto, Ingest: at.ingest, Database: o.Database, Lake: lakeAddress(at),
		QueryServiceURI: at.query, IngestionServiceURI: at.ingestion,
		TenantID: o.TenantID, HomeTenantID: homeTenant(o), ClientID: ExporterID, ClientSecret: rand.Text(),
		AdminClientID: AdminID, AdminClientSecret: rand.Text(),
		IMDS: at.identity, IdentityEndpoint: at.identity + entra.AppServicePath, IdentityHeader: rand.Text(),
		IdentityClientID: userID, IdentityObjectID: userObject, IdentityResourceID: userResource,
	}
	if e.entra, err = entra.New(identities(e, at)); err != nil {
		return e, err
	}
	if err = openTenants(e); err != nil {
		return e, err
	}
	for _, t := range e.tenants.list {
		if t.Unconsented {
			if err = e.Consent(t.Name, entra.Consent{}); err != nil {
				return e, err
			}
		}
	}
	e.tenants.openClusters(at)
	e.ready.Tenants = readyTenants(e)
	e.faults.Separate(faults.Tenants{
		Known: e.tenants.knows,
		Of:    func(at faults.Endpoint, r *http.Request, database string) string { return tenantOf(e, at, r, database) },
	})
	if err = openKusto(e, at); err != nil {
		return e, err
	}
	if err = openAssessment(e, at); err != nil {
		return e, err
	}
	e.defenders = routeDefender(e)
	return e, nil
}

// Close ends what runs in the background and removes what was stored. The
// handlers must not be used after that.
func (e *Emulator) Close() error {
	var errs []error
	if e.faults != nil {
		errs = append(errs, e.faults.Close())
	}
	if e.kusto != nil { // before the engine, which it calls
		errs = append(errs, e.kusto.close())
	}
	if e.engine != nil {
		errs = append(errs, e.engine.Close())
	}
	for _, path := range e.leftovers {
		errs = append(errs, os.RemoveAll(path))
	}
	if e.ownDir {
		errs = append(errs, os.RemoveAll(e.o.Dir))
	}
	return errors.Join(errs...)
}

// Endpoints says where the services are and how to sign in.
func (e *Emulator) Endpoints() Ready { return e.ready }

// Tenant is the source of the data: advance its days, or move its rows. Of several tenants it is
// the first one.
func (e *Emulator) Tenant() Tenant { return Tenant{e.tenants.home(), e.tenants} }

// Tenants are all tenants, in the order of the options.
func (e *Emulator) Tenants() []Tenant {
	list := make([]Tenant, len(e.tenants.list))
	for i, o := range e.tenants.list {
		list[i] = Tenant{o, e.tenants}
	}
	return list
}

// Faults are the rules that disturb the services; there are none at first.
func (e *Emulator) Faults() *faults.Set { return e.faults }

// Entra issues and verifies tokens.
func (e *Emulator) Entra() *entra.Server { return e.entra }

// verify checks a token for a service, and lets a fault call it expired or revoke it.
func (e *Emulator) verify(ctx context.Context, token string, audiences ...string) (entra.Claims, error) {
	if faults.TokenExpired(ctx) {
		return entra.Claims{}, entra.ErrExpired
	}
	if faults.TokenRevoked(ctx) {
		e.entra.Revoke(token)
	}
	return e.entra.Verify(token, audiences...)
}
