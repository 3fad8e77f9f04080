package kusto

import (
	"context"

	"github.com/tvmexport/tvmexport"
)

// Fit implements tvmexport.Destination.
func (c *Client) Fit(context.Context, tvmexport.Table) ([]string, error) { return nil, nil }
