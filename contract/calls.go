package contract

import (
	"context"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// counter counts calls by method.
type counter struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counter) note(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[method]++
}

// calls counts, by method, what a Destination is asked for. It is a
// tvmexport.Wrapper: methods of abilities that the destination does not have are
// not called.
type calls struct {
	counter
	behind tvmexport.Destination
}

var (
	_ tvmexport.CompleteDestination = (*calls)(nil)
	_ tvmexport.Wrapper             = (*calls)(nil)
)

// Unwrap implements tvmexport.Wrapper.
func (c *calls) Unwrap() any { return c.behind }

// noted notes a call of an ability's method, and returns the ability.
func noted[T any](c *calls, method string) T {
	c.note(method)
	ability, _ := tvmexport.Ability[T](c.behind)
	return ability
}

func (c *calls) Orders(ctx context.Context) ([]tvmexport.Order, error) {
	return noted[tvmexport.Destination](c, "Orders").Orders(ctx)
}

func (c *calls) CheckTables(ctx context.Context, tables []tvmexport.Table) (map[string]error, error) {
	return noted[tvmexport.TableChecker](c, "CheckTables").CheckTables(ctx, tables)
}

func (c *calls) Acquire(ctx context.Context, l tvmexport.Lease) (map[string]tvmexport.LeaseHolder, error) {
	return noted[tvmexport.Destination](c, "Acquire").Acquire(ctx, l)
}

func (c *calls) QuotaUsage(ctx context.Context, owner string) ([]tvmexport.QuotaUsage, error) {
	return noted[tvmexport.Destination](c, "QuotaUsage").QuotaUsage(ctx, owner)
}

func (c *calls) PendingAudits(ctx context.Context, owner string) ([]tvmexport.InvocationEnd, error) {
	return noted[tvmexport.Destination](c, "PendingAudits").PendingAudits(ctx, owner)
}

func (c *calls) EndInvocation(ctx context.Context, f tvmexport.InvocationEnd) error {
	return noted[tvmexport.Destination](c, "EndInvocation").EndInvocation(ctx, f)
}

func (c *calls) History(ctx context.Context, tables []tvmexport.Table) (map[string]tvmexport.History, error) {
	return noted[tvmexport.Destination](c, "History").History(ctx, tables)
}

func (c *calls) OrphanedBatches(ctx context.Context, tables []tvmexport.Table, of map[string]tvmexport.History, since time.Time) (map[string][]tvmexport.OrphanedBatch, error) {
	return noted[tvmexport.Destination](c, "OrphanedBatches").OrphanedBatches(ctx, tables, of, since)
}

func (c *calls) Land(ctx context.Context, b tvmexport.Batch) error {
	return noted[tvmexport.Destination](c, "Land").Land(ctx, b)
}

func (c *calls) Landed(ctx context.Context, run tvmexport.Run) (tvmexport.Delivery, error) {
	return noted[tvmexport.Destination](c, "Landed").Landed(ctx, run)
}

func (c *calls) SyncSchema(ctx context.Context, t tvmexport.Table) ([]string, error) {
	return noted[tvmexport.SchemaSyncer](c, "SyncSchema").SyncSchema(ctx, t)
}

func (c *calls) Backfill(ctx context.Context, t tvmexport.Table) (tvmexport.Backfilled, error) {
	return noted[tvmexport.Backfiller](c, "Backfill").Backfill(ctx, t)
}

func (c *calls) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	return noted[tvmexport.LateRowCounter](c, "HourlyCounts").HourlyCounts(ctx, t, w)
}

func (c *calls) CountMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return noted[tvmexport.LateRowCounter](c, "CountMissing").CountMissing(ctx, run, late)
}

func (c *calls) Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	return noted[tvmexport.Destination](c, "Publish").Publish(ctx, p)
}

func (c *calls) Commit(ctx context.Context, m tvmexport.Commit) error {
	return noted[tvmexport.Destination](c, "Commit").Commit(ctx, m)
}

func (c *calls) State(ctx context.Context, q tvmexport.CountQuery) ([]tvmexport.Count, error) {
	return noted[tvmexport.StateCounter](c, "State").State(ctx, q)
}
