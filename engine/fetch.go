package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// FetchInput is one call and the batch that its rows become.
type FetchInput struct {
	Run          tvmexport.Run
	Slice        tvmexport.Slice
	Batch        tvmexport.BatchID
	Fingerprints []tvmexport.Fingerprint // of the slice's partitions as planned; nil: not asked for
}

// FetchOutcome is what became of a FetchInput: a batch, or TooLarge.
type FetchOutcome struct {
	Batch    tvmexport.BatchInfo
	TooLarge bool  // the call cannot be answered in one piece; Why says how that showed
	Why      error // with TooLarge
	Bytes    int64 // of the answer's JSON
	Nulled   int64 // values of the answer that do not fit their type
	Calls    int
	Columns  []tvmexport.Column // that the answer declares
	Expired  bool               // the unit must be listed again first
	Next     []tvmexport.Unit   // that only this unit names
}

func (f *fetching) budget() int64 { return rowsPerCall(f.plan.Limits, f.budgetSize()) }

// budgetSize is the JSON size of a row by which calls are planned.
func (f *fetching) budgetSize() float64 {
	return cmp.Or(f.size, float64(f.plan.Run.Table.RowBytes), tvmexport.DefaultRowBytes)
}

// fetchAll asks for everything that was counted. It goes in rounds: the size
// of a row is learned from the answers, and what was too large comes back in
// smaller parts. Until the first answer has come, calls go one at a time, the
// smallest slice first.
func (f *fetching) fetchAll(ctx context.Context) error {
	f.lastAnswer = time.Now()
	for len(f.units) > 0 || len(f.ready) > 0 {
		next := f.ready
		f.ready = nil
		switch {
		case f.size > 0:
			cut := packSlices(f.plan.Run.Table, f.units, f.budget(), 0)
			next, f.units = append(next, cut.Slices...), nil
			if err := f.refineAll(ctx, cut.Large); err != nil {
				return err
			}
		case len(next) > 0:
			last := len(next) - 1
			next, f.ready = next[last:], next[:last:last]
		default:
			cut := packSlices(f.plan.Run.Table, f.units, f.budget(), 1)
			next, f.units = cut.Slices, cut.Rest
			if err := f.refineAll(ctx, cut.Large); err != nil {
				return err
			}
		}
		if err := f.fetchRound(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

func (f *fetching) refineAll(ctx context.Context, large []planUnit) error {
	for _, p := range large {
		finer, err := f.refine(ctx, p)
		if err != nil {
			return err
		}
		f.units = append(f.units, finer...)
	}
	return nil
}

func (f *fetching) fetchRound(ctx context.Context, slices []tvmexport.Slice) error {
	in := make([]FetchInput, len(slices))
	for i, s := range slices {
		f.next++
		s.Fingerprint = f.fingerprints != nil
		in[i] = FetchInput{
			Run: f.plan.Run, Slice: s, Batch: tvmexport.BatchID(fmt.Sprintf("%s.%04d", f.plan.Run.ID, f.next)), Fingerprints: f.printsOf(s),
		}
	}
	outcomes, err := f.steps.FetchAndLand(ctx, in)
	var shifted error
	var expired []tvmexport.Slice
	for i, o := range outcomes {
		f.progress.Calls += o.Calls
		f.progress.Bytes += o.Bytes
		f.progress.Nulled += o.Nulled
		switch {
		case o.TooLarge && shifted == nil:
			if err := f.split(ctx, slices[i], o.Why); err != nil {
				return err
			}
		case o.Expired:
			expired = append(expired, slices[i])
		case o.Batch.ID != "":
			shifted = cmp.Or(shifted, f.sameSchema(o.Columns))
			f.batches = append(f.batches, o.Batch)
			f.progress.Slices++
			f.lastAnswer, f.refusedInRow = time.Now(), 0
			shifted = cmp.Or(shifted, f.readUnit(o))
			if o.Batch.Rows > 0 {
				// The largest mean seen: a slice of longer rows than the average must still fit.
				f.size = max(f.size, float64(o.Bytes)/float64(o.Batch.Rows))
			}
		}
	}
	if err := cmp.Or(shifted, err); err != nil || len(expired) == 0 {
		return err
	}
	return f.listAgain(ctx, expired)
}

func (f *fetching) printsOf(s tvmexport.Slice) []tvmexport.Fingerprint {
	if f.fingerprints == nil {
		return nil
	}
	out := make([]tvmexport.Fingerprint, len(s.Partitions))
	for i, p := range s.Partitions {
		out[i] = f.fingerprints[p]
	}
	return out
}
