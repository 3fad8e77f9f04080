package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/gather"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// extents is what a published table holds of a run.
type extents struct {
	rows int64
	tags map[string]bool
}

func (e extents) has(key string) bool { return e.tags[kql.KeyTag(key)] }

// add adds extents that have these tags.
func (e *extents) add(rows int64, tags []string) {
	e.rows += rows
	for _, tag := range tags {
		e.tags[tag] = true
	}
}

// publishedIn counts, for each table, the rows that carry the run's tag. Extents with
// different drop-by tags are never merged, so that the tag marks the run's rows exactly
// (https://learn.microsoft.com/kusto/management/extent-tags).
func (c *operations) publishedIn(ctx context.Context, run tvmexport.Run, into []target) ([]extents, error) {
	out := make([]extents, len(into))
	g, ctx := errgroup.WithContext(ctx)
	for i, t := range into {
		g.Go(func() (err error) {
			out[i], err = c.published(ctx, run, t)
			return err
		})
	}
	return out, g.Wait()
}

// published is publishedIn for one table.
func (c *operations) published(ctx context.Context, run tvmexport.Run, t target) (extents, error) {
	return c.tags.Ask(ctx, tagged{about: run.Table.Name, table: t.Table, tag: kql.RunTag(run.ID)})
}

func (c *operations) extents(ctx context.Context, run tvmexport.Run, t target, tag string) (extents, error) {
	return c.tagged(ctx, tagged{about: run.Table.Name, table: t.Table, tag: tag})
}

// tagged is a question for the extents of a table that have a tag.
type tagged struct{ about, table, tag string }

func (q tagged) text() string { return extentsText(q.table, q.tag) }

func (c *operations) tagged(ctx context.Context, q tagged) (extents, error) {
	s := conn.Statement{Op: "publish", Table: q.about, Idempotent: true, Text: q.text()}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return extents{}, err
	}
	out := extents{tags: map[string]bool{}}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		out.add(r.Count("Rows"), strings.Fields(r.Text("Tags")))
		return struct{}{}
	})
	return out, err
}

// taggedTogether asks for the extents of several tables in one command.
func (c *operations) taggedTogether(ctx context.Context, list []tagged) []gather.Reply[extents] {
	found, err := readList[struct {
		Table, Tags string
		Rows        int64
	}](ctx, c.conn, conn.Statement{Op: "publish", Text: extentsOfMany(list)})
	if err != nil {
		return conn.FailedTogether[extents](err, "publish", len(list), func(i int) conn.Statement { return conn.Statement{Op: "publish", Table: list[i].about} })
	}
	out := make([]gather.Reply[extents], len(list))
	for i, q := range list {
		e := extents{tags: map[string]bool{}}
		for _, f := range found {
			if tags := strings.Fields(f.Tags); f.Table == q.table && slices.Contains(tags, q.tag) {
				e.add(f.Rows, tags)
			}
		}
		out[i] = gather.Done(e)
	}
	return out
}

// extentsText is the command that counts the rows of the extents with a tag, by
// their tags.
func extentsText(table, tag string) string {
	return fmt.Sprintf(".show table %s extents where tags has %s | summarize Rows = sum(RowCount) by Tags",
		kql.Ident(table), kql.Literal(tag))
}

// extentsOfMany is that command for several tables, each with a tag of its own. A
// filter of the command itself takes one tag.
func extentsOfMany(list []tagged) string {
	tables, tags := map[string]bool{}, map[string]bool{}
	var names, conditions []string
	for _, q := range list {
		if !tables[q.table] {
			tables[q.table] = true
			names = append(names, kql.Ident(q.table))
		}
		if !tags[q.tag] {
			tags[q.tag] = true
			conditions = append(conditions, "Tags contains_cs "+kql.Literal(q.tag))
		}
	}
	return fmt.Sprintf(".show tables (%s) extents | where %s | summarize Rows = sum(RowCount) by TableName, Tags%s",
		strings.Join(names, ", "), strings.Join(conditions, " or "), inOneRow("Table", "TableName", "Tags", "Tags", "Rows", "Rows"))
}

// inOneRow makes one row of all, which a cut cannot make shorter: answers to commands
// carry no count. The values come as pairs of a name and an expression.
func inOneRow(values ...string) string {
	var pairs []string
	for i := 0; i < len(values); i += 2 {
		pairs = append(pairs, kql.Literal(values[i])+", "+values[i+1])
	}
	return " | summarize Found = make_list(bag_pack(" + strings.Join(pairs, ", ") + "))"
}

// readList reads the answer to a command that ends with [inOneRow].
func readList[T any](ctx context.Context, to *conn.Conn, s conn.Statement) ([]T, error) {
	s.Idempotent, s.One = true, true
	rows, err := to.Command(ctx, s)
	if err != nil {
		return nil, err
	}
	lists, err := conn.ReadRows(s, rows, func(r *conn.Reader) []T {
		var list []T
		if text := r.Document("Found"); r.Err == nil {
			r.Fail("Found", json.Unmarshal(text, &list))
		}
		return list
	})
	if err != nil {
		return nil, err
	}
	return lists[0], nil
}

// landedBefore is a question for the extents of a landing table up to a time.
type landedBefore struct {
	about, table string
	until        time.Time
}

func (q landedBefore) text() string { return q.which() + kql.Ident(q.table) }

// which is the condition of the extents.
func (q landedBefore) which() string { return "MaxCreatedOn <= " + kql.Datetime(q.until) }

// olderExtents are the ids of such extents.
func (c *operations) olderExtents(ctx context.Context, q landedBefore) ([]string, error) {
	return c.extentsWhere(ctx, "clear", q.about, q.table, "| where "+q.which())
}

// extentsWhere are the ids of the extents of a table that which, a tail of .show table
// extents, leaves over.
func (c *operations) extentsWhere(ctx context.Context, op, about, table, which string) ([]string, error) {
	s := conn.Statement{Op: op, Table: about, Idempotent: true, Text: fmt.Sprintf(".show table %s extents %s | project Id = tostring(ExtentId)", kql.Ident(table), which)}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Text("Id") })
}

// olderTogether asks for those of several landing tables in one command.
func (c *operations) olderTogether(ctx context.Context, list []landedBefore) []gather.Reply[[]string] {
	found, err := readList[struct{ Table, Id string }](ctx, c.conn, conn.Statement{Op: "clear", Text: olderOfMany(list)})
	if err != nil {
		return conn.FailedTogether[[]string](err, "clear", len(list), func(i int) conn.Statement { return conn.Statement{Op: "clear", Table: list[i].about} })
	}
	out := make([]gather.Reply[[]string], len(list))
	for i, q := range list {
		if slices.ContainsFunc(list, func(o landedBefore) bool { return o.table == q.table && o != q }) {
			continue // the answer does not tell which time an extent is older than
		}
		var ids []string
		for _, f := range found {
			if f.Table == q.table {
				ids = append(ids, f.Id)
			}
		}
		out[i] = gather.Done(ids)
	}
	return out
}

// olderOfMany is the command for the ids of the extents of several landing tables, each
// up to its own time.
func olderOfMany(list []landedBefore) string {
	names, conditions := make([]string, len(list)), make([]string, len(list))
	for i, q := range list {
		names[i] = kql.Ident(q.table)
		conditions[i] = fmt.Sprintf("TableName == %s and %s", kql.Literal(q.table), q.which())
	}
	return fmt.Sprintf(".show tables (%s) extents | where %s%s",
		strings.Join(names, ", "), strings.Join(conditions, " or "), inOneRow("Table", "TableName", "Id", "tostring(ExtentId)"))
}
