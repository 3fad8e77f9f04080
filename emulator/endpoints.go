package emulator

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/url"
)

// Ready is all that a program needs to use a running emulator: the addresses of the
// services, and ids and secrets to sign in with. URLs have no slash at the end. Its
// JSON is the line that the emulator prints as a process.
type Ready struct {
	Graph        string `json:"graph"`     // base URL of Microsoft Graph
	XDR          string `json:"xdr"`       // base URL of the Defender XDR API
	MDE          string `json:"mde"`       // base URL of the Defender for Endpoint API
	Authority    string `json:"authority"` // the value for AZURE_AUTHORITY_HOST
	TenantID     string `json:"tenantId"`  // of the first tenant
	ClientID     string `json:"clientId"`  // may hunt, and is user and ingestor of the database
	ClientSecret string `json:"clientSecret"`
	Kusto        string `json:"kusto"`    // cluster URI
	Ingest       string `json:"ingest"`   // ingestion URI
	Database     string `json:"database"` // the database that is there; in an Eventhouse, the name that people see
	CA           string `json:"ca"`       // file with the certificate to trust; "" without sockets
	Control      string `json:"control"`  // base URL of the control API
	Lake         string `json:"lake"`     // URL of a blob container that ClientID may write to

	// Of an Eventhouse alone: the engine's name of the database, a GUID, and the URIs in
	// the form of Fabric. On sockets their names end in localhost, which not every
	// machine resolves; Kusto and Ingest lead to the same services.
	DatabaseID          string `json:"databaseId,omitempty"`
	QueryServiceURI     string `json:"queryServiceUri,omitempty"`
	IngestionServiceURI string `json:"ingestionServiceUri,omitempty"`

	// Of several tenants alone: the tenant in which the applications are registered, whose
	// identities have rights in the databases. It is the first tenant.
	HomeTenantID string        `json:"homeTenantId,omitempty"`
	Tenants      []ReadyTenant `json:"tenants"`

	AdminClientID     string `json:"adminClientId"` // administers the database
	AdminClientSecret string `json:"adminClientSecret"`

	// Other ways to sign in as ClientID: files, "" without sockets.
	Certificate        string `json:"certificate"`        // PEM with private key and chain
	ExpiredCertificate string `json:"expiredCertificate"` // registered as well, and refused
	FederatedToken     string `json:"federatedToken"`     // the value for AZURE_FEDERATED_TOKEN_FILE

	// Managed identities, which may do what ClientID may: the system-assigned one,
	// and a user-assigned one by its three ids.
	IMDS               string `json:"imds"`             // the value for AZURE_POD_IDENTITY_AUTHORITY_HOST
	IdentityEndpoint   string `json:"identityEndpoint"` // the value for IDENTITY_ENDPOINT, App Service's form
	IdentityHeader     string `json:"identityHeader"`   // and IDENTITY_HEADER
	IdentityClientID   string `json:"identityClientId"`
	IdentityObjectID   string `json:"identityObjectId"`
	IdentityResourceID string `json:"identityResourceId"`
}

// ReadyTenant is a tenant of a running emulator.
type ReadyTenant struct {
	Name      string `json:"name"`
	TenantID  string `json:"tenantId"`
	Database  string `json:"database"`
	Devices   int    `json:"devices"`
	Consented bool   `json:"consented"` // to the application ClientID
	// Kusto and Ingest are the addresses of a cluster of its own; "" if the tenant has none.
	Kusto  string `json:"kusto,omitempty"`
	Ingest string `json:"ingest,omitempty"`
}

// homeTenant is the tenant of the applications, "" if there is one tenant only.
func homeTenant(o Options) string {
	if len(o.Tenants) == 1 {
		return ""
	}
	return o.TenantID
}

// readyTenants are all tenants as they are now.
func readyTenants(e *Emulator) []ReadyTenant {
	list := make([]ReadyTenant, len(e.tenants.list))
	for i, o := range e.tenants.list {
		list[i] = ReadyTenant{
			Name: o.Name, TenantID: o.ID, Database: o.Database, Devices: cmp.Or(o.Devices, DefaultDevices),
			Consented: consented(e, o),
		}
		if o.cluster != nil {
			list[i].Kusto, list[i].Ingest = o.cluster.kusto, o.cluster.ingest
		}
	}
	return list
}

// addresses are the base URLs at which the services are reached.
type addresses struct {
	graph, xdr, mde, authority, control string
	identity                            string // of the machine's identities
	kusto, ingest                       string
	query, ingestion                    string               // the URIs that Fabric shows; "" for Azure Data Explorer
	own                                 map[string][2]string // URIs of clusters and of their ingestion, by name of the tenant
	storage                             string               // host of storage URLs, as datamanagement.NewAccounts takes it
}

// publicEndpoints are the addresses of an emulator without sockets: those of the
// real services, so that a program needs no configuration but a transport.
func publicEndpoints() addresses {
	return addresses{
		graph:     "https://graph.microsoft.com",
		xdr:       "https://api.security.microsoft.com",
		mde:       "https://api.securitycenter.microsoft.com",
		authority: "https://login.microsoftonline.com",
		identity:  "http://169.254.169.254",
		control:   "https://control.localhost" + controlPath,
		kusto:     "https://emulator.kusto.windows.net",
		ingest:    "https://ingest-emulator.kusto.windows.net",
		storage:   hostForm + publicStorage,
	}
}

// publicEventhouse are the addresses of an Eventhouse without sockets.
func publicEventhouse(tenantID string) addresses {
	at := publicEndpoints()
	host := fabricHost(tenantID) + ".kusto.fabric.microsoft.com"
	at.kusto, at.ingest = "https://"+host, "https://ingest-"+host
	at.query, at.ingestion = at.kusto, at.ingest
	return at
}

// eventhouse adds the URIs of an Eventhouse to addresses on listeners. The cluster's
// listener answers for both names.
func (a addresses) eventhouse(tenantID string) addresses {
	if u, err := url.Parse(a.kusto); err == nil {
		host := fabricHost(tenantID) + ".localhost:" + u.Port()
		a.query, a.ingestion = "https://"+host, "https://ingest-"+host
	}
	return a
}

// fabricHost is the beginning of the host of an Eventhouse, as Fabric makes it:
// trd-, a hash, and a zone
// (https://learn.microsoft.com/rest/api/fabric/kqldatabase/items/get-kql-database).
func fabricHost(tenantID string) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(tenantID))
	hash := make([]byte, 18)
	for i := range hash {
		hash[i] = digits[int(sum[i])%len(digits)]
	}
	return fmt.Sprintf("trd-%s.z%d", hash, sum[18]%10)
}

// publicStorage is what the hosts of storage accounts end in.
const publicStorage = "core.windows.net"

// loopbackEndpoints are the addresses on four listeners. The services of the
// Defender side share one: their paths differ.
func loopbackEndpoints(defender, kusto, ingest, storage string) addresses {
	base := "https://" + defender
	return addresses{
		graph: base, xdr: base, mde: base, authority: base, identity: base, control: base + controlPath,
		kusto: "https://" + kusto, ingest: "https://" + ingest, storage: storage,
	}
}

// controlPath is where the control API is.
const controlPath = "/control"
