package kusto

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// checkLanding looks, before a publication is taken up again, whether what it
// has still to publish is in the landing table, which keeps rows for 14 days.
// If not, the publication is given up: a ledger row says so, its rows never
// become visible, and its base is free for another run.
func (c *Client) checkLanding(ctx context.Context, p tvmexport.Publication, b base, done extents) error {
	var open []tvmexport.BatchID
	var want int64
	for i, s := range p.Steps {
		if !done.has(b.key(i)) {
			open = append(open, s.Batches...)
			want += s.Rows
		}
	}
	if len(open) == 0 {
		return nil
	}
	s := statement{op: "publish", table: p.Run.Table.Name, text: remainingText(p.Run, open)}
	rows, err := c.query(ctx, s)
	if err != nil {
		return err
	}
	counts, err := readRows(s, rows, func(r *reader) int64 { return r.long("Count") })
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
	row := recordOf(p.Run, abandoned)
	row.rows = done.rows
	if _, err := c.append(ctx, "publish", p.Run.Table.Name, row.text(fmt.Sprintf("tvmexport-abandon:%s:%s", p.Run.Table.Name, p.Run.ID))); err != nil {
		return err
	}
	return &tvmexport.Error{
		Op: "publish", Table: p.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Unproven,
		Err: fmt.Errorf("run %s cannot be finished: %s holds %d of the %d rows that it has still to publish; it was given up",
			p.Run.ID, p.Run.Table.Landing(), have, want),
		Hint: "run again",
	}
}

func remainingText(run tvmexport.Run, batches []tvmexport.BatchID) string {
	return fmt.Sprintf(`%s
| where BatchId in (%s) and Line > 0 and isnotempty(Records)
| distinct BatchId, Line
| summarize Count = count()`, ident(run.Table.Landing()), literals(batches))
}
