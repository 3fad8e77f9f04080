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
	if m.Rows > 0 || m.Bytes > 0 { // else nothing was landed; what others left is for a later run, or for retention
		c.clearLanding(ctx, m.Run)
	}
	return nil
}
