package kusto

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// clearLanding empties a landing table after a commit: what is in it was
// published, or belongs to a run that cannot publish any more. It is a
// courtesy that needs the role of the table's administrator; without it,
// retention does the same within days.
func (c *Client) clearLanding(ctx context.Context, t tvmexport.Table) {
	c.mu.Lock()
	refused := c.uncleared
	c.mu.Unlock()
	if refused {
		return
	}
	_, err := c.command(ctx, statement{op: "clear", table: t.Name, text: fmt.Sprintf(".clear table %s data", ident(t.Landing()))})
	if err == nil {
		return
	}
	c.log.InfoContext(ctx, "kusto: the landing table was not cleared, its retention will", "table", t.Name, "error", err)
	if tvmexport.CauseOf(err) == tvmexport.Permission {
		c.mu.Lock()
		c.uncleared = true
		c.mu.Unlock()
	}
}
