package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Opening is what the run of one table begins with. It is plain values: a run depends
// on nothing else but its steps.
type Opening struct {
	Table    tvmexport.Table // of the order, as the catalogue describes it
	Order    tvmexport.Order
	Settings Settings
	History  tvmexport.History
	Orphans  []tvmexport.OrphanedBatch
	Columns  []tvmexport.Column // of the table at the source
	Told     bool               // the source tells them; else they are not known
}

// Surroundings are what a run takes from the engine that makes it, besides the steps.
type Surroundings struct {
	Now    func() time.Time
	NewRun func() tvmexport.RunID // later ones sort after earlier ones
	Hooks  *tvmexport.Hooks
}

// tableRun is the run of one table.
type tableRun struct {
	Opening
	Surroundings
	steps TableSteps
	place *place
	watch *stopwatch
}

// run finishes what an earlier run began to publish, then makes a run.
func (t *tableRun) run(ctx context.Context, r *Result) error {
	h := &t.History
	r.TableRows = h.TableRows
	if err := t.Settings.sameTenant(r.Table, *h); err != nil {
		return err
	}
	var finished Progress
	if h.Publishing != nil || slowlyCounted(*h, t.Settings.Lists) {
		if err := t.place.enter(ctx); err != nil {
			return err
		}
	}
	if p := h.Publishing; p != nil {
		p.Run.Table = tableOfPublication(*p, r.Table)
		p.Effect = effectOf(*p, stateBefore(*h), h.Partitions)
		err := finish(ctx, t.steps, *p, &finished, t.Hooks)
		if err != nil {
			return err
		}
		r.Finished = p.Rows
		if *h, err = t.afterFinish(ctx, r.Table, *h, *p); err != nil {
			return err
		}
		t.watch.start() // the finished run has its own time
	}
	err := t.attempt(ctx, r)
	r.Unread = addUnread(finished.Unread, r.Unread)
	for _, gap := range finished.Gaps { // those of the run itself are among its notes
		r.Notes = append(r.Notes, tvmexport.GapReason(gap))
	}
	r.Gaps = append(finished.Gaps, r.Gaps...)
	for _, u := range r.Unread {
		if where := whereUnread(u); where != "" {
			r.Notes = append(r.Notes, where)
		}
	}
	r.Notes = append(r.Notes, legacyNotes(h.Legacy, r.Table)...)
	if r.Finished > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("the interrupted publication of run %s was finished: %d rows", h.Last.ID, r.Finished))
	}
	return err
}

// afterFinish is the history after a publication was finished. What is gone is
// read again: the losses read before describe the published tables without it.
// So is the time: the next run begins after the finished one has ended.
func (t *tableRun) afterFinish(ctx context.Context, of tvmexport.Table, h tvmexport.History, p tvmexport.Publication) (tvmexport.History, error) {
	now, err := t.steps.History(ctx, of)
	if err != nil {
		return h, err
	}
	h = historyAfter(h, p)
	h.Losses, h.Now = now.Losses, now.Now
	return h, nil
}

// slowlyCounted says whether a table is planned only when it has its place: its counts take
// long, and would be old when the place is free.
func slowlyCounted(h tvmexport.History, lists bool) bool {
	var rows int64
	for _, p := range h.Partitions {
		rows += p.Rows
	}
	return rows > aloneRows || lists
}

// try makes a run of a table by a schema of the source.
func (t *tableRun) try(ctx context.Context, r *Result, seen sighting) error {
	seen, notes, err := reconcile(r, t.History, seen)
	if err != nil {
		return err
	}
	steps := &prepared{Steps: t.steps, place: t.place, prepare: func(ctx context.Context) error {
		changes, err := fit(ctx, t.steps, r, t.History)
		notes = append(notes, changes...)
		return err
	}, check: func(ctx context.Context) error { return t.steps.CheckLanding(ctx, r.Table) }}
	plan, err := t.Settings.plan(t.NewRun(), r.Table, t.Order, t.History)
	r.Run = plan.Run
	if err != nil {
		return err
	}
	if plan.Run.Kind == tvmexport.DeltaRun {
		plan.Unlike = unlikeColumns(t.History.Last)
	}
	see(&plan, seen)
	plan.reuseOrphans(t.Orphans, t.Settings.Resume)
	if t.Hooks.Started != nil {
		t.Hooks.Started(plan.Run)
	}
	r.Progress, err = flow(ctx, newStage(steps, t.Hooks, plan, t.Now), plan)
	r.Notes = append(notes, r.Notes...)
	return err
}

// sameTenant refuses to mix the data of two tenants in one database.
func (s *Settings) sameTenant(t tvmexport.Table, h tvmexport.History) error {
	if h.Tenant == "" || s.Tenant == "" || h.Tenant == s.Tenant {
		return nil
	}
	return &tvmexport.Error{
		Op: "plan", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage,
		Err:  fmt.Errorf("the database holds the data of tenant %s, but the sign-in to Defender belongs to tenant %s", h.Tenant, s.Tenant),
		Hint: "use a separate database for each tenant", Code: tvmexport.OtherTenant,
	}
}

// reconcile makes the table what the source shows now. If the source does not return
// its schema, the last known one is used. Of a source that knows the columns of a table
// only when it has read it, that is how each run begins.
func reconcile(r *Result, h tvmexport.History, seen sighting) (_ sighting, notes []string, err error) {
	live := seen.columns
	if !seen.told {
		live = r.Table.Columns
		if h.Last != nil && len(h.Last.Columns) > 0 {
			live = h.Last.Columns
		}
	}
	switch {
	case seen.kept:
		seen.columns = live // which its counts confirm
	case !seen.told:
		notes = append(notes, "the source does not return the table's columns: the last known columns are used")
	}
	table, drift, err := reconcileSchema(r.Table, live, h.Last)
	if err != nil {
		return seen, notes, err
	}
	r.Table = table
	return seen, append(notes, drift...), nil
}

// fit updates the destination to the table's current schema.
func fit(ctx context.Context, s Steps, r *Result, h tvmexport.History) (changes []string, err error) {
	if h.Last != nil && h.Last.Definition == r.Table.Definition() {
		return nil, nil
	}
	return s.SyncSchema(ctx, r.Table)
}
