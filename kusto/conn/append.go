package conn

import "context"

// AppendOnce sends a command that appends rows at most once for its key (see
// [kql.Guarded]). wrote says that this call appended rows. If it is false, the key
// was taken, or the query had no rows. The answer lists the extents that were made,
// with their RowCount
// (https://learn.microsoft.com/kusto/management/data-ingestion/ingest-from-query).
// No page says whether an append of no rows makes an empty extent, so rows count.
func (c *Conn) AppendOnce(ctx context.Context, op, table, text string) (wrote bool, err error) {
	rows, err := c.Command(ctx, Statement{Op: op, Table: table, Text: text, Idempotent: true})
	for _, row := range rows {
		r := &Reader{row: row}
		if n := r.Long("RowCount"); n > 0 || r.Err != nil { // an extent of an unknown size may have rows
			wrote = true
		}
	}
	return wrote, err
}
