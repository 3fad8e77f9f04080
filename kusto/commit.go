package kusto

import (
	"context"

	"github.com/tvmexport/tvmexport"
)

// Commit implements tvmexport.Destination.
func (c *Client) Commit(ctx context.Context, m tvmexport.Commit) error {
	if err := c.ledger.Commit(ctx, m); err != nil {
		return err
	}
	c.mu.Lock()
	delete(c.counted, m.Run.Table.Name)
	c.mu.Unlock()
	c.clearLanding(ctx, m.Run)
	return nil
}
