package publish

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// Backfill implements tvmexport.Destination. Each run is rebuilt in a table of its
// own and counted there. One command then replaces the rows of the run in the
// typed table, so that readers see the run either before or after the rebuild,
// never both and never neither
// (https://learn.microsoft.com/kusto/management/replace-extents).
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

func (c *Backfiller) refillRun(ctx context.Context, t tvmexport.Table, r past, raw, typed []kql.Column) error {
	run := tvmexport.Run{ID: r.run, Table: t}
	isDone := func(ctx context.Context) (bool, error) {
		made, err := c.operations.published(ctx, run, target{Table: bench(t)})
		return made.rows == r.rows, err
	}
	if err := c.operations.begin(ctx, conn.Statement{Op: "refill", Table: t.Name, Text: refillText(t, r.run, raw, typed), Idempotent: true, One: true}, isDone); err != nil {
		return err
	}
	made, err := c.operations.published(ctx, run, target{Table: bench(t)})
	if err != nil {
		return err
	}
	if made.rows != r.rows {
		return conn.RefusedError("refill", t.Name, fmt.Errorf("%d rows of run %s were rebuilt, of %d", made.rows, r.run, r.rows), "nothing was changed; run tvmexport refill again")
	}
	doubt := c.operations.begin(ctx, conn.Statement{Op: "refill", Table: t.Name, One: true, Text: replaceText(t, r.run)}, nil)
	if doubt != nil {
		// It may have been carried out all the same: the count decides.
		c.conn.Log.InfoContext(ctx, "kusto: the result of replacing a run's rows is uncertain", "table", t.Name, "run", r.run, "error", doubt)
	}
	now, err := c.operations.published(ctx, run, target{Table: t.Typed()})
	if err != nil {
		return err
	}
	if now.rows != r.rows && doubt != nil {
		return doubt
	}
	if now.rows != r.rows {
		return conn.RefusedError("refill", t.Name, fmt.Errorf("%s holds %d rows of run %s, of which the ledger says %d", t.Typed(), now.rows, r.run, r.rows), "run tvmexport refill again")
	}
	return nil
}

// refillText rebuilds the rows of a run; they replace what the bench holds.
func refillText(t tvmexport.Table, run tvmexport.RunID, raw, typed []kql.Column) string {
	values := views.TypedValues(tvmexport.Run{ID: run, Table: t}, typed, t.Visible())
	values["ExportedAt"] = kql.Expression{Kind: "datetime", Text: "ExportedAt"}
	if _, ok := columnType(raw, "ExportedAt"); !ok {
		values["ExportedAt"] = kql.Expression{Kind: "datetime", Text: "datetime(null)"}
	}
	return fmt.Sprintf(".set-or-replace async %s with (tags = %s) <|\n%s\n| where RunId == %s\n| extend %s = %s\n| project %s",
		kql.Ident(bench(t)), kql.Tags(kql.RunTag(run)), kql.Ident(t.Destination), kql.Literal(string(run)), views.ParsedRecord, kql.Ident(views.Payload(raw)), kql.Fill(typed, values))
}

func columnType(columns []kql.Column, name string) (kind string, ok bool) {
	for _, c := range columns {
		if c.Name == name {
			return c.Kind, true
		}
	}
	return "", false
}

// replaceText replaces the run's extents in the typed table with those of the
// bench. The two dates are required; they exclude no extent, even if clocks
// differ.
func replaceText(t tvmexport.Table, run tvmexport.RunID) string {
	return fmt.Sprintf(".replace async extents in table %s with (extentCreatedOnFrom = datetime(2000-01-01), extentCreatedOnTo = %s) <|\n{ .show table %s extents where tags has %s },\n{ .show table %s extents }",
		kql.Ident(t.Typed()), "datetime(9999-12-31)", kql.Ident(t.Typed()), kql.Literal(kql.RunTag(run)), kql.Ident(bench(t)))
}
