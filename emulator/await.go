package emulator

import (
	"context"
	"fmt"
)

// AwaitIngestion returns when queued ingestion is done with every message that
// clients had put into its queues by the call: ingested, skipped, failed for good, or
// lost by a fault. Retries and late deliveries are waited for. The error is that of
// ctx, with what is still open.
func (e *Emulator) AwaitIngestion(ctx context.Context) error {
	queued := e.kusto.accounts.Stats().Messages
	for {
		settled, changed := e.kusto.dataManagement.Settled(queued)
		if settled {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			done := e.kusto.dataManagement.Stats()
			return fmt.Errorf("emulator: wait for queued ingestion: %d messages were queued, %d received; %d blobs ingested, %d failed: %w",
				queued, done.Messages, done.Blobs, done.Failed, context.Cause(ctx))
		}
	}
}
