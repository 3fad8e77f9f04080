package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Progress is what a run has done, also when it failed.
type Progress struct {
	Run        tvmexport.Run
	Rows       int64              // published
	Fetched    int64              // rows in confirmed batches
	Resumed    int64              // rows of them that an earlier run had landed
	Late       int64              // rows of them that came late
	Bytes      int64              // of source JSON
	Nulled     int64              // fetched values that do not fit the type that the source declares
	Unread     []tvmexport.Unread // those of published rows, by column
	Calls      int                // made to the source
	Slices     int
	Parts      int      // of a Snapshot, that the source was asked to compare
	Changed    int      // parts that were fetched
	FullReason string   // why a Snapshot was fetched completely; "" where it was not
	Notes      []string // what people should know of the run, a sentence each
}

// flow exports one table: count, pack, fetch and land, confirm, publish, commit.
func flow(ctx context.Context, s Steps, plan Plan, h *tvmexport.Hooks) (Progress, error) {
	f := &fetching{plan: plan, steps: s, hooks: h, oneKey: map[tvmexport.Partition]bool{}, progress: Progress{Run: plan.Run, FullReason: plan.FullReason, Notes: slices.Clone(plan.Notes)}}
	for _, step := range []func(context.Context) error{f.count, f.fetchAll, f.compare, f.recheck, f.confirm, f.countLateRows} {
		if err := step(ctx); err != nil {
			return f.progress, err
		}
	}
	f.noteEmptyUnits()
	err := finish(ctx, s, f.publication(), &f.progress, h)
	if n := f.progress.Late; n > 0 && err == nil {
		f.note("%d late rows with an older watermark were published", n)
	}
	return f.progress, err
}

// fetching is the state of a run between plan and publication.
type fetching struct {
	plan     Plan
	steps    Steps
	hooks    *tvmexport.Hooks
	progress Progress

	units        []planUnit        // counted, not yet cut
	ready        []tvmexport.Slice // cut, not yet asked for
	batches      []tvmexport.BatchInfo
	reused       []tvmexport.BatchInfo // landed by an earlier run
	asked        []tvmexport.Partition // of a Snapshot's delta: what the run replaces
	missingRows  map[tvmexport.BatchID]int64
	fingerprints map[tvmexport.Partition]tvmexport.Fingerprint // as planned
	next         int                                           // ordinal of the next batch
	refusals     int                                           // answers that were too large
	lastAnswer   time.Time                                     // when one was accepted last, or when the fetches began
	refusedInRow int                                           // refusals since lastAnswer
	size         float64                                       // JSON bytes a row, the largest mean seen; 0 while unknown
	total        int64
	held         int64              // rows counted, whether they are fetched or not
	counted      tally              // of the parts that are fetched
	schema       []tvmexport.Column // of the first answer
	listed       unitsRead          // where the source lists units

	oneKey map[tvmexport.Partition]bool // partitions whose rows all have the same key
}

func (f *fetching) note(format string, args ...any) {
	f.progress.Notes = append(f.progress.Notes, fmt.Sprintf(format, args...))
}

// all returns the batches to publish.
func (f *fetching) all() []tvmexport.BatchInfo { return append(slices.Clip(f.reused), f.batches...) }
