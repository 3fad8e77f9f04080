package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// walk is the way through the units of one version: those that the source lists,
// and those that only the answer to another unit names.
type walk struct {
	version  string            // "": the source lists none
	listing  []string          // units in the listing of the version, as listedUnits
	known    map[string]bool   // IDs of the version that the run has met
	namedBy  map[string]string // by ID: the unit whose answer alone names it
	empty    int               // units without rows that neither their listing nor they themselves announce
	restarts int               // newer versions that the run began with
	fruitful bool              // a unit was read since the last listing
	idle     int               // listings in a row after which no unit could be read
}

// begin starts a walk through the units of a listing, and returns these.
func (w *walk) begin(l tvmexport.Listing) []planUnit {
	w.version, w.listing, w.empty = l.Version, listedUnits(l), 0
	w.known, w.namedBy = make(map[string]bool, len(l.Units)), map[string]string{}
	var units []planUnit
	for _, u := range l.Units {
		units = w.add(units, u)
	}
	return units
}

// add appends a unit to those to read, each once.
func (w *walk) add(units []planUnit, u tvmexport.Unit) []planUnit {
	if w.known[u.ID] {
		return units
	}
	w.known[u.ID] = true
	return append(units, unitOf(u))
}

// read notes a unit that was read, and returns the units that it alone names. The
// error says why the version cannot be read.
func (w *walk) read(o FetchOutcome) (named []planUnit, err error) {
	unit := o.Batch.Slice.Unit
	if unit.IsZero() {
		return nil, nil // of a source that counts rows
	}
	w.fruitful = true
	if o.Batch.Rows == 0 && unit.Rows != 0 && !o.Empty {
		w.empty++
	}
	for _, u := range o.Next {
		if u.ID == "" || u.Version != w.version {
			return named, fmt.Errorf("a unit of the version %.40q names the unit %.80q of the version %.40q", w.version, u.ID, u.Version)
		}
		// A unit that is named twice would end a walk before its last page.
		if by, twice := w.namedBy[u.ID]; twice && by != unit.ID || !twice && w.known[u.ID] {
			return named, fmt.Errorf("the unit %.80q names the unit %.80q, which was named before", unit.ID, u.ID)
		}
		w.namedBy[u.ID] = unit.ID
		named = w.add(named, u)
	}
	return named, nil
}

// noteEmptyUnits notes units without rows: each of them was read twice.
func (w *walk) noteEmptyUnits(st stage) {
	if w.empty > 0 {
		st.note("%d of the %d units of the version %s have no rows, also when read a second time", w.empty, len(w.known), w.version)
	}
}

// checkRows refuses to replace what readers see by units that have no rows at all,
// unless a full run was requested.
func (w *walk) checkRows(p planned, batches []tvmexport.BatchInfo) error {
	hasRows := func(b tvmexport.BatchInfo) bool { return b.Rows > 0 }
	if w.version == "" || len(batches) == 0 || p.Last == 0 || p.Requested || slices.ContainsFunc(batches, hasRows) {
		return nil
	}
	return &tvmexport.Error{
		Op: "fetch", Table: p.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
		Err:  fmt.Errorf("the %d units of the version %.40q have no rows, but readers see %d rows", len(w.known), w.version, p.Last),
		Hint: "nothing was published; if the table is empty now, request a full run",
	}
}

// How often a run lists units again: after as many listings in a row that let
// it read nothing, and as many newer versions, it ends.
const (
	maxIdleListings = 3
	maxNewVersions  = 3
)

// listAgain gets new links for units whose links have expired. If the source
// has a newer version meanwhile, the run starts over with it: units of two
// versions must not be committed together.
func (f *fetcher) listAgain(ctx context.Context, expired []tvmexport.Slice) error {
	if f.walk.fruitful {
		f.walk.idle, f.walk.fruitful = 0, false
	}
	f.walk.idle++
	if f.walk.idle > maxIdleListings {
		return f.unreadable(fmt.Errorf("the links of %d units expired after each of %d listings: %w", len(expired), maxIdleListings, tvmexport.ErrUnitExpired))
	}
	l, err := f.list(ctx, f.Run.Table)
	if err != nil {
		return err
	}
	if l.Version != f.walk.version || !slices.Equal(listedUnits(l), f.walk.listing) {
		return f.startOver(l)
	}
	links := make(map[string]tvmexport.Unit, len(l.Units))
	for _, u := range l.Units {
		links[u.ID] = u
	}
	open := slices.Clone(f.open.all())
	for i := range open {
		if u, ok := links[open[i].Unit.ID]; ok {
			open[i].Unit = u
		}
	}
	for _, s := range append(f.ready, expired...) {
		if u, ok := links[s.Unit.ID]; ok {
			open = append(open, unitOf(u))
			continue
		}
		// Only the answer to another unit names it: all are read again.
		return f.startOver(l)
	}
	f.open, f.ready = listOf(open), nil
	return nil
}

// startOver begins again with all units of a listing. What was landed of
// another version stays unpublished.
func (f *fetcher) startOver(l tvmexport.Listing) error {
	if f.walk.restarts++; f.walk.restarts > maxNewVersions {
		return f.unreadable(fmt.Errorf("the run started over %d times, because the links of units expired and the source had newer units", maxNewVersions))
	}
	if len(l.Units) == 0 && len(f.have.all()) > 0 {
		return f.unreadable(errors.New("a new listing has no units"))
	}
	if l.Version == f.walk.version {
		f.note("the run started over: a second listing of the version %s has other units, or links that only units name expired", l.Version)
	} else {
		f.note("the run started over with the version %s: links expired before all units of the version %s were read", l.Version, f.walk.version)
	}
	f.have, f.ready, f.progress.Resumed = landed{}, nil, 0
	f.Run.StateAt = l.At
	f.open = listOf(f.walk.begin(l))
	return nil
}

// recheckListing makes sure, where consistency of the whole table is required,
// that a second listing of the version has the same units. A newer version is
// no difference: the run has all units of one version.
func recheckListing(ctx context.Context, f *fetcher, have landed) (landed, error) {
	for {
		l, err := f.list(ctx, f.Run.Table)
		if err != nil {
			return have, err
		}
		if l.Version != f.walk.version {
			f.note("the source has the version %s since the run began; the run exported the version %s", l.Version, f.walk.version)
			return have, nil
		}
		if slices.Equal(listedUnits(l), f.walk.listing) {
			return have, nil
		}
		f.have = have
		if err := f.startOver(l); err != nil {
			return have, err
		}
		if have, err = f.fetch(ctx, f.have, f.open, nil); err != nil {
			return have, err
		}
	}
}

func (f *fetcher) unreadable(why error) error {
	return &tvmexport.Error{
		Op: "fetch", Table: f.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: why,
		Hint: "nothing was published; run again, with more calls at a time if units take longer than their links are valid",
	}
}
