package engine

import (
	"context"

	"github.com/tvmexport/tvmexport"
)

// countLateRows finds out how many rows of late batches, which are of windows that
// were asked for again, are missing in what readers see.
func countLateRows(ctx context.Context, st stage, run tvmexport.Run, batches []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	var late []tvmexport.BatchInfo
	for _, b := range batches {
		if b.Slice.Late && b.Rows > 0 {
			late = append(late, b)
		}
	}
	if len(late) == 0 {
		return nil, nil
	}
	missing, err := st.steps.CountMissing(ctx, run, late)
	for _, n := range missing {
		st.progress.Late += n
	}
	return missing, err
}

// HourlyCounts implements Steps.
func (e *engine) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	return hourlyCounts(ctx, e.destination, t, w)
}

// CountMissing implements Steps.
func (e *engine) CountMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return countMissing(ctx, e.destination, run, late)
}
