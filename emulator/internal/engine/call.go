package engine

import (
	"iter"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Principal is who calls: an application of a tenant.
type Principal struct {
	ObjectID string // of the service principal
	AppID    string // client id of the application
	TenantID string
	Name     string // display name, may be empty
}

// FQN is the principal's fully qualified name, aadapp=<appid>;<tenant>.
func (p Principal) FQN() string {
	if p.AppID == "" {
		return ""
	}
	return "aadapp=" + p.AppID + ";" + p.TenantID
}

// Call is one request: a query, or a management command that begins with a dot.
type Call struct {
	Principal       Principal
	Database        string            // the default database of the text
	Text            string            // the csl
	ClientRequestID string            // x-ms-client-request-id
	ActivityID      string            // x-ms-activity-id, a guid
	Options         map[string]any    // request properties, as decoded JSON: servertimeout, notruncation, ...
	Parameters      map[string]string // values of declare query_parameters

	// Unrestricted lets a query see all rows, including those that policies hide.
	// It is for callers that inspect the engine from outside.
	Unrestricted bool
}

// Result is the answer to a Call: at least one table. Rows stream: they are
// computed while they are read, and reading them may end with an error.
type Result struct {
	Tables  []ResultTable
	Queried bool // a query gave the tables, also one behind a command
}

// ResultTable is one table of a Result.
type ResultTable struct {
	Name    string // "PrimaryResult" for a query's, "Table_0" for a command's
	Columns []value.Column
	// Rows may be read once. A row is valid until the next iteration only. An
	// error ends the sequence and is a *Error unless the context ended.
	Rows iter.Seq2[[]value.Value, error]
	// Warnings are sentences about what the query left out, such as
	// "Failed to resolve entity 'T'".
	Warnings []string
}
