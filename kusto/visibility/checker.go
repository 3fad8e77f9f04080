package visibility

import "github.com/tvmexport/tvmexport/kusto/conn"

// Checker finds out whether policies hide rows of tables from this sign-in. It
// is safe for concurrent use.
type Checker struct {
	conn   *conn.Conn
	hiding hiding
}

// New makes a checker. Nothing is sent before the first call.
func New(to *conn.Conn) *Checker {
	return &Checker{conn: to, hiding: hiding{turn: make(chan struct{}, 1)}}
}
