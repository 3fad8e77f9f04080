package contract

import (
	"context"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// calls counts, by method, what a Destination is asked for.
type calls struct {
	tvmexport.Destination
	mu sync.Mutex
	of map[string]int
}

func (c *calls) note(method string) tvmexport.Destination {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[method]++
	return c.Destination
}

func (c *calls) Orders(ctx context.Context) ([]tvmexport.Order, error) {
	return c.note("Orders").Orders(ctx)
}

func (c *calls) CheckTables(ctx context.Context, tables []tvmexport.Table) (map[string]error, error) {
	return c.note("CheckTables").CheckTables(ctx, tables)
}

func (c *calls) Acquire(ctx context.Context, l tvmexport.Lease) (map[string]tvmexport.LeaseHolder, error) {
	return c.note("Acquire").Acquire(ctx, l)
}

func (c *calls) QuotaUsage(ctx context.Context, owner string) ([]tvmexport.QuotaUsage, error) {
	return c.note("QuotaUsage").QuotaUsage(ctx, owner)
}

func (c *calls) PendingAudits(ctx context.Context, owner string) ([]tvmexport.InvocationEnd, error) {
	return c.note("PendingAudits").PendingAudits(ctx, owner)
}

func (c *calls) EndInvocation(ctx context.Context, f tvmexport.InvocationEnd) error {
	return c.note("EndInvocation").EndInvocation(ctx, f)
}

func (c *calls) History(ctx context.Context, tables []tvmexport.Table) (map[string]tvmexport.History, error) {
	return c.note("History").History(ctx, tables)
}

func (c *calls) OrphanedBatches(ctx context.Context, tables []tvmexport.Table, of map[string]tvmexport.History, since time.Time) (map[string][]tvmexport.OrphanedBatch, error) {
	return c.note("OrphanedBatches").OrphanedBatches(ctx, tables, of, since)
}

func (c *calls) Land(ctx context.Context, b tvmexport.Batch) error {
	return c.note("Land").Land(ctx, b)
}

func (c *calls) Landed(ctx context.Context, run tvmexport.Run) (tvmexport.Delivery, error) {
	return c.note("Landed").Landed(ctx, run)
}

func (c *calls) SyncSchema(ctx context.Context, t tvmexport.Table) ([]string, error) {
	return c.note("SyncSchema").SyncSchema(ctx, t)
}

func (c *calls) Backfill(ctx context.Context, t tvmexport.Table) (tvmexport.Backfilled, error) {
	return c.note("Backfill").Backfill(ctx, t)
}

func (c *calls) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	return c.note("HourlyCounts").HourlyCounts(ctx, t, w)
}

func (c *calls) CountMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return c.note("CountMissing").CountMissing(ctx, run, late)
}

func (c *calls) Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	return c.note("Publish").Publish(ctx, p)
}

func (c *calls) Commit(ctx context.Context, m tvmexport.Commit) error {
	return c.note("Commit").Commit(ctx, m)
}

func (c *calls) State(ctx context.Context, q tvmexport.CountQuery) ([]tvmexport.Count, error) {
	return c.note("State").State(ctx, q)
}
