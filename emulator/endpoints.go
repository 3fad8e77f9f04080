package emulator

// Ready says where a running emulator is and how to sign in: what a program that
// knows nothing but this needs. Its JSON is one line, the contract with whoever
// starts the emulator as a process.
type Ready struct {
	Graph        string `json:"graph"`     // base URL of Microsoft Graph
	XDR          string `json:"xdr"`       // base URL of the Defender XDR API
	MDE          string `json:"mde"`       // base URL of the Defender for Endpoint API
	Authority    string `json:"authority"` // what AZURE_AUTHORITY_HOST is to be
	TenantID     string `json:"tenantId"`
	ClientID     string `json:"clientId"` // may hunt, and is user and ingestor of the database
	ClientSecret string `json:"clientSecret"`
	Kusto        string `json:"kusto"`    // cluster URI
	Ingest       string `json:"ingest"`   // ingestion URI
	Database     string `json:"database"` // the database that is there
	CA           string `json:"ca"`       // file with the certificate to trust; "" without sockets
	Control      string `json:"control"`  // base URL of the control API

	AdminClientID     string `json:"adminClientId"` // administers the database
	AdminClientSecret string `json:"adminClientSecret"`
}
