package conn

import "context"

// AppendOnce sends a command that appends rows at most once for its key (see
// [kql.Guarded]). wrote says that this call appended the rows. If it is false,
// the key was taken, and the rows already exist. A command that skips
// returns no extents.
func (c *Conn) AppendOnce(ctx context.Context, op, table, text string) (wrote bool, err error) {
	rows, err := c.Command(ctx, Statement{Op: op, Table: table, Text: text, Idempotent: true})
	return len(rows) > 0, err
}
