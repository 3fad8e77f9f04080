package temporal

import (
	"context"

	"github.com/tvmexport/tvmexport/engine"
)

// Names that clients and workers of a cluster share. Runs that are under way
// depend on them.
const (
	// WorkflowName is the workflow that exports one tenant once. Its input is an
	// Order, its result an Outcome.
	WorkflowName = "ExportTenant"
	// Queue is the task queue of workflows and of the activities that make no
	// hunting calls.
	Queue = "tvmexport"
	// CallsQueue is the task queue of hunting calls. The server limits its rate for
	// each fairness key; the key is the name of the tenant.
	CallsQueue = "tvmexport-calls"
	// DeploymentName is the name of the worker deployment, whose versions are pinned
	// to the runs that began with them.
	DeploymentName = "tvmexport"
)

// Order is the input of a run: names only.
type Order struct {
	Tenant string   `json:"tenant"`           // in the configuration
	Tables []string `json:"tables,omitempty"` // by source name; empty: all active ones
	Full   bool     `json:"full,omitempty"`   // everything, also where a table is loaded incrementally

	Left *Left `json:"left,omitempty"` // set by a run that continues as new
}

// Left is what a run that continues as new hands on.
type Left struct {
	Tables []string       `json:"tables"` // not exported yet
	Done   []TableOutcome `json:"done"`
}

// Outcome is the result of a run: ids and counts only.
type Outcome struct {
	Tenant string         `json:"tenant"`
	Tables []TableOutcome `json:"tables"`
}

// TableOutcome is how the export of one table ended.
type TableOutcome struct {
	Table     string `json:"table"`
	Run       string `json:"run,omitempty"`
	Rows      int64  `json:"rows"`               // published
	TableRows int64  `json:"tableRows"`          // that readers see
	Finished  int64  `json:"finished,omitempty"` // rows of an earlier run whose publication was finished
	Calls     int    `json:"calls"`
	Slices    int    `json:"slices"`
	Cause     string `json:"cause,omitempty"` // of a failure, as the exit code names it; "" is committed
	Error     string `json:"error,omitempty"` // what failed; it names no row and no secret
}

// WorkflowID is the id of the runs of a tenant. The cluster runs one workflow of
// an id at a time.
func WorkflowID(tenant string) string { return "export/" + tenant }

// Tenants opens the tenants of a configuration.
type Tenants interface {
	// Exporter returns the exporter of a tenant by its name: source, destination and
	// settings. The same exporter serves many activities at once. Its calls do
	// not wait for a quota and are not repeated, because the cluster does both.
	Exporter(ctx context.Context, tenant string) (*engine.Exporter, error)
}
