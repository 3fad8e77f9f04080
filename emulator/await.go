package emulator

import (
	"context"
	"fmt"
)

// AwaitIngestion returns when queued ingestion is done with every message that
// clients had put into its queues before the call: ingested, skipped, failed
// permanently, or lost by a fault. It also waits for retries and late deliveries. The error is that of
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
