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
	Fingerprints tvmexport.Fingerprints // of the slice's partitions as planned; zero: not asked for
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
	Empty    bool               // the unit itself says that it has no rows
}

// fetcher fetches and lands what was planned. It learns from the answers: how
// large rows are, which calls are too large, which columns there are.
type fetcher struct {
	stage
	planned
	size         float64 // JSON bytes a row, the largest mean seen; 0 while unknown
	next         int     // ordinal of the next batch
	refusals     int     // answers that were too large
	lastAnswer   time.Time
	refusedInRow int                          // refusals since lastAnswer, or since the fetches began
	schema       []tvmexport.Column           // of the first answer
	oneKey       map[tvmexport.Partition]bool // partitions whose rows all have the same key

	open  unitList          // counted, not yet cut
	ready []tvmexport.Slice // cut, not yet asked for
	have  landed
}

func newFetcher(st stage, p planned) *fetcher {
	return &fetcher{stage: st, planned: p, size: p.RowBytes, oneKey: map[tvmexport.Partition]bool{}}
}

// fetch asks for units and slices, and returns what has landed with their rows.
// It goes in rounds: the size of a row is learned from the answers, and what was
// too large comes back in smaller parts. Until the first answer has come, calls
// go one at a time, the smallest slice first.
func (f *fetcher) fetch(ctx context.Context, have landed, units unitList, again []tvmexport.Slice) (landed, error) {
	f.have, f.open, f.ready = have, units, again
	f.lastAnswer = f.now()
	for !f.open.done() || len(f.ready) > 0 {
		next := f.ready
		f.ready = nil
		switch {
		case f.size > 0:
			cut := packSlices(f.Run.Table, f.open, f.budget(f.size), 0)
			next, f.open = append(next, cut.Slices...), unitList{}
			if err := f.refineAll(ctx, cut.Large); err != nil {
				return f.have, err
			}
		case len(next) > 0:
			last := len(next) - 1
			next, f.ready = next[last:], next[:last:last]
		default:
			cut := packSlices(f.Run.Table, f.open, f.budget(f.size), 1)
			next, f.open = cut.Slices, cut.Rest
			if err := f.refineAll(ctx, cut.Large); err != nil {
				return f.have, err
			}
		}
		if err := f.round(ctx, next); err != nil {
			return f.have, err
		}
	}
	return f.have, nil
}

func (f *fetcher) refineAll(ctx context.Context, large []planUnit) error {
	for _, p := range large {
		finer, err := f.refine(ctx, p)
		if err != nil {
			return err
		}
		f.open.more = append(f.open.more, finer...)
	}
	return nil
}

// round asks for slices at once, and takes in their outcomes.
func (f *fetcher) round(ctx context.Context, slices []tvmexport.Slice) error {
	in := make([]FetchInput, len(slices))
	for i, s := range slices {
		f.next++
		s.Fingerprint = f.fingerprints != nil
		in[i] = FetchInput{
			Run: f.Run, Slice: s, Batch: tvmexport.BatchID(fmt.Sprintf("%s.%04d", f.Run.ID, f.next)), Fingerprints: f.fingerprints.of(s.Partitions),
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
			shifted = cmp.Or(shifted, f.take(o))
		}
	}
	if err := cmp.Or(shifted, err); err != nil || len(expired) == 0 {
		return err
	}
	return f.listAgain(ctx, expired)
}

// take adds a batch that landed, and learns from its answer.
func (f *fetcher) take(o FetchOutcome) error {
	err := f.sameSchema(o.Columns)
	f.have.fetched = append(f.have.fetched, o.Batch)
	f.progress.Slices++
	f.lastAnswer, f.refusedInRow = f.now(), 0
	named, unreadable := f.walk.read(o)
	f.open.more = append(f.open.more, named...)
	if o.Batch.Rows > 0 {
		// The largest mean seen: a slice of longer rows than the average must still fit.
		f.size = max(f.size, float64(o.Bytes)/float64(o.Batch.Rows))
	}
	if err == nil && unreadable != nil {
		err = f.unreadable(unreadable)
	}
	return err
}
