package tvmexport

import "time"

// Lease is the claim of one invocation of the exporter on tables. Its row in
// the ledger is also how others know that the invocation took place, should it
// never be able to say how it ended.
type Lease struct {
	Owner      string // names the invocation; unique
	Tables     []Table
	Term       time.Duration
	QuotaUsage QuotaUsage // of the source's quota so far
}

// InvocationEnd is how an invocation ended.
type InvocationEnd struct {
	Owner      string
	Tables     []Table // leases to be given back
	Outcomes   []Outcome
	QuotaUsage QuotaUsage
}

// Outcome is how a table's run ended, for the audit.
type Outcome struct {
	Table     string
	Into      string        // published table as configured; "": the destination finds it
	Run       RunID         // "" where no run began
	Err       error         // nil: success
	Rows      int64         // newly published and committed by the invocation
	Watermark time.Time     // to be copied to the configuration; zero: the run followed none, and Began is copied
	Began     time.Time     // by the destination's clock; a configuration row written since is an order that the copy must not hide; zero: not known
	At        time.Time     // end, by the exporter's clock
	Took      time.Duration // without the wait for its turn among the tables
}

// QuotaUsage is what an invocation has used of the tenant's quota, so that the
// next one, on another machine, does not begin by breaking the same limit.
// Times are of the clock of the process that holds the value.
type QuotaUsage struct {
	Calls  []CallCount // of the last hour
	Paused time.Time   // the service asked for no calls before; zero or past: it did not
	// Endpoints have quotas of their own, and a name that no other API uses. Their calls
	// are not among Calls, and they have no Endpoints themselves.
	Endpoints map[string]QuotaUsage
}

// CallCount is how many calls were made in a minute, or a shorter time, that ended At.
type CallCount struct {
	At    time.Time
	Calls int
}
