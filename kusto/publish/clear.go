package publish

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// clearLanding empties a landing table, after a commit, of what landed before
// the run's publication was claimed: it was published, or belongs to a run that
// cannot publish any more. What landed later may belong to a run based on this
// one, if this process was paused and another one committed for it. clearLanding
// is optional. It needs the role of the table's administrator; without it,
// retention removes the rows within days.
func (c *Publisher) clearLanding(ctx context.Context, run tvmexport.Run) {
	c.mu.Lock()
	refused := c.uncleared
	c.mu.Unlock()
	if refused {
		return
	}
	until, err := c.claimedAt(ctx, run)
	var ids []string
	if err == nil {
		ids, err = c.operations.older.Ask(ctx, landedBefore{about: run.Table.Name, table: run.Table.Landing(), until: until})
	}
	if err == nil {
		err = c.dropExtents(ctx, "clear", run.Table.Name, run.Table.Landing(), ids)
	}
	if err == nil {
		return
	}
	c.conn.Log.InfoContext(ctx, "kusto: the landing table was not cleared; its retention removes the rows", "table", run.Table.Name, "error", err)
	if tvmexport.CauseOf(err) == tvmexport.Permission {
		c.mu.Lock()
		c.uncleared = true
		c.mu.Unlock()
	}
}

// claimedAt is when the run's claim came into the ledger, by the service's
// clock, which is also that of extents. The zero time if it never did. A process that
// has read its own claim does not ask again.
func (c *Publisher) claimedAt(ctx context.Context, run tvmexport.Run) (time.Time, error) {
	c.mu.Lock()
	known := c.claims[run.Table.Name]
	c.mu.Unlock()
	if known.Run == run.ID {
		return known.Seen, nil
	}
	s := conn.Statement{Op: "clear", Table: run.Table.Name, Text: fmt.Sprintf(`%s
| where Table == %s and RunId == %s and State == %s
| summarize Since = min(coalesce(ingestion_time(), At))`, kql.RunsTable, kql.Literal(run.Table.Name), kql.Literal(string(run.ID)), kql.Literal(kql.PublishingState))}
	rows, err := c.conn.Ask(ctx, s)
	if err != nil {
		return time.Time{}, err
	}
	found, err := conn.ReadRows(s, rows, func(r *conn.Reader) time.Time { return r.Time("Since") })
	if err != nil || len(found) == 0 {
		return time.Time{}, err
	}
	return found[0], nil
}
