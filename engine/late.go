package engine

import (
	"context"

	"github.com/tvmexport/tvmexport"
)

// countLateRows finds out how many rows of the windows that were asked for again
// are missing in what readers see.
func (f *fetching) countLateRows(ctx context.Context) error {
	var late []tvmexport.BatchInfo
	for _, b := range f.all() {
		if b.Slice.Late && b.Rows > 0 {
			late = append(late, b)
		}
	}
	if len(late) == 0 {
		return nil
	}
	missing, err := f.steps.CountMissing(ctx, f.plan.Run, late)
	if err != nil {
		return err
	}
	f.missingRows = missing
	for _, n := range missing {
		f.progress.Late += n
	}
	return nil
}

// HourlyCounts implements Steps.
func (e *engine) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	return hourlyCounts(ctx, e.destination, t, w)
}

// CountMissing implements Steps.
func (e *engine) CountMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return countMissing(ctx, e.destination, run, late)
}
