package kusto

import (
	"context"
	"time"

	"github.com/tvmexport/tvmexport"
)

var (
	_ tvmexport.CompleteDestination = (*Client)(nil)
	_ tvmexport.LandingChecker      = (*Client)(nil)
)

// Orders implements tvmexport.Orders.
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

// PendingAudits implements tvmexport.Ledger.
func (c *Client) PendingAudits(ctx context.Context, owner string) ([]tvmexport.InvocationEnd, error) {
	return c.invocations.PendingAudits(ctx, owner)
}

// EndInvocation implements tvmexport.Ledger.
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

// Landed implements tvmexport.Sink.
func (c *Client) Landed(ctx context.Context, run tvmexport.Run) (tvmexport.Delivery, error) {
	return c.arrivals.Landed(ctx, run)
}

// Publish implements tvmexport.Sink.
func (c *Client) Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	return c.publisher.Publish(ctx, p)
}

// Commit implements tvmexport.Sink.
func (c *Client) Commit(ctx context.Context, m tvmexport.Commit) error {
	return c.publisher.Commit(ctx, m)
}

// CountMissing implements tvmexport.LateRowCounter.
func (c *Client) CountMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return c.publisher.CountMissing(ctx, run, late)
}

// HourlyCounts implements tvmexport.LateRowCounter.
func (c *Client) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	return c.observer.HourlyCounts(ctx, t, w)
}

// State implements tvmexport.StateCounter.
func (c *Client) State(ctx context.Context, q tvmexport.CountQuery) ([]tvmexport.Count, error) {
	return c.observer.State(ctx, q)
}

// Backfill implements tvmexport.Backfiller.
func (c *Client) Backfill(ctx context.Context, t tvmexport.Table) (tvmexport.Backfilled, error) {
	return c.backfill.Backfill(ctx, t)
}

// CheckTables implements tvmexport.TableChecker.
func (c *Client) CheckTables(ctx context.Context, tables []tvmexport.Table) (map[string]error, error) {
	return c.installer.CheckTables(ctx, tables)
}

// CheckObjects implements tvmexport.LandingChecker.
func (c *Client) CheckObjects(ctx context.Context, tables []tvmexport.Table) (map[string]error, error) {
	return c.installer.CheckObjects(ctx, tables)
}

// CheckLanding implements tvmexport.LandingChecker.
func (c *Client) CheckLanding(ctx context.Context, t tvmexport.Table) error {
	return c.installer.CheckLanding(ctx, t)
}

// SyncSchema implements tvmexport.SchemaSyncer.
func (c *Client) SyncSchema(ctx context.Context, t tvmexport.Table) ([]string, error) {
	return c.installer.SyncSchema(ctx, t)
}
