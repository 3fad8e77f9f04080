package lake

import (
	"context"
	"log/slog"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/store"
)

// Options are what a Client is made of.
type Options struct {
	Store     store.Store
	Retention time.Duration // of removed files and of commits: how far back readers can look; 0 is DefaultRetention
	Version   string        // of the program
	Logger    *slog.Logger  // nil: nothing is logged
}

// DefaultRetention is how far back readers can look.
const DefaultRetention = 730 * 24 * time.Hour

// Client is a tvmexport.Destination in a folder.
type Client struct {
	folder        *folder
	ledger        *ledger
	invocations   *invocations
	configuration *configuration
	landing       *landing
	publisher     *publisher
	reader        *reader
}

var (
	_ tvmexport.Destination    = (*Client)(nil)
	_ tvmexport.SchemaSyncer   = (*Client)(nil)
	_ tvmexport.LateRowCounter = (*Client)(nil)
	_ tvmexport.StateCounter   = (*Client)(nil)
)

// New returns a client of a folder. It reads and writes nothing.
func New(o Options) *Client {
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	f := newFolder(o)
	c := &Client{folder: f, ledger: &ledger{f}, configuration: &configuration{f}, landing: &landing{f}, reader: &reader{f}}
	c.invocations = &invocations{folder: f, ledger: c.ledger, configuration: c.configuration, locks: &locks{store: o.Store, held: map[string]func() error{}}}
	c.publisher = &publisher{folder: f, ledger: c.ledger, landing: c.landing, reader: c.reader}
	return c
}

// Close releases the locks of invocations that have not ended.
func (c *Client) Close() error { return c.invocations.locks.unlockAll() }

// Orders implements tvmexport.Orders.
func (c *Client) Orders(ctx context.Context) ([]tvmexport.Order, error) {
	return c.configuration.orders(ctx)
}

// Acquire implements tvmexport.Leases.
func (c *Client) Acquire(ctx context.Context, l tvmexport.Lease) (map[string]tvmexport.LeaseHolder, error) {
	return c.invocations.acquire(ctx, l)
}

// QuotaUsage implements tvmexport.Leases.
func (c *Client) QuotaUsage(ctx context.Context, owner string) ([]tvmexport.QuotaUsage, error) {
	return c.invocations.quotaUsage(ctx, owner)
}

// PendingAudits implements tvmexport.Ledger.
func (c *Client) PendingAudits(ctx context.Context, owner string) ([]tvmexport.InvocationEnd, error) {
	return c.invocations.pendingAudits(ctx, owner)
}

// EndInvocation implements tvmexport.Ledger.
func (c *Client) EndInvocation(ctx context.Context, e tvmexport.InvocationEnd) error {
	err := c.invocations.end(ctx, e)
	if len(e.Outcomes) > 0 && tvmexport.CodeOf(err) != tvmexport.NewerShape {
		if _, serr := c.WriteScript(ctx); serr != nil {
			c.folder.log.WarnContext(ctx, "lake: "+ScriptName+" was not written", "error", serr)
		}
	}
	return err
}

// History implements tvmexport.Ledger.
func (c *Client) History(ctx context.Context, tables []tvmexport.Table) (map[string]tvmexport.History, error) {
	return c.ledger.history(ctx, tables, c.configuration)
}

// OrphanedBatches implements tvmexport.Ledger.
func (c *Client) OrphanedBatches(ctx context.Context, tables []tvmexport.Table, of map[string]tvmexport.History, since time.Time) (map[string][]tvmexport.OrphanedBatch, error) {
	return c.landing.orphans(ctx, tables, of, since)
}

// Land implements tvmexport.Sink.
func (c *Client) Land(ctx context.Context, b tvmexport.Batch) error { return c.landing.land(ctx, b) }

// Landed implements tvmexport.Sink.
func (c *Client) Landed(ctx context.Context, run tvmexport.Run) (tvmexport.Delivery, error) {
	return c.landing.landed(ctx, run)
}

// Publish implements tvmexport.Sink.
func (c *Client) Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	return c.publisher.publish(ctx, p)
}

// Commit implements tvmexport.Sink.
func (c *Client) Commit(ctx context.Context, m tvmexport.Commit) error {
	return c.publisher.commit(ctx, m)
}

// SyncSchema implements tvmexport.SchemaSyncer.
func (c *Client) SyncSchema(ctx context.Context, t tvmexport.Table) ([]string, error) {
	return c.folder.syncSchema(ctx, t)
}

// HourlyCounts implements tvmexport.LateRowCounter.
func (c *Client) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	return c.reader.hourlyCounts(ctx, t, w)
}

// CountMissing implements tvmexport.LateRowCounter.
func (c *Client) CountMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return c.publisher.countMissing(ctx, run, late)
}

// State implements tvmexport.StateCounter.
func (c *Client) State(ctx context.Context, q tvmexport.CountQuery) ([]tvmexport.Count, error) {
	return c.reader.state(ctx, q)
}
