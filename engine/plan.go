package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// planned is a plan with what the source was found to hold.
type planned struct {
	Plan                               // its run as the counts decide it
	units        []planUnit            // to fetch
	empty        *grid                 // of a large table: its partitions that are not among the units; they are fetched too
	reused       []tvmexport.BatchInfo // landed by an earlier run
	asked        []tvmexport.Partition // of a Snapshot's delta: what the run replaces
	fingerprints *fingerprints         // of the units; nil: the source is not asked for any
	counted      tally                 // of the parts that are fetched
	held         int64                 // rows counted, whether they are fetched or not
	gap          tvmexport.Window      // of the watermark: what the source no longer has for the run
	total        int64                 // rows of the units
	walk         walk                  // where the source lists units
}

// planner asks the source how its rows are spread, and fills in a plan.
type planner struct {
	stage
	planned
}

// planRun makes the plan: how many rows are where, or which units the source
// lists, with one call.
func planRun(ctx context.Context, st stage, plan Plan) (planned, error) {
	p := &planner{stage: st, planned: planned{Plan: plan}}
	plans := p.planState
	if t := p.Run.Table; p.Lists {
		plans = p.planListing
	} else if t.Watermark != "" && t.LoadType != tvmexport.Snapshot {
		plans = p.planWindow
	}
	if err := plans(ctx); err != nil {
		return p.planned, err
	}
	if !p.Lists {
		p.reused, p.units = reuseBatches(p.units, dropStale(p.units, p.Orphans))
	}
	for _, b := range p.reused {
		p.progress.Resumed += b.Rows
		p.progress.Fetched += b.Rows
	}
	if n := p.progress.Resumed; n > 0 {
		p.note("%d landed rows of the interrupted run %s were reused", n, p.Orphans[0].Header.ID)
	}
	for _, u := range p.units {
		p.total += u.Rows
	}
	p.progress.Run = p.Run
	calls := int(p.total/p.budget(p.RowBytes)) + 1
	if p.Lists {
		calls = len(p.units)
	}
	announcePlanned(p.hooks, p.Run, p.total, calls)
	return p.planned, nil
}

// open are the units to fetch.
func (p *planned) open() unitList { return unitList{units: p.units, empty: p.empty} }

// budget is how many rows a call is planned to carry, if a row has size JSON
// bytes; 0 is not known.
func (p *planned) budget(size float64) int64 {
	return rowsPerCall(p.Limits, p.sizeOrDefault(size))
}

// sizeOrDefault is the JSON size of a row by which calls are planned.
func (p *planned) sizeOrDefault(size float64) float64 {
	return cmp.Or(size, float64(p.Run.Table.RowBytes), tvmexport.DefaultRowBytes)
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
		out = append(out, planUnit{Window: w, Partition: c.Partition, Rows: c.Rows, OneKey: c.OneKey, Ends: c.Ends, Fingerprint: c.Fingerprint})
	}
	return out
}

// askAll has all units asked for if none of them has rows: that a table is
// empty is not taken from its count alone.
func askAll(units []planUnit) {
	if slices.ContainsFunc(units, func(p planUnit) bool { return p.Rows > 0 }) {
		return
	}
	for i := range units {
		units[i].Ask = true
	}
}
