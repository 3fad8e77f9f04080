package kusto

import (
	"context"
	"time"

	"github.com/tvmexport/tvmexport"
)

var _ tvmexport.CompleteDestination = (*Client)(nil)

// Orders implements tvmexport.OrderSource.
func (c *Client) Orders(ctx context.Context) ([]tvmexport.Order, error) {
	return c.configuration.Orders(ctx)
}

// Acquire implements tvmexport.Leases.
func (c *Client) Acquire(ctx context.Context, l tvmexport.Lease) (map[string]tvmexport.LeaseHolder, error) {
	return c.invocations.Acquire(ctx, l)
}

// QuotaUsage implements tvmexport.Leases.
func (c *Client) QuotaUsage(ctx context.Context, owner string) ([]tvmexport.QuotaUsage, error) {
	return c.invocations.QuotaUsage(ctx, owner)
}

// PendingAudits implements tvmexport.Leases.
func (c *Client) PendingAudits(ctx context.Context, owner string) ([]tvmexport.InvocationEnd, error) {
	return c.invocations.PendingAudits(ctx, owner)
}

// EndInvocation implements tvmexport.Leases.
func (c *Client) EndInvocation(ctx context.Context, e tvmexport.InvocationEnd) error {
	return c.invocations.EndInvocation(ctx, e)
}

// History implements tvmexport.Ledger.
func (c *Client) History(ctx context.Context, tables []tvmexport.Table) (map[string]tvmexport.History, error) {
	return c.ledger.History(ctx, tables)
}

// OrphanedBatches implements tvmexport.Ledger.
func (c *Client) OrphanedBatches(ctx context.Context, tables []tvmexport.Table, of map[string]tvmexport.History, since time.Time) (map[string][]tvmexport.OrphanedBatch, error) {
	return c.ledger.OrphanedBatches(ctx, tables, of, since)
}
