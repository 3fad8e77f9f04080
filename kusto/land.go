package kusto

import (
	"context"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
)

// Land implements tvmexport.Sink.
func (c *Client) Land(ctx context.Context, b tvmexport.Batch) error {
	if err := conn.CheckNames(b.Run.Table); err != nil {
		return err
	}
	return c.landing.Land(ctx, b)
}
