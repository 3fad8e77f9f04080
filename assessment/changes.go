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

// oldest is the earliest sinceTime at a time. It is at the beginning of a step, so that
// listings one after the other ask for the same.
func oldest(now time.Time) time.Time {
	at := now.UTC().Add(-changesKept)
	if begin := at.Truncate(changesStep); begin.Before(at) {
		return begin.Add(changesStep)
	}
	return at
}

// ListSince implements tvmexport.SinceLister: the changes since a time, and some earlier
// ones. Of other tables it lists all rows.
func (c *Client) ListSince(ctx context.Context, t tvmexport.Table, from time.Time) (tvmexport.Listing, error) {
	if t.Name != changes || from.IsZero() {
		return c.List(ctx, t)
	}
	l, err := c.listPages(ctx, t, c.pagesURL(sets[changes], from))
	if err == nil || !errors.Is(err, errInvalidInput) {
		return l, err
	}
	c.o.Logger.Warn("the service refuses to return changes since this time; older changes than it keeps are lost", "table", t.Name, "since", from, "kept", changesKept)
	all, err := c.listAllChanges(ctx, t)
	all.Calls += l.Calls
	return all, err
}

// listAllChanges lists what the service keeps. How far that goes back is counted from its
// newest state, which is asked for: by a local clock that is ahead, changes would be lost.
func (c *Client) listAllChanges(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	const of = "TvmSoftwareVulnerabilities"
	state, err := c.listPages(ctx, tvmexport.Table{Name: of}, c.pagesURL(sets[of], time.Time{}))
	if err != nil {
		return state, err
	}
	newest := state.At
	if newest.IsZero() { // its answer does not tell
		newest = time.Now()
	}
	l, err := c.listPages(ctx, t, c.pagesURL(sets[changes], oldest(newest)))
	l.Calls += state.Calls
	return l, err
}
