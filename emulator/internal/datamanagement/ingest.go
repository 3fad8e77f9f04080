package datamanagement

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/formats"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// maxAttempts is how often a blob is tried while its failures are transient.
const maxAttempts = 5

// target is where a batch goes and how its blobs are read.
type target struct {
	principal engine.Principal
	columns   []value.Column
	source    formats.Source
}

// ingest ingests a batch. Blobs that cannot be read are reported and left out, the
// others are committed together.
func (s *Service) ingest(b *batch) {
	rest := s.withoutTransient(b.deliveries)
	for len(rest) > 0 && s.ctx.Err() == nil {
		bad, err := s.load(rest)
		switch {
		case s.ctx.Err() != nil || err == nil:
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
	t, err := s.target(first.Message)
	if err != nil {
		return -1, err
	}
	r := &reading{s: s, batch: batch, target: t, bad: -1}
	p := first.Properties
	operation, activity := uuid.New(), uuid.New()
	result, err := s.o.Engine.Ingest(s.ctx, engine.Ingestion{
		Principal: t.principal, Database: first.Database, Table: first.Table, Rows: r.rows(s.ctx),
		Tags: p.Tags, IfNotExists: p.IfNotExists, CreationTime: p.CreationTime,
		OperationID: operation, ActivityID: activity.String(),
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
			s.reportSkipped(d, operation, activity)
			continue
		}
		if d.RetainBlob {
			s.o.Storage.ReleaseBlob(d.BlobPath)
		} else {
			s.o.Storage.DeleteBlob(d.BlobPath)
		}
		s.reportSuccess(d, operation, activity)
	}
	return -1, nil
}

// target checks who ingests, where to, and how. It is the same for all messages
// of a batch.
func (s *Service) target(m Message) (target, error) {
	principal, err := s.principalOf(m.Properties.Identity)
	if err != nil {
		return target{}, err
	}
	return s.targetFor(principal, m.Database, m.Table, m.Properties)
}

func (s *Service) targetFor(principal engine.Principal, database, table string, p Properties) (target, error) {
	t := target{principal: principal, source: formats.Source{Format: p.Format, IgnoreFirstRecord: p.IgnoreFirst}}
	if err := s.o.Engine.Authorize(principal, database, table, engine.Ingestor); err != nil {
		return t, err
	}
	kind := p.MappingType
	if kind == "" {
		kind = formats.KindOf(p.Format)
	}
	var err error
	switch {
	case p.MappingReference != "":
		t.source.HasMapping = true
		t.source.Mapping, err = s.o.Engine.Mapping(database, table, kind, p.MappingReference)
	case p.Mapping != "":
		t.source.HasMapping = true
		t.source.Mapping, err = formats.ParseMapping(formats.KindOf(kind), p.Mapping)
	}
	if err != nil {
		return t, err
	}
	if t.columns, err = s.o.Engine.TableColumns(database, table); err != nil {
		return t, err
	}
	if missing := t.source.Mapping.Missing(t.columns); len(missing) > 0 {
		if err := s.addColumns(database, table, missing); err != nil {
			return t, err
		}
		t.columns, err = s.o.Engine.TableColumns(database, table)
	}
	return t, err
}

// addColumns makes the columns that a mapping gives a data type for and that the
// table lacks (https://learn.microsoft.com/kusto/management/mappings).
func (s *Service) addColumns(database, table string, missing []value.Column) error {
	var list []string
	for _, c := range missing {
		list = append(list, fmt.Sprintf("%s:%v", quoted(c.Name), c.Kind))
	}
	result, err := s.o.Engine.Command(s.ctx, engine.Call{
		Principal: s.o.Admin, Database: database,
		Text: fmt.Sprintf(".alter-merge table %s (%s)", quoted(table), strings.Join(list, ", ")),
	})
	if err != nil {
		return err
	}
	for _, t := range result.Tables {
		for _, err := range t.Rows {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// quoted is a name as commands take any.
func quoted(name string) string {
	return `['` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + `']`
}

// reading is the rows of a batch on their way into the engine.
type reading struct {
	s      *Service
	batch  []*delivery
	target target
	bytes  int64 // as uploaded
	stats  formats.Stats
	bad    int // the blob that ended it, or -1
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
	b, err := r.s.openBlob(ctx, d)
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
