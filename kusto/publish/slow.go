package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/policy"
)

// slowAfter is how long a run waits for batches before it asks which batching
// policy holds them.
const slowAfter = time.Minute

// defaultBatching is how long the service gathers blobs where no policy is set
// (https://learn.microsoft.com/kusto/management/batching-policy).
const defaultBatching = 5 * time.Minute

// ourBatching is the time of the policy that init sets, [kql.LandingBatching].
const ourBatching = 30 * time.Second

// slow says that a batching policy delays the batches of a run, if it is a
// slower one than init sets. It asks once per run, after a minute of waiting.
func (c *Arrivals) slow(ctx context.Context, run tvmexport.Run) string {
	c.mu.Lock()
	w := c.counted[run.Table.Name]
	ask := w != nil && w.run == run.ID && !w.askedSlow && time.Since(w.since) >= slowAfter
	if ask {
		w.askedSlow = true
	}
	known := ""
	if w != nil && w.run == run.ID {
		known = w.slow
	}
	c.mu.Unlock()
	if !ask {
		return known
	}
	known = c.batching(ctx, run.Table)
	c.mu.Lock()
	defer c.mu.Unlock()
	w.slow = known
	return known
}

// batching returns the active batching policy of a landing table if it is slower
// than ours. It returns "" also if the policy cannot be read, since it is only an
// explanation.
func (c *Arrivals) batching(ctx context.Context, t tvmexport.Table) string {
	of, wait := "no batching policy is set at the table or its database, and the service's own default", defaultBatching
	for _, entity := range []string{"table " + kql.Ident(t.Landing()), "database " + kql.Ident(c.conn.Database)} {
		text, err := c.policy.Text(ctx, conn.Statement{Op: "confirm", Table: t.Name, Idempotent: true, Text: fmt.Sprintf(".show %s policy ingestionbatching", entity)})
		if err != nil {
			c.conn.Log.InfoContext(ctx, "kusto: the batching policy cannot be read", "error", err)
			return ""
		}
		if text == "" {
			continue
		}
		var set struct{ MaximumBatchingTimeSpan string }
		if json.Unmarshal([]byte(text), &set) != nil {
			return ""
		}
		d, ok := policy.Span(set.MaximumBatchingTimeSpan)
		if !ok {
			return ""
		}
		of, wait = "the batching policy of "+entity, d
		break
	}
	if wait <= ourBatching {
		return ""
	}
	return fmt.Sprintf("%s collects blobs for up to %s; this command shortens it: .alter table %s policy ingestionbatching %s",
		of, wait, kql.Ident(t.Landing()), kql.Literal(kql.LandingBatching))
}
