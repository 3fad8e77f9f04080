package publish

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// extentsPerDrop keeps the command's text small: an id has 36 characters.
const extentsPerDrop = 500

// drop removes those extents of a table that which, a tail of .show table
// extents, leaves over. The ids are asked for first: naming extents and table
// needs the role of the table's administrator, while the form that takes a query
// needs the database's
// (https://learn.microsoft.com/kusto/management/drop-extents).
func (c *Publisher) drop(ctx context.Context, op, about, from, which string) error {
	s := conn.Statement{Op: op, Table: about, Idempotent: true, Text: fmt.Sprintf(".show table %s extents %s | project Id = tostring(ExtentId)", kql.Ident(from), which)}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return err
	}
	ids, err := conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Text("Id") })
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, extentsPerDrop) {
		if _, err := c.conn.Command(ctx, conn.Statement{
			Op: op, Table: about, Idempotent: true,
			Text: fmt.Sprintf(".drop extents (%s) from %s", strings.Join(part, ", "), kql.Ident(from)),
		}); err != nil {
			return err
		}
	}
	return nil
}
