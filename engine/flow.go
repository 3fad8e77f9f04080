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
	TableRows  int64              // that readers see since the run, or still see after one that failed
	Growth     int64              // how many more they are than before it
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

	Gaps []tvmexport.Window // of the watermark, that committed runs found to be gone at the source
}

// flow exports one table: count, fetch and land, compare, recheck, confirm,
// publish, commit. Each stage takes what the stages before it found, and returns
// what it found itself.
func flow(ctx context.Context, st stage, plan Plan) (Progress, error) {
	pub, err := fetchTable(ctx, st, plan)
	if err != nil {
		return *st.progress, err
	}
	err = finish(ctx, st.steps, pub, st.progress, st.hooks)
	if n := st.progress.Late; n > 0 && err == nil {
		st.note("%d late rows with an older watermark were published", n)
	}
	return *st.progress, err
}

// fetchTable lands what the plan asks for, and returns the publication.
func fetchTable(ctx context.Context, st stage, plan Plan) (tvmexport.Publication, error) {
	var pub tvmexport.Publication
	p, err := planRun(ctx, st, plan)
	if err != nil {
		return pub, err
	}
	units, have := p.open(), landed{reused: p.reused, asked: p.asked}
	p.units, p.empty = nil, nil // a large table has many, and the fetcher alone needs them
	f := newFetcher(st, p)
	have, err = f.fetch(ctx, have, units, nil)
	if err != nil {
		return pub, err
	}
	for _, check := range []func(context.Context, *fetcher, landed) (landed, error){compare, recheck, confirm} {
		if have, err = check(ctx, f, have); err != nil {
			return pub, err
		}
	}
	if err := f.walk.checkRows(p, have.all()); err != nil {
		return pub, err
	}
	missing, err := countLateRows(ctx, st, p.Run, have.all())
	if err != nil {
		return pub, err
	}
	f.walk.noteEmptyUnits(st)
	p.Run.StateAt = f.Run.StateAt // a run that lists units may have started over
	return publication(p, have, missing, *st.progress), nil
}

// stage is what every stage of a run works with: the steps that act, the clock, and
// the progress to which it adds what it does.
type stage struct {
	steps    Steps
	hooks    *tvmexport.Hooks
	now      func() time.Time
	progress *Progress
}

func newStage(s Steps, h *tvmexport.Hooks, plan Plan, now func() time.Time) stage {
	return stage{steps: s, hooks: h, now: now, progress: &Progress{Run: plan.Run, TableRows: plan.Before.TableRows, FullReason: plan.FullReason, Notes: slices.Clone(plan.Notes)}}
}

func (s stage) note(format string, args ...any) {
	s.progress.Notes = append(s.progress.Notes, fmt.Sprintf(format, args...))
}

// count asks the source for counts, and adds the calls and notes to the progress.
func (s stage) count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	counts, err := s.steps.Count(ctx, q)
	s.progress.Calls += counts.Calls
	s.progress.Notes = addNotes(s.progress.Notes, counts.Notes)
	return counts, err
}

// addNotes appends the notes that are not in the list yet.
func addNotes(list, more []string) []string {
	for _, n := range more {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// list asks the source for the units of a table, and adds the calls to the progress.
func (s stage) list(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	l, err := s.steps.List(ctx, t)
	s.progress.Calls += l.Calls
	return l, err
}

// landed is what a run will publish.
type landed struct {
	fetched []tvmexport.BatchInfo
	reused  []tvmexport.BatchInfo // landed by an earlier run
	asked   []tvmexport.Partition // of a Snapshot's delta: what the run replaces
}

// all returns the batches to publish.
func (l landed) all() []tvmexport.BatchInfo { return append(slices.Clip(l.reused), l.fetched...) }

// without returns what stays when batches are given up, and the slices of those.
func (l landed) without(gone func(tvmexport.BatchInfo) bool) (landed, []tvmexport.Slice) {
	var back []tvmexport.Slice
	stay := func(list []tvmexport.BatchInfo) []tvmexport.BatchInfo {
		var out []tvmexport.BatchInfo
		for _, b := range list {
			if gone(b) {
				back = append(back, b.Slice)
				continue
			}
			out = append(out, b)
		}
		return out
	}
	return landed{fetched: stay(l.fetched), reused: stay(l.reused), asked: l.asked}, back
}
