package assessment

import (
	"context"
	"errors"
	"time"

	"github.com/tvmexport/tvmexport"
)

// sinceForm is how sinceTime is written.
const sinceForm = "2006-01-02T15:04:05.000Z"

// Changes are kept for 14 days. They come in steps of six hours: the service returns
// all of the step into which sinceTime falls, and all later ones.
const (
	changesKept = 14 * 24 * time.Hour
	changesStep = 6 * time.Hour
)

// earliest is the beginning of the changes that are kept of a newest state.
func earliest(state time.Time) time.Time { return state.UTC().Truncate(changesStep).Add(-changesKept) }

// oldest are the times since which all changes may be asked for, the best one first.
// From when the service counts 14 days is not documented: it may be its newest state,
// or the moment of the call. All are at whole hours, so that listings one after the
// other ask for the same.
func oldest(state, clock time.Time) []time.Time {
	var out []time.Time
	if !state.IsZero() {
		out = append(out, earliest(state))
	}
	for _, step := range []time.Duration{time.Hour, changesStep} {
		next := clock.UTC().Add(-changesKept).Truncate(step).Add(step) // later, since time passes until the call
		if len(out) == 0 || next.After(out[len(out)-1]) {
			out = append(out, next)
		}
	}
	return out
}

// goneAfter is the window after from of which a listing since a time has no changes. They
// carry the time at which their step ends, so that the last one that is missing is at the
// end of the step before.
func goneAfter(from, since time.Time) tvmexport.Window {
	to := since.UTC().Add(-tvmexport.Tick).Truncate(changesStep)
	if !to.After(from) {
		return tvmexport.Window{}
	}
	return tvmexport.Window{From: from, To: to}
}

// ListSince implements tvmexport.SinceLister: the changes since a time, and some earlier
// ones. Of other tables it lists all rows.
func (c *Client) ListSince(ctx context.Context, t tvmexport.Table, from time.Time) (tvmexport.Listing, error) {
	if t.Name != changes || from.IsZero() {
		return c.List(ctx, t)
	}
	l, state, err := c.listChanges(ctx, t, from)
	switch {
	case err == nil && state.IsZero(): // nothing tells the service's time
		return l, nil
	case err == nil:
		// What a service returns that accepts an earlier time than it documents is not known.
		l.Gone = goneAfter(from, earliest(state))
		return l, nil
	case !errors.Is(err, errInvalidInput):
		return l, err
	}
	all, err := c.listAllChanges(ctx, t)
	all.Calls += l.Calls
	if err == nil && from.Before(all.Gone.To) {
		all.Gone.From = from
	} else {
		all.Gone = tvmexport.Window{}
	}
	return all, err
}

// listAllChanges lists what the service keeps. How far that goes back is counted by the
// service's own times: by a local clock that is ahead, changes would be lost.
func (c *Client) listAllChanges(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	const of = "TvmSoftwareVulnerabilities"
	state, asked, err := c.listPages(ctx, tvmexport.Table{Name: of}, c.pagesURL(sets[of], time.Time{}))
	if err != nil {
		return state, err
	}
	if asked.IsZero() { // its answer does not tell
		asked = time.Now()
	}
	calls := state.Calls
	var l tvmexport.Listing
	for _, since := range oldest(state.At, asked) {
		l, _, err = c.listChanges(ctx, t, since)
		calls += l.Calls
		l.Calls, l.Gone = calls, goneAfter(time.Time{}, since)
		if !errors.Is(err, errInvalidInput) {
			break
		}
	}
	return l, err
}

// listChanges lists the changes since a time, as they are at the moment of the call by
// the service's clock. state is when the newest of them were made; if their tokens do not
// say it, the moment of the call.
func (c *Client) listChanges(ctx context.Context, t tvmexport.Table, since time.Time) (l tvmexport.Listing, state time.Time, err error) {
	l, asked, err := c.listPages(ctx, t, c.pagesURL(sets[changes], since))
	if state = l.At; state.IsZero() {
		state = asked
	}
	if asked.After(l.At) {
		l.At = asked
	}
	return l, state, err
}
