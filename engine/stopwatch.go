package engine

import (
	"context"
	"time"

	"github.com/tvmexport/tvmexport"
)

// stopwatch measures how long the run of a table takes, without the wait for its
// place among the tables.
type stopwatch struct {
	place  *place
	now    func() time.Time
	began  time.Time
	waited time.Duration // for the place, before the run began
	took   time.Duration // until the commit
	ended  bool          // it is committed
}

func (w *stopwatch) start() {
	*w = stopwatch{place: w.place, now: w.now, began: w.now(), waited: w.place.waited}
}

// elapsed is how long the run took: until its commit, or until now.
func (w *stopwatch) elapsed() time.Duration {
	if w.ended {
		return w.took
	}
	return (w.now().Sub(w.began) - (w.place.waited - w.waited)).Round(time.Millisecond)
}

// timed are the steps of a run whose commit says how long the run took. What is
// printed, shown and counted of the run is the same time.
type timed struct {
	TableSteps
	watch *stopwatch
}

// Commit implements Steps.
func (s timed) Commit(ctx context.Context, c tvmexport.Commit) error {
	took := s.watch.elapsed()
	c.Effect.Took = took
	err := s.TableSteps.Commit(ctx, c)
	if err == nil {
		s.watch.took, s.watch.ended = took, true
	}
	return err
}
