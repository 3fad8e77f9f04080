package datamanagement

import (
	"context"
	"iter"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/formats"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// maxAttempts is how often a blob is tried while its failures are transient.
const maxAttempts = 5

// ingest ingests a batch. Blobs that cannot be read are reported and left out, the
// others are committed together.
func (s *Service) ingest(b *batch) {
	rest := s.withoutTransient(b.deliveries)
	for len(rest) > 0 && s.work.ctx.Err() == nil {
		bad, err := s.load(rest)
		switch {
		case s.work.ctx.Err() != nil || err == nil:
			return
		case bad < 0:
			for _, d := range rest {
				s.fail(d, failureOf(err))
			}
			return
		}
		s.fail(rest[bad], failureOf(err))
		rest = append(rest[:bad:bad], rest[bad+1:]...)
	}
}

// withoutTransient fails the deliveries whose present attempt, or each, is to fail.
func (s *Service) withoutTransient(all []*delivery) []*delivery {
	var rest []*delivery
	for _, d := range all {
		if d.transient {
			s.fail(d, &Failure{Code: "General_AbandonedIngestion", Details: "The operation was abandoned; it is tried again."})
			continue
		}
		if d.failed {
			// https://learn.microsoft.com/kusto/management/ingestion-error-codes
			s.fail(d, &Failure{Code: "Stream_NoDataToIngest", Permanent: true, Details: "There was no data to ingest."})
			continue
		}
		rest = append(rest, d)
	}
	return rest
}

// load has the engine load a batch and reports it. Where one blob is at fault, bad
// is its place, otherwise -1.
func (s *Service) load(batch []*delivery) (bad int, err error) {
	first := batch[0]
	t, err := s.targets.of(first.Message)
	if err != nil {
		return -1, err
	}
	r := &reading{storage: s.o.Storage, batch: batch, target: t, bad: -1}
	p := first.Properties
	ids := newReportIDs()
	result, err := s.o.Engine.Ingest(s.work.ctx, engine.Ingestion{
		Principal: t.principal, Database: first.Database, Table: first.Table, Rows: r.rows(s.work.ctx),
		Tags: p.Tags, IfNotExists: p.IfNotExists, CreationTime: p.CreationTime,
		OperationID: ids.operation, ActivityID: ids.activity.String(),
	})
	if err != nil {
		return r.bad, err
	}
	s.count(func(x *Stats) {
		x.Batches++
		x.Rows += result.RowCount
		x.Bytes += r.bytes
		x.SkippedLines += r.stats.Skipped
		if result.Skipped {
			x.Skipped += int64(len(batch))
		} else {
			x.Blobs += int64(len(batch))
		}
	})
	for _, d := range batch {
		if result.Skipped {
			s.reports.skipped(d, ids)
			continue
		}
		if d.RetainBlob {
			s.o.Storage.ReleaseBlob(d.BlobPath)
		} else {
			s.o.Storage.DeleteBlob(d.BlobPath)
		}
		s.reports.succeeded(d, ids)
	}
	return -1, nil
}

// reading is the rows of a batch on their way into the engine.
type reading struct {
	storage Storage
	batch   []*delivery
	target  target
	bytes   int64 // as uploaded
	stats   formats.Stats
	bad     int // the blob that ended it, or -1
}

// rows are those of all blobs, one after the other.
func (r *reading) rows(ctx context.Context) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		for i, d := range r.batch {
			more, err := r.blob(ctx, d, yield)
			if err != nil {
				r.bad = i
				yield(nil, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// blob gives the rows of one blob; false if no more are wanted.
func (r *reading) blob(ctx context.Context, d *delivery, yield func([]value.Value, error) bool) (more bool, err error) {
	b, err := openBlob(ctx, r.storage, d)
	if err != nil {
		return false, err
	}
	defer func() {
		r.bytes += b.raw.n.Load()
		if closed := b.Close(); err == nil {
			err = closed
		}
	}()
	source := r.target.source
	source.Location, source.Stats = d.source(), &r.stats
	n := 0
	for row, err := range formats.Decode(b, source, r.target.columns) {
		if err != nil {
			return false, err
		}
		if n++; d.records > 0 && n > d.records {
			return true, nil
		}
		if !yield(row, nil) {
			return false, nil
		}
	}
	return true, nil
}
