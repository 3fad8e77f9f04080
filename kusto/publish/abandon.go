package publish

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

// checkLanding looks, before a publication is taken up again, whether what it
// has still to publish is in the landing table, which keeps rows for 14 days.
// If not, the publication is given up: a ledger row says so, its rows never
// become visible, and its base is free for another run.
//
// Late steps are not looked at: which of their rows are wanted is decided by
// the command, and the count of what was published tells if any were missing.
func (c *Publisher) checkLanding(ctx context.Context, p tvmexport.Publication, b base, into []target, done []extents) error {
	var open []tvmexport.BatchID
	var want int64
	most := int64(0)
	for i, s := range p.Steps {
		if s.Late == nil && lacksStep(into, done, b, i) {
			open = append(open, s.Batches...)
			want += s.Rows
		}
	}
	for _, d := range done {
		most = max(most, d.rows)
	}
	if len(open) == 0 {
		return nil
	}
	s := conn.Statement{Op: "publish", Table: p.Run.Table.Name, Text: remainingText(p.Run, open)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return err
	}
	counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Long("Count") })
	if err != nil {
		return err
	}
	var have int64
	for _, n := range counts {
		have += n
	}
	if have == want {
		return nil
	}
	return c.giveUp(ctx, p.Run, into, most, fmt.Errorf("%s holds %d of the %d rows that it has still to publish", p.Run.Table.Landing(), have, want))
}

// giveUp ends a publication that cannot be finished: a ledger row says so, its
// rows never become visible and are dropped where that is allowed, and its
// base is free for another run.
func (c *Publisher) giveUp(ctx context.Context, run tvmexport.Run, into []target, published int64, why error) error {
	row := ledger.RecordOf(run, kql.AbandonedState)
	row.Rows = published
	if _, err := c.conn.AppendOnce(ctx, "publish", run.Table.Name, row.Text(fmt.Sprintf("tvmexport-abandon:%s:%s", run.Table.Name, run.ID))); err != nil {
		return err
	}
	// No row is dropped of a run that counts: a late commit may have come first.
	committed, err := c.ledger.IsCommitted(ctx, run.Table.Name, run.ID)
	if err != nil {
		return err
	}
	if committed {
		return &tvmexport.Error{
			Op: "publish", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.LeaseHeld,
			Err:  fmt.Errorf("run %s: %w: the service has executed its commit late", run.ID, tvmexport.ErrSuperseded),
			Hint: "run again: the next run builds on what that one published",
		}
	}
	for _, t := range into {
		if err := c.drop(ctx, "publish", run.Table.Name, t.Table, "where tags has "+kql.Literal(kql.RunTag(run.ID))); err != nil {
			c.conn.Log.WarnContext(ctx, "kusto: rows of an abandoned run stay in the published table; readers do not see them", "table", t.Table, "run", run.ID, "rows", published, "error", err)
		}
	}
	return &tvmexport.Error{
		Op: "publish", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
		Err:  fmt.Errorf("run %s cannot be finished: %w; it was abandoned", run.ID, why),
		Hint: "run again",
	}
}

// lacksStep says whether one of the tables has not got a step yet.
func lacksStep(into []target, done []extents, b base, step int) bool {
	for i, t := range into {
		if !done[i].has(t.key(b, step)) {
			return true
		}
	}
	return false
}

// remainingText is the query that counts the rows of batches that are still in
// the landing table.
func remainingText(run tvmexport.Run, batches []tvmexport.BatchID) string {
	return fmt.Sprintf(`%s
| where BatchId in (%s) and Line > 0 and not(%s)
| distinct BatchId, Line
| summarize Count = count()`, kql.Ident(run.Table.Landing()), kql.Literals(batches), kql.SpoiledRecord)
}
