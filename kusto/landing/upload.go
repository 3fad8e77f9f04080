package landing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/Azure/azure-kusto-go/azkustoingest"
	"github.com/Azure/azure-kusto-go/azkustoingest/ingestoptions"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

const (
	landAttempts = 4
	landTime     = 10 * time.Minute // one attempt; the SDK's own repetitions included
)

// Land uploads a batch and queues it. The batch goes as multijson: a blob
// with one corrupt line fails as a whole and says so in .show ingestion
// failures, where json would skip the line silently
// (https://learn.microsoft.com/azure/data-explorer/ingest-invalid-data). Either
// way the count decides. The message does not ask for an immediate flush: the
// landing table's batching policy decides when, and batches that are ingested
// together make fewer extents.
func (q *Queue) Land(ctx context.Context, b tvmexport.Batch) error { return q.upload(ctx, b) }

// LandNow is Land, but the service does not wait for further batches.
func (q *Queue) LandNow(ctx context.Context, b tvmexport.Batch) error {
	return q.upload(ctx, b, azkustoingest.FlushImmediately())
}

func (q *Queue) upload(ctx context.Context, b tvmexport.Batch, more ...azkustoingest.FileOption) error {
	table := b.Run.Table
	select {
	case q.uploads <- struct{}{}:
		defer func() { <-q.uploads }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for attempt, page := 1, false; ; attempt++ {
		queue, err := q.OpenQueue(ctx, table.Name)
		if err != nil {
			return err
		}
		err = q.enqueue(ctx, queue, b, more)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failed := conn.Translate("land", table.Name, q.conn.Intake, err)
		again := page
		page = errors.As(err, new(*conn.StoragePage))
		if failed.Cause == tvmexport.Permission || attempt == landAttempts || page && again {
			failed.Err = fmt.Errorf("upload batch %s: %w", b.ID, failed.Err)
			return failed
		}
		// A fresh client has fresh resources: signatures expire and accounts move.
		q.discardQueue(queue)
		wait := conn.Backoff(attempt)
		q.conn.Log.InfoContext(ctx, "kusto: upload again", "batch", b.ID, "attempt", attempt, "in", wait, "error", failed.Err)
		if err := conn.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// enqueue uploads and queues once.
func (q *Queue) enqueue(ctx context.Context, queue ingestor, b tvmexport.Batch, more []azkustoingest.FileOption) error {
	if _, err := b.Data.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read batch %s from its start: %w", b.ID, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, landTime, conn.ErrSlow)
	defer cancel()
	ctx, mishap := conn.WithUploadFailure(ctx)
	data := &detachable{from: b.Data}
	done := make(chan error, 1)
	go func() {
		_, err := queue.FromReader(ctx, data, append([]azkustoingest.FileOption{
			azkustoingest.Table(b.Run.Table.Landing()),
			azkustoingest.IngestionMappingRef(kql.LandingMapping, azkustoingest.MultiJSON),
			azkustoingest.CompressionType(ingestoptions.GZIP),
			azkustoingest.RawDataSize(b.Bytes),
		}, more...)...)
		done <- err
	}()
	select {
	case err := <-done:
		return mishap.Explain(err)
	case <-ctx.Done():
		data.detach() // the SDK may still hold the reader; the batch's memory is about to be used again
		return context.Cause(ctx)
	}
}

// detachable is a reader that can be taken away from its user.
type detachable struct {
	mu   sync.Mutex
	from io.ReadSeeker // nil once detached
}

var errDetached = errors.New("the upload was abandoned")

// Read implements io.Reader.
func (d *detachable) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.from == nil {
		return 0, errDetached
	}
	return d.from.Read(p)
}

// Seek implements io.Seeker.
func (d *detachable) Seek(offset int64, whence int) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.from == nil {
		return 0, errDetached
	}
	return d.from.Seek(offset, whence)
}

// detach returns when no read is under way and none will be.
func (d *detachable) detach() {
	d.mu.Lock()
	d.from = nil
	d.mu.Unlock()
}
