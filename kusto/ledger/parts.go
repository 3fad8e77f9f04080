package ledger

import (
	"sync"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/policy"
	"github.com/tvmexport/tvmexport/kusto/views"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// Parts are what the parts of the ledger are made with.
type Parts struct {
	Conn    *conn.Conn
	Visible *visibility.Checker
	Policy  *policy.Reader
	Version string // of the program, written with the number of the stored shape
}

// Ledger reads and writes the rows of runs. It remembers, for each table,
// which runs a published table does not hold. It is safe for concurrent use.
type Ledger struct {
	conn    *conn.Conn
	visible *visibility.Checker
	policy  *policy.Reader
	version string

	mu    sync.Mutex
	lacks map[string]views.MissingRuns // by source table

	partitioned map[string]tvmexport.RunID // by source table: the last run whose partitions this process has written
}

// New makes a ledger. Nothing is sent before the first call.
func New(p Parts) *Ledger {
	return &Ledger{conn: p.Conn, visible: p.Visible, policy: p.Policy, version: p.Version, lacks: map[string]views.MissingRuns{}, partitioned: map[string]tvmexport.RunID{}}
}

// Invocations keeps leases and ends of invocations. It is safe for concurrent use.
type Invocations struct {
	conn    *conn.Conn
	version string
}

// NewInvocations makes it. Nothing is sent before the first call.
func NewInvocations(p Parts) *Invocations { return &Invocations{conn: p.Conn, version: p.Version} }

// Configuration reads and completes the table MigrationConfiguration. It is safe
// for concurrent use.
type Configuration struct {
	conn    *conn.Conn
	visible *visibility.Checker
}

// NewConfiguration makes it. Nothing is sent before the first call.
func NewConfiguration(p Parts) *Configuration {
	return &Configuration{conn: p.Conn, visible: p.Visible}
}

// Reports reads what people look at: status, recent runs, audit. It writes
// nothing and is safe for concurrent use.
type Reports struct {
	conn          *conn.Conn
	visible       *visibility.Checker
	configuration *Configuration
	ledger        *Ledger
	invocations   *Invocations
}

// NewReports makes it of the parts that it reads by.
func NewReports(l *Ledger, c *Configuration, i *Invocations) *Reports {
	return &Reports{conn: l.conn, visible: l.visible, configuration: c, ledger: l, invocations: i}
}
