package lake

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/lake/parquet"
	"github.com/tvmexport/tvmexport/lake/store"
)

// copies counts equal rows: rows that are the same in the columns that readers see.
type copies struct {
	decoder *decoder
	hasher  *fingerprint.Hasher
	counts  map[fingerprint.Digest]int
}

func (c *copies) digest(row []parquet.Value) (fingerprint.Digest, error) {
	record, err := c.decoder.record(row)
	if err != nil {
		return fingerprint.Digest{}, err
	}
	return c.hasher.Row(record)
}

// take says whether the row is among the counted ones. Each of those answers once.
func (c *copies) take(row []parquet.Value) (bool, error) {
	d, err := c.digest(row)
	if err != nil || c.counts[d] == 0 {
		return false, err
	}
	c.counts[d]--
	return true, nil
}

// seen counts the rows that readers see in the windows of a publication's late steps.
func (f *filling) seen(ctx context.Context, x tvmexport.Publication) (*copies, error) {
	var windows []tvmexport.Window
	for _, s := range x.Steps {
		if s.Late != nil {
			windows = append(windows, *s.Late)
		}
	}
	return f.to.copiesOf(ctx, x.Run.Table, f.run.Shown, windows)
}

func (p *publisher) copiesOf(ctx context.Context, t tvmexport.Table, shown []tvmexport.Column, windows []tvmexport.Window) (*copies, error) {
	columns := tvmexport.NameableColumns(shown)
	s, err := p.snapshot(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	d, rows, err := p.reader.records(ctx, t.Name, s, columns)
	if err != nil {
		return nil, err
	}
	c := &copies{decoder: d, hasher: fingerprint.NewHasher(columns, ""), counts: map[fingerprint.Digest]int{}}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		at, _ := d.moment(t.Watermark, row)
		held := t.Watermark == tvmexport.IngestionTime
		for _, w := range windows {
			held = held || within(w, at)
		}
		if !held {
			continue
		}
		digest, err := c.digest(row)
		if err != nil {
			return nil, p.fail("read", t.Name, t.Name, err)
		}
		c.counts[digest]++
	}
	return c, nil
}

// countMissing implements tvmexport.LateRowCounter.
func (p *publisher) countMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	out := map[tvmexport.BatchID]int64{}
	if len(late) == 0 {
		return out, nil
	}
	table := run.Table.Name
	if err := checkName("confirm", table); err != nil {
		return nil, err
	}
	var windows []tvmexport.Window
	for _, b := range late {
		windows = append(windows, b.Slice.Window)
	}
	shown := run.Table.Visible()
	c, err := p.copiesOf(ctx, run.Table, shown, windows)
	if err != nil {
		return nil, err
	}
	list, err := p.landing.batches(ctx, table, "")
	if err != nil {
		return nil, err
	}
	landed := map[tvmexport.BatchID]landedBatch{}
	for _, b := range list {
		landed[b.Batch] = b
	}
	e := newEncoder(c.decoder.layout)
	for _, b := range late {
		file, ok := landed[b.ID]
		if !ok {
			return nil, p.fail("confirm", landingFolder(table, run.ID)+string(b.ID), table, fmt.Errorf("the batch is gone: %w", store.ErrNotFound))
		}
		o, err := p.store.Open(ctx, file.File, store.Range{})
		if err != nil {
			return nil, err
		}
		out[b.ID] = 0
		err = eachLine(o.Body, func(line landedLine) error {
			if line.number == 0 {
				return nil
			}
			row, err := e.row(line.record)
			if err != nil {
				return err
			}
			there, err := c.take(row)
			if err == nil && !there {
				out[b.ID]++
			}
			return err
		})
		o.Body.Close()
		if err != nil {
			return nil, p.fail("confirm", file.File, table, err)
		}
	}
	return out, nil
}
