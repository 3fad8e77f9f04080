package takeover

import (
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// Parts are what an importer is made with.
type Parts struct {
	Conn        *conn.Conn
	Visible     *visibility.Checker
	Ledger      *ledger.Ledger
	Invocations *ledger.Invocations
}

// Importer takes over the tables of older exporters. It is safe for concurrent use.
type Importer struct {
	conn        *conn.Conn
	visible     *visibility.Checker
	ledger      *ledger.Ledger
	invocations *ledger.Invocations
}

// New makes it. Nothing is sent before the first call.
func New(p Parts) *Importer {
	return &Importer{conn: p.Conn, visible: p.Visible, ledger: p.Ledger, invocations: p.Invocations}
}
