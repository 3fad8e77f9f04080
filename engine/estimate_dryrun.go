package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// dryRun carries out the steps of a plan: it asks, and pretends that what
// would be fetched has come and landed.
type dryRun struct {
	source      func(table string) tvmexport.Source
	counts      *countQueue
	destination any     // of which the plan uses abilities only
	size        float64 // JSON bytes of a row
	envelope    int64   // JSON bytes of an answer without its rows
	calls       int     // to the source
	asked       int     // counts and listings, which follow one another; several tables may share a call
}

// SyncSchema implements Steps: it changes nothing, and says that a run would.
func (s *dryRun) SyncSchema(context.Context, tvmexport.Table) ([]string, error) {
	return nil, nil
}

// Count implements Steps.
func (s *dryRun) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	r, ok := s.counts.count(ctx, q)
	if !ok {
		r.Counts, r.Err = checkedCount(ctx, s.source(q.Table.Name), q)
	}
	s.calls += r.Calls
	s.asked++
	return r.Counts, r.Err
}

// List implements Steps.
func (s *dryRun) List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	l, err := checkedListing(ctx, s.source(t.Name), t)
	s.calls += l.Calls
	s.asked++
	return l, err
}

// HourlyCounts implements Steps.
func (s *dryRun) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	return hourlyCounts(ctx, s.destination, t, w)
}

// FetchAndLand implements Steps: every slice is answered by one call, with the
// rows that were counted.
func (s *dryRun) FetchAndLand(_ context.Context, in []FetchInput) ([]FetchOutcome, error) {
	out := make([]FetchOutcome, len(in))
	for i, f := range in {
		bytes := int64(float64(f.Slice.Rows)*s.size) + s.envelope
		out[i] = FetchOutcome{
			Batch: tvmexport.BatchInfo{ID: f.Batch, Slice: f.Slice, Rows: f.Slice.Rows, Bytes: bytes},
			Bytes: bytes, Calls: 1,
		}
	}
	return out, nil
}

var errDryRun = errors.New("a plan neither publishes nor commits")

// Confirm implements Steps.
func (s *dryRun) Confirm(context.Context, ConfirmInput) (ConfirmOutcome, error) {
	return ConfirmOutcome{}, errDryRun
}

// CountMissing implements Steps.
func (s *dryRun) CountMissing(context.Context, tvmexport.Run, []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return nil, errDryRun
}

// Publish implements Steps.
func (s *dryRun) Publish(context.Context, tvmexport.Publication) (tvmexport.Published, error) {
	return tvmexport.Published{}, errDryRun
}

// Commit implements Steps.
func (s *dryRun) Commit(context.Context, tvmexport.Commit) error { return errDryRun }

// sampleRows is how many rows a sample should have at least.
const sampleRows = 500

// sampleAll measures the samples of tables with one call, where the source can do
// that. What it does not measure is sampled table by table.
func (e *Exporter) sampleAll(ctx context.Context, list []*plannedRun) {
	sizer, ok := tvmexport.Ability[tvmexport.RowSizer](e.Source)
	if !ok {
		return
	}
	var asked []*plannedRun
	var samples []tvmexport.Slice
	for _, p := range list {
		if p == nil || p.sample.Rows == 0 {
			continue
		}
		if _, own := e.Sources[p.sample.Table.Name]; !own {
			asked, samples = append(asked, p), append(samples, p.sample)
		}
	}
	if len(asked) < 2 {
		return
	}
	sizes, calls, err := sizer.RowSizes(ctx, samples)
	asked[0].steps.calls += calls
	if err != nil {
		return
	}
	for i, p := range asked {
		if i < len(sizes) && sizes[i] > 0 {
			p.steps.size, p.sample = sizes[i], tvmexport.Slice{}
		}
	}
}

// sample asks for some rows and gives the mean size of one.
func (s *dryRun) sample(ctx context.Context, t tvmexport.Table, slice tvmexport.Slice) (float64, error) {
	source, ok := tvmexport.Ability[tvmexport.CountingSource](s.source(t.Name))
	if !ok {
		return 0, noCounts(t.Name)
	}
	a, err := source.Fetch(ctx, slice, discardRows{})
	s.calls += a.Calls
	if err != nil && tvmexport.ActionOf(err) == tvmexport.Stop {
		return 0, fmt.Errorf("sample of rows: %w", err)
	}
	if err != nil || a.Rows == 0 {
		return s.size, nil
	}
	return float64(max(a.Bytes-s.envelope, a.Rows)) / float64(a.Rows), nil
}

// sampleOf is a slice of some rows from all over a table: units of it that
// one call can ask for together. ok is false where that would be no small part.
func sampleOf(t tvmexport.Table, units []planUnit) (_ tvmexport.Slice, ok bool) {
	var filled []planUnit
	for _, p := range units {
		if p.Rows > 0 {
			filled = append(filled, p)
		}
	}
	if len(filled) == 0 {
		return tvmexport.Slice{}, false
	}
	const spread = 16 // places that the rows come from
	stride := max(len(filled)/spread, 1)
	slice := filled[stride/2].Slice(t)
	for i := stride/2 + stride; i < len(filled) && slice.Rows < sampleRows; i += stride {
		addUnit(&slice, filled[i])
	}
	if slice.Rows > 20*sampleRows {
		return tvmexport.Slice{}, false
	}
	return slice, true
}

// discardRows throws rows away.
type discardRows struct{}

func (discardRows) WriteRow(_, _ []byte) error { return nil }
