package policy

import "github.com/tvmexport/tvmexport/kusto/conn"

// Reader reads policies of tables and of the database. It keeps nothing
// between calls and is safe for concurrent use.
type Reader struct{ conn *conn.Conn }

// New makes a reader. Nothing is sent before the first call.
func New(to *conn.Conn) *Reader { return &Reader{to} }
