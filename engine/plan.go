package engine

import (
	"context"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// count makes the plan: how many rows are where, or which units the source lists, with one call.
func (f *fetching) count(ctx context.Context) error {
	f.size = f.plan.RowBytes
	plan := f.planState
	if t := f.plan.Run.Table; f.plan.Lists {
		plan = f.planListing
	} else if t.Watermark != "" && t.LoadType != tvmexport.Snapshot {
		plan = f.planWindow
	}
	if err := plan(ctx); err != nil {
		return err
	}
	if !f.plan.Lists {
		f.reused, f.units = reuseBatches(f.units, dropStale(f.units, f.plan.Orphans))
	}
	for _, b := range f.reused {
		f.progress.Resumed += b.Rows
		f.progress.Fetched += b.Rows
	}
	if n := f.progress.Resumed; n > 0 {
		f.note("%d landed rows of the interrupted run %s were reused", n, f.plan.Orphans[0].Header.ID)
	}
	for _, p := range f.units {
		f.total += p.Rows
	}
	run := f.plan.Run
	f.progress.Run = run
	calls := int(f.total/f.budget()) + 1
	if f.plan.Lists {
		calls = len(f.units)
	}
	announcePlanned(f.hooks, run, f.total, calls)
	return nil
}

func rowsOf(parts []tvmexport.Count) int64 {
	var rows int64
	for _, p := range parts {
		rows += p.Rows
	}
	return rows
}

func unitsOf(parts []tvmexport.Count, w tvmexport.Window) []planUnit {
	out := make([]planUnit, 0, len(parts))
	for _, c := range parts {
		out = append(out, planUnit{Window: w, Partition: c.Partition, Rows: c.Rows, OneKey: c.OneKey, Fingerprint: c.Fingerprint})
	}
	return out
}

// askAll has all pieces asked for if none of them has rows: that a table is
// empty is not taken from its count alone.
func askAll(pieces []planUnit) {
	if slices.ContainsFunc(pieces, func(p planUnit) bool { return p.Rows > 0 }) {
		return
	}
	for i := range pieces {
		pieces[i].Ask = true
	}
}
