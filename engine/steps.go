package engine

import (
	"context"
	"time"

	"github.com/tvmexport/tvmexport"
)

// engine carries out the steps of a run in this process.
type engine struct {
	source      func(table string) tvmexport.Source
	counts      *countQueue
	destination tvmexport.Destination
	compress    Compressor
	hooks       *tvmexport.Hooks
	calls       chan struct{} // one token per call under way, over all tables
	patience    Patience
	limits      tvmexport.Limits
	owner       string // the invocation
	grace       *gracePeriod
}

// Patience bounds what the engine waits for.
type Patience struct {
	Landing  time.Duration // for a batch to land; 0 is 15 minutes
	Attempts int           // at one call whose answer is cut off or corrupt; 0 is 4
}

func (p Patience) landing() time.Duration {
	if p.Landing == 0 {
		return 15 * time.Minute
	}
	return p.Landing
}

func (p Patience) attempts() int {
	if p.Attempts == 0 {
		return 4
	}
	return p.Attempts
}

// Count implements Steps.
func (e *engine) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	if r, ok := e.counts.count(ctx, q); ok {
		return r.Counts, r.Err
	}
	if err := e.enter(ctx); err != nil {
		return tvmexport.Counts{}, err
	}
	defer e.leave()
	return checkedCount(ctx, e.source(q.Table.Name), q)
}

// call makes a call when one more may be under way.
func (e *engine) call(ctx context.Context, call func()) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	call()
	return nil
}

// History implements TableSteps.
func (e *engine) History(ctx context.Context, t tvmexport.Table) (tvmexport.History, error) {
	h, err := e.destination.History(ctx, []tvmexport.Table{t})
	return h[t.Name], err
}

// Schema implements TableSteps.
func (e *engine) Schema(ctx context.Context, table string) (columns []tvmexport.Column, told bool, err error) {
	all, err := e.source(table).Schemas(ctx, []string{table})
	columns, told = all[table]
	return columns, told, err
}

// CheckLanding implements TableSteps.
func (e *engine) CheckLanding(ctx context.Context, t tvmexport.Table) error {
	return checkLanding(ctx, e.destination, t)
}

// List implements Steps.
func (e *engine) List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	if err := e.enter(ctx); err != nil {
		return tvmexport.Listing{}, err
	}
	defer e.leave()
	return checkedListing(ctx, e.source(t.Name), t)
}

// SyncSchema implements Steps.
func (e *engine) SyncSchema(ctx context.Context, t tvmexport.Table) ([]string, error) {
	return syncSchema(ctx, e.destination, t)
}

func (e *engine) enter(ctx context.Context) error {
	select {
	case e.calls <- struct{}{}:
		if ctx.Err() != nil { // select chooses at random
			e.leave()
			return context.Cause(ctx)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *engine) leave() { <-e.calls }

// sleep waits for d or the end of ctx. It is a copy of internal/wait, because the
// engine imports the root package and x/sync only.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// TableSteps are the steps of a table's run.
type TableSteps interface {
	Steps
	// History reads what the destination remembers of a table now.
	History(ctx context.Context, t tvmexport.Table) (tvmexport.History, error)
	// Schema asks the source for the columns of a table. told is false if the source
	// does not return them.
	Schema(ctx context.Context, table string) (columns []tvmexport.Column, told bool, err error)
	// CheckLanding checks, before the first row lands, that rows land as they are.
	CheckLanding(ctx context.Context, t tvmexport.Table) error
}

// Steps are what a run is made of. Their inputs and outputs are plain values,
// and each can be repeated. The flow drives them and knows neither goroutines
// nor a network; an engine executes them.
type Steps interface {
	PlanSteps
	DeliverySteps
}

// PlanSteps are the steps that lead to a plan.
type PlanSteps interface {
	// SyncSchema makes what readers use fit the columns that the table shows.
	SyncSchema(ctx context.Context, t tvmexport.Table) (changes []string, err error)
	// Count asks the source how rows are spread.
	Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error)
	// List asks a source that lists units for those of the table's newest state.
	List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error)
	// HourlyCounts asks the destination what readers see, by hour of the watermark.
	HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error)
}

// DeliverySteps are the steps that carry rows from the source to readers.
type DeliverySteps interface {
	// FetchAndLand asks for each slice and lands its rows as a batch. The
	// outcomes come in the order of the inputs. An error ends the run.
	FetchAndLand(ctx context.Context, in []FetchInput) ([]FetchOutcome, error)
	// Confirm waits until the batches have landed completely.
	Confirm(ctx context.Context, in ConfirmInput) (ConfirmOutcome, error)
	// CountMissing counts the rows of late batches that readers do not see.
	CountMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error)
	Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error)
	Commit(ctx context.Context, c tvmexport.Commit) error
}
