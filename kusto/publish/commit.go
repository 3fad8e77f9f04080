package publish

import (
	"context"

	"github.com/tvmexport/tvmexport"
)

// Commit implements tvmexport.Destination.
func (c *Publisher) Commit(ctx context.Context, m tvmexport.Commit) error {
	if err := c.ledger.Commit(ctx, m); err != nil {
		return err
	}
	c.arrivals.forgetBatches(m.Run.Table)
	c.clearLanding(ctx, m.Run)
	return nil
}
