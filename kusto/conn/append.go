package conn

import (
	"context"
	"strings"

	"github.com/Azure/azure-kusto-go/azkustodata/query"

	"github.com/tvmexport/tvmexport/internal/gather"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// AppendOnce sends a command that appends rows at most once for its key (see
// [kql.Guarded]). wrote says that this call appended rows. If it is false, the key
// was taken, or the query had no rows. The answer lists the extents that were made,
// with their RowCount
// (https://learn.microsoft.com/kusto/management/data-ingestion/ingest-from-query).
// No page says whether an append of no rows makes an empty extent, so rows count.
func (c *Conn) AppendOnce(ctx context.Context, op, table, text string) (wrote bool, err error) {
	rows, err := c.Command(ctx, Statement{Op: op, Table: table, Text: text, Idempotent: true})
	n, known := appended(rows)
	return n > 0 || !known, err
}

// appended is how many rows the extents have that a command made. known is false if
// an extent of an unknown size may have rows.
func appended(rows []query.Row) (n int64, known bool) {
	known = true
	for _, row := range rows {
		r := &Reader{row: row}
		n += max(r.Long("RowCount"), 0)
		known = known && r.Err == nil
	}
	return n, known
}

// Append is rows for a control table that are appended at most once for their key.
type Append struct {
	Op, Table string // the step and the table, for errors
	Into      string // the control table
	Key       string // of the guard
	Query     string // of the rows, without let statements
	Rows      int64  // how many the query has if all its conditions are true

	// Unless is a condition that is true when the rows exist already. The key says
	// the same; a joint command has several keys, and no page says of them more than
	// that one is enough to keep the command from being executed.
	Unless string
}

// Text is the command for these rows alone.
func (a Append) Text() string { return kql.Guarded(a.Into, a.Key, nil, a.Query) }

// Append is [Conn.AppendOnce] for rows that can share a command with those of other
// tables. The joint command has the keys of all as guards and as tags, so that the
// service executes it as a whole or not at all, and each row has its own condition.
// If the answer shows that all rows were written, each caller has written its own.
// Otherwise each sends its own command, whose guard decides as if there had been no
// joint one.
func (c *Conn) Append(ctx context.Context, a Append) (wrote bool, err error) {
	c.mu.Lock()
	g := c.appends[a.Into]
	if g == nil {
		g = NewGroup(c.AppendAlone, c.appendTogether, Append.Text)
		c.appends[a.Into] = g
	}
	c.mu.Unlock()
	return g.Ask(ctx, a)
}

// AppendAlone is [Conn.AppendOnce] for such rows.
func (c *Conn) AppendAlone(ctx context.Context, a Append) (bool, error) {
	return c.AppendOnce(ctx, a.Op, a.Table, a.Text())
}

func (c *Conn) appendTogether(ctx context.Context, list []Append) []gather.Reply[bool] {
	var want int64
	for _, a := range list {
		want += a.Rows
	}
	rows, err := c.Command(ctx, Statement{Op: list[0].Op, Text: jointAppend(list), Idempotent: true})
	if err != nil {
		return FailedTogether[bool](err, list[0].Op, len(list), func(i int) Statement { return Statement{Op: list[i].Op, Table: list[i].Table} })
	}
	replies := make([]gather.Reply[bool], len(list))
	if n, known := appended(rows); known && n == want {
		for i := range replies {
			replies[i] = gather.Done(true)
		}
	}
	return replies
}

// jointAppend is the command for the rows of all.
func jointAppend(list []Append) string {
	var keys, tags, queries []string
	for _, a := range list {
		keys, tags = append(keys, a.Key), append(tags, kql.KeyTag(a.Key))
		queries = append(queries, a.Query+"\n| where not("+a.Unless+")")
	}
	return kql.GuardedBy(list[0].Into, tags, keys, "union (\n"+strings.Join(queries, "\n), (\n")+"\n)")
}
