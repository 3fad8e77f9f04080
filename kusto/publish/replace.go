package publish

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// mostReplaced is how many rows one command can delete
// (https://learn.microsoft.com/kusto/management/update-table-command).
const mostReplaced = 5_000_000

// replacement is the part of a run that one command replaces: all its rows, or, if
// one command cannot delete so many, those whose partitions fall into some buckets.
//
// The command deletes the rows from the typed table and moves the rebuilt ones from
// the bench into it, in one transaction. Its predicate matches rows only while the
// bench holds rebuilt rows with the replacement's own tag, and the command moves
// those only. So a command that the service executes late, or twice, changes
// nothing, also if a later refill uses the bench.
type replacement struct {
	table   tvmexport.Table
	run     tvmexport.RunID
	buckets []string
	rows    int64
	tag     string
}

// newReplacement makes it with a tag of its own.
func newReplacement(t tvmexport.Table, r past, b bucket) replacement {
	return replacement{table: t, run: r.run, buckets: b.names, rows: b.rows, tag: kql.RefillTag(rand.Text())}
}

// refillRun replaces the rows of a run in the typed table.
func (c *Backfiller) refillRun(ctx context.Context, t tvmexport.Table, r past, raw, typed []kql.Column) error {
	parts, err := c.parts(ctx, t, r)
	if err != nil {
		return err
	}
	for _, b := range parts {
		if err := c.replace(ctx, newReplacement(t, r, b), raw, typed); err != nil {
			return err
		}
	}
	s := conn.Statement{Op: "refill", Table: t.Name, Text: fmt.Sprintf("%s\n| where RunId == %s\n| summarize Rows = count()", kql.Ident(t.Typed()), kql.Literal(string(r.run)))}
	now, err := c.count(ctx, s)
	if err != nil {
		return err
	}
	if now != r.rows {
		return conn.RefusedError("refill", t.Name, fmt.Errorf("%s holds %d rows of run %s, of which the ledger says %d", t.Typed(), now, r.run, r.rows), "run tvmexport refill again")
	}
	return nil
}

func (c *Backfiller) count(ctx context.Context, s conn.Statement) (int64, error) {
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return 0, err
	}
	counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Count("Rows") })
	if err != nil || len(counts) == 0 {
		return 0, err
	}
	return counts[0], nil
}

// replace rebuilds the rows of a replacement in the bench, counts them, and carries
// the replacement out.
func (c *Backfiller) replace(ctx context.Context, p replacement, raw, typed []kql.Column) error {
	isIn := func(table string) finder {
		return func(ctx context.Context) (bool, error) {
			found, err := c.operations.extents(ctx, tvmexport.Run{ID: p.run, Table: p.table}, target{Table: table}, p.tag)
			return found.rows == p.rows, err
		}
	}
	isMade := isIn(bench(p.table))
	rebuild := conn.Statement{Op: "refill", Table: p.table.Name, Text: p.rebuildText(raw, typed), Idempotent: true, One: true}
	if err := c.operations.begin(ctx, rebuild, isMade); err != nil {
		return err
	}
	made, err := isMade(ctx)
	if err != nil {
		return err
	}
	if !made {
		return conn.RefusedError("refill", p.table.Name, fmt.Errorf("%s does not hold the %d rebuilt rows of run %s", bench(p.table), p.rows, p.run), "nothing was changed; run tvmexport refill again")
	}
	isMoved := isIn(p.table.Typed())
	doubt := c.operations.begin(ctx, conn.Statement{Op: "refill", Table: p.table.Name, One: true, Text: p.text()}, isMoved)
	if doubt != nil {
		// It may have been carried out all the same, or may be still.
		c.conn.Log.InfoContext(ctx, "kusto: the result of replacing a run's rows is uncertain", "table", p.table.Name, "run", p.run, "error", doubt)
		moved, err := c.operations.settled(ctx, p.table.Name, isMoved, 1)
		if err == nil && !moved {
			err = doubt
		}
		return err
	}
	moved, err := isMoved(ctx)
	if err != nil {
		return err
	}
	if !moved {
		return conn.RefusedError("refill", p.table.Name, fmt.Errorf("%s does not hold the %d rebuilt rows of run %s", p.table.Typed(), p.rows, p.run), "run tvmexport refill again")
	}
	return nil
}

// where selects the replacement's rows in the raw and in the typed table.
func (p replacement) where() string {
	text := "RunId == " + kql.Literal(string(p.run))
	if p.buckets != nil {
		text += fmt.Sprintf(" and %s in (%s)", bucketOf, kql.Literals(p.buckets))
	}
	return text
}

// rebuildText makes the rows in the bench, instead of what it held.
func (p replacement) rebuildText(raw, typed []kql.Column) string {
	values := views.TypedValues(tvmexport.Run{ID: p.run, Table: p.table}, typed, p.table.Visible())
	values["ExportedAt"] = kql.Expression{Kind: "datetime", Text: "ExportedAt"}
	if !slices.ContainsFunc(raw, func(c kql.Column) bool { return c.Name == "ExportedAt" }) {
		values["ExportedAt"] = kql.Expression{Kind: "datetime", Text: "datetime(null)"}
	}
	return fmt.Sprintf(".set-or-replace async %s with (tags = %s) <|\n%s\n| where %s\n| extend %s = %s\n| project %s",
		kql.Ident(bench(p.table)), kql.Tags(kql.RunTag(p.run), p.tag), kql.Ident(p.table.Destination), p.where(), views.ParsedRecord, kql.Ident(views.Payload(raw)), kql.Fill(typed, values))
}

// text is the command that replaces the rows.
func (p replacement) text() string {
	return fmt.Sprintf(".update async table %[1]s delete Old move %[2]s with (extentTagsToMove = %[3]s) <|\nlet Old = %[1]s\n| where %[4]s and RunId in (%[2]s | where extent_tags() has %[5]s | project RunId);",
		kql.Ident(p.table.Typed()), kql.Ident(bench(p.table)), kql.Tags(p.tag), p.where(), kql.Literal(p.tag))
}

// bucket is rows of a run that one command can replace, and the buckets that they
// fall into, nil for all.
type bucket struct {
	names []string
	rows  int64 // rebuilt
	old   int64 // in the typed table
}

// bucketOf divides a run. A row's partition is the same in the raw and in the typed table.
const bucketOf = "substring(hash_sha256(Partition), 0, 3)"

// parts divides the rows of a run for commands that each can replace their part.
func (c *Backfiller) parts(ctx context.Context, t tvmexport.Table, r past) ([]bucket, error) {
	if r.rows <= c.Most {
		return []bucket{{rows: r.rows}}, nil
	}
	s := conn.Statement{Op: "refill", Table: t.Name, Text: bucketsText(t, r.run)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	list, err := conn.ReadRows(s, rows, func(r *conn.Reader) bucket {
		return bucket{[]string{r.Text("Bucket")}, r.Count("Rows"), r.Count("Old")}
	})
	if err != nil {
		return nil, err
	}
	out, ok := pack(list, c.Most)
	if !ok {
		return nil, conn.RefusedError("refill", t.Name, fmt.Errorf("run %s has a partition of more than %d rows, and one command cannot replace more", r.run, c.Most), "leave the run as it is, or export its rows again: tvmexport run --full --table "+t.Name)
	}
	return out, nil
}

func bucketsText(t tvmexport.Table, run tvmexport.RunID) string {
	return fmt.Sprintf(`union (%s | project RunId, Partition, Is = 1), (%s | project RunId, Partition, Is = 0)
| where RunId == %s
| summarize Rows = countif(Is == 1), Old = countif(Is == 0) by Bucket = %s
| order by Bucket asc`, kql.Ident(t.Destination), kql.Ident(t.Typed()), kql.Literal(string(run)), bucketOf)
}

// pack joins buckets while most rows are not exceeded. ok is false if one exceeds them.
func pack(list []bucket, most int64) (out []bucket, ok bool) {
	for _, b := range list {
		if max(b.rows, b.old) > most {
			return nil, false
		}
		if n := len(out); n > 0 && max(out[n-1].rows+b.rows, out[n-1].old+b.old) <= most {
			last := &out[n-1]
			last.names, last.rows, last.old = append(last.names, b.names...), last.rows+b.rows, last.old+b.old
			continue
		}
		out = append(out, b)
	}
	return out, true
}
