package publish

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// Backfill implements tvmexport.Backfiller. The rows of each run are rebuilt in
// another table, the bench, and counted there. One command then replaces them in the
// typed table: see [replacement].
func (c *Backfiller) Backfill(ctx context.Context, t tvmexport.Table) (tvmexport.Backfilled, error) {
	var out tvmexport.Backfilled
	if err := conn.CheckNames(t); err != nil {
		return out, err
	}
	if err := c.visible.SeesAllNow(ctx, "refill", t.Name, kql.RunsTable, t.Destination, t.Typed()); err != nil {
		return out, err
	}
	raw, err := c.conn.Columns(ctx, t.Destination)
	if err != nil {
		return out, err
	}
	typed, err := c.conn.Columns(ctx, t.Typed())
	if err != nil {
		return out, err
	}
	if !views.HasLineage(raw) || views.Payload(raw) == "" {
		return out, conn.RefusedError("refill", t.Name, fmt.Errorf("rows of table %s do not carry their record, run and partition", t.Destination), "only runs in a table that tvmexport created can be rebuilt")
	}
	runs, err := c.refillable(ctx, t)
	if err != nil {
		return out, err
	}
	if err := c.makeBench(ctx, t, typed); err != nil {
		return out, err
	}
	for _, r := range runs {
		if r.have != r.rows {
			out.Short++
			continue
		}
		if err := c.refillRun(ctx, t, r, raw, typed); err != nil {
			return out, err
		}
		out.Runs++
		out.Rows += r.rows
	}
	_, err = c.conn.Command(ctx, conn.Statement{Op: "refill", Table: t.Name, Idempotent: true, Text: fmt.Sprintf(".drop table %s ifexists", kql.Ident(bench(t)))})
	return out, err
}

// bench returns the table in which a run's rows are rebuilt.
func bench(t tvmexport.Table) string { return t.Refilling() }

// makeBench makes the bench like the typed table. It removes what an earlier
// backfill left.
func (c *Backfiller) makeBench(ctx context.Context, t tvmexport.Table, typed []kql.Column) error {
	for _, text := range []string{
		fmt.Sprintf(".drop table %s ifexists", kql.Ident(bench(t))),
		fmt.Sprintf(".create-merge table %s (%s) with (folder = %s)", kql.Ident(bench(t)), kql.Declaration(typed), kql.Literal(kql.Folder)),
	} {
		if _, err := c.conn.Command(ctx, conn.Statement{Op: "refill", Table: t.Name, Text: text, Idempotent: true}); err != nil {
			return err
		}
	}
	return nil
}

// past is a committed run, and how many of its rows Raw still holds.
type past struct {
	run        tvmexport.RunID
	rows, have int64
}

func (c *Backfiller) refillable(ctx context.Context, t tvmexport.Table) ([]past, error) {
	s := conn.Statement{Op: "refill", Table: t.Name, Text: refillableText(t)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) past {
		return past{tvmexport.RunID(r.Text("RunId")), r.Count("Rows"), r.Count("Have")}
	})
}

func refillableText(t tvmexport.Table) string {
	return fmt.Sprintf(`%s
| where Table == %s and State == %s and Rows > 0 and isnotempty(RunId)
| summarize Rows = max(Rows), At = max(At) by RunId
| join kind=leftouter (%s | summarize Have = count() by RunId) on RunId
| order by At asc
| project RunId, Rows, Have = coalesce(Have, 0)`, kql.RunsTable, kql.Literal(t.Name), kql.Literal(kql.CommittedState), kql.Ident(t.Destination))
}
