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
	ids, err := c.operations.extentsWhere(ctx, op, about, from, which)
	if err != nil {
		return err
	}
	return c.dropExtents(ctx, op, about, from, ids)
}

func (c *Publisher) dropExtents(ctx context.Context, op, about, from string, ids []string) error {
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
