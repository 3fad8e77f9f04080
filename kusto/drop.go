package kusto

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/kusto/kql"
)

// extentsPerDrop keeps the command's text small: an id has 36 characters.
const extentsPerDrop = 500

// drop removes those extents of a table that which, a tail of .show table
// extents, leaves over. The ids are asked for first: naming extents and table
// needs the role of the table's administrator, while the form that takes a query
// needs the database's
// (https://learn.microsoft.com/kusto/management/drop-extents).
func (c *Client) drop(ctx context.Context, op, about, from, which string) error {
	s := statement{op: op, table: about, again: true, text: fmt.Sprintf(".show table %s extents %s | project Id = tostring(ExtentId)", kql.Ident(from), which)}
	rows, err := c.command(ctx, s)
	if err != nil {
		return err
	}
	ids, err := readRows(s, rows, func(r *reader) string { return r.text("Id") })
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, extentsPerDrop) {
		if _, err := c.command(ctx, statement{
			op: op, table: about, again: true,
			text: fmt.Sprintf(".drop extents (%s) from %s", strings.Join(part, ", "), kql.Ident(from)),
		}); err != nil {
			return err
		}
	}
	return nil
}
