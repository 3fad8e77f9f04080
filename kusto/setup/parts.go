package setup

import (
	"context"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/landing"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/policy"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// Parts are what an installer is made with.
type Parts struct {
	Conn          *conn.Conn
	Visible       *visibility.Checker
	Policy        *policy.Reader
	Ledger        *ledger.Ledger
	Invocations   *ledger.Invocations
	Configuration *ledger.Configuration
	Options       Options // as init was given, for what a run creates
}

// Installer creates tables, policies, mappings and functions, adapts them to the
// columns of the source, and checks them. It is safe for concurrent use.
type Installer struct {
	conn          *conn.Conn
	visible       *visibility.Checker
	policy        *policy.Reader
	ledger        *ledger.Ledger
	invocations   *ledger.Invocations
	configuration *ledger.Configuration
	setup         Options
}

// NewInstaller makes it. Nothing is sent before the first call.
func NewInstaller(p Parts) *Installer {
	return &Installer{conn: p.Conn, visible: p.Visible, policy: p.Policy, ledger: p.Ledger, invocations: p.Invocations, configuration: p.Configuration, setup: p.Options}
}

// Inspector answers what a check of the installation needs to know. It changes
// nothing.
type Inspector struct{ conn *conn.Conn }

// NewInspector makes it. Nothing is sent before the first call.
func NewInspector(to *conn.Conn) *Inspector { return &Inspector{to} }

// Prober ingests one test row end to end, into a table that it creates and drops.
type Prober struct {
	conn      *conn.Conn
	landing   *landing.Queue
	installer *Installer
	landed    func(context.Context, tvmexport.Run) (tvmexport.Delivery, error)
}

// NewProber makes it. Rows go through the queue; landed is [tvmexport.Sink]'s Landed,
// which counts them.
func NewProber(i *Installer, q *landing.Queue, landed func(context.Context, tvmexport.Run) (tvmexport.Delivery, error)) *Prober {
	return &Prober{conn: i.conn, landing: q, installer: i, landed: landed}
}
