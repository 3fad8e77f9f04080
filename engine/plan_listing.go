package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// checkedListing asks a source for the units of a table and refuses a listing
// that cannot be one, for any source.
func checkedListing(ctx context.Context, s tvmexport.Source, t tvmexport.Table) (tvmexport.Listing, error) {
	source, ok := tvmexport.Ability[tvmexport.ListingSource](s)
	if !ok {
		return tvmexport.Listing{}, unsupportedSource("list", t.Name, "neither counts rows nor lists units", "")
	}
	l, err := source.List(ctx, t)
	if err != nil {
		return l, err
	}
	if why := impossibleListing(l); why != "" {
		return l, &tvmexport.Error{
			Op: "list", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: fmt.Errorf("the listing is invalid: %s", why),
			Hint: "the listing was not used; run again, and if this repeats check for a proxy that changes answers",
		}
	}
	return l, nil
}

// impossibleListing says what shows that a listing is invalid; "" if nothing does.
func impossibleListing(l tvmexport.Listing) string {
	if l.Version == "" {
		return "it does not name its version"
	}
	known := make(map[string]bool, len(l.Units))
	for _, u := range l.Units {
		switch {
		case u.ID == "":
			return "a unit has no identity"
		case u.Version != l.Version:
			return fmt.Sprintf("the unit %.80q belongs to the version %.40q, but the listing is of %.40q", u.ID, u.Version, l.Version)
		case known[u.ID]:
			return fmt.Sprintf("it has the unit %.80q twice", u.ID)
		case u.Rows < tvmexport.Missing:
			return fmt.Sprintf("the unit %.80q has a negative number of rows", u.ID)
		}
		known[u.ID] = true
	}
	return ""
}

// unitsRead is what a run knows of a source that lists units.
type unitsRead struct {
	version  string            // "": the source lists none
	listing  []string          // units in the listing of the version, as listedUnits
	known    map[string]bool   // IDs of the version that the run has met
	namedBy  map[string]string // by ID: the unit whose answer alone names it
	empty    int               // units without rows, although none was announced
	restarts int               // newer versions that the run began with
	fruitful bool              // a unit was read since the last listing
	idle     int               // listings in a row after which no unit could be read
}

// planListing plans a table whose source lists units: all units of the newest
// version, which replace what readers see. Units of that version that an
// interrupted run landed are reused.
func (f *fetching) planListing(ctx context.Context) error {
	run := &f.plan.Run
	run.Kind, run.Depth = tvmexport.FullRun, 0
	listing, err := f.list(ctx)
	if err != nil {
		return err
	}
	if len(listing.Units) == 0 { // that a table is empty is not taken from one listing
		if listing, err = f.list(ctx); err != nil {
			return err
		}
		if len(listing.Units) == 0 && f.plan.Last > 0 && !f.plan.Requested {
			return &tvmexport.Error{
				Op: "list", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
				Err:  fmt.Errorf("the listing %.40q has no units, but readers see %d rows", listing.Version, f.plan.Last),
				Hint: "nothing was published; if the table is empty now, request a full run",
			}
		}
	}
	f.begin(listing)
	f.reuseUnits()
	f.progress.Parts, f.progress.Changed = len(listing.Units), len(f.units)
	return nil
}

func (f *fetching) list(ctx context.Context) (tvmexport.Listing, error) {
	l, err := f.steps.List(ctx, f.plan.Run.Table)
	f.progress.Calls += l.Calls
	return l, err
}

// begin makes the units of a listing those that the run reads.
func (f *fetching) begin(l tvmexport.Listing) {
	f.listed.version, f.listed.listing, f.listed.empty = l.Version, listedUnits(l), 0
	f.listed.known, f.listed.namedBy = make(map[string]bool, len(l.Units)), map[string]string{}
	f.units = nil
	f.held = 0
	for _, u := range l.Units {
		f.addUnit(u)
		f.held += max(u.Rows, 0)
	}
}

// listedUnits returns what two listings of one version have in common: the IDs of
// their units, with the numbers of rows that they announce.
func listedUnits(l tvmexport.Listing) []string {
	out := make([]string, len(l.Units))
	for i, u := range l.Units {
		out[i] = fmt.Sprintf("%d %s", u.Rows, u.ID)
	}
	slices.Sort(out)
	return out
}

// addUnit plans to read a unit, each once.
func (f *fetching) addUnit(u tvmexport.Unit) {
	if !f.listed.known[u.ID] {
		f.listed.known[u.ID] = true
		f.units = append(f.units, planUnit{Partition: tvmexport.AllPartitions, Rows: max(u.Rows, 0), Ask: true, Unit: u})
	}
}

// reuseUnits removes the units from the plan that an interrupted run landed. A
// unit that named others is read again: without its answer they are not known.
func (f *fetching) reuseUnits() {
	landed := map[string]tvmexport.BatchInfo{}
	for _, o := range f.plan.Orphans {
		if u := o.Batch.Slice.Unit; u.Version == f.listed.version && !u.Open {
			landed[u.ID] = o.Batch
		}
	}
	var rest []planUnit
	for _, p := range f.units {
		if b, ok := landed[p.Unit.ID]; ok && (p.Unit.Rows == tvmexport.Missing || p.Unit.Rows == b.Rows) {
			f.reused = append(f.reused, b)
			continue
		}
		rest = append(rest, p)
	}
	f.units = rest
}

// readUnit notes a unit that was read, and plans to read the units that it names.
func (f *fetching) readUnit(o FetchOutcome) error {
	if o.Batch.Slice.Unit.IsZero() {
		return nil // of a source that counts rows
	}
	unit := o.Batch.Slice.Unit
	f.listed.fruitful = true
	if o.Batch.Rows == 0 && unit.Rows != 0 {
		f.listed.empty++
	}
	for _, u := range o.Next {
		if u.ID == "" || u.Version != f.listed.version {
			return f.unreadable(fmt.Errorf("a unit of the version %.40q names the unit %.80q of the version %.40q", f.listed.version, u.ID, u.Version))
		}
		// A unit that is named twice would end a walk before its last page.
		if by, twice := f.listed.namedBy[u.ID]; twice && by != unit.ID || !twice && f.listed.known[u.ID] {
			return f.unreadable(fmt.Errorf("the unit %.80q names the unit %.80q, which was named before", unit.ID, u.ID))
		}
		f.listed.namedBy[u.ID] = unit.ID
		f.addUnit(u)
	}
	return nil
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
func (f *fetching) listAgain(ctx context.Context, expired []tvmexport.Slice) error {
	if f.listed.fruitful {
		f.listed.idle, f.listed.fruitful = 0, false
	}
	f.listed.idle++
	if f.listed.idle > maxIdleListings {
		return f.unreadable(fmt.Errorf("the links of %d units expired after each of %d listings: %w", len(expired), maxIdleListings, tvmexport.ErrUnitExpired))
	}
	l, err := f.list(ctx)
	if err != nil {
		return err
	}
	if l.Version != f.listed.version || !slices.Equal(listedUnits(l), f.listed.listing) {
		return f.startOver(l)
	}
	links := make(map[string]tvmexport.Unit, len(l.Units))
	for _, u := range l.Units {
		links[u.ID] = u
	}
	for i := range f.units {
		if u, ok := links[f.units[i].Unit.ID]; ok {
			f.units[i].Unit = u
		}
	}
	for _, s := range append(f.ready, expired...) {
		if u, ok := links[s.Unit.ID]; ok {
			f.units = append(f.units, planUnit{Partition: tvmexport.AllPartitions, Rows: max(u.Rows, 0), Ask: true, Unit: u})
			continue
		}
		// Only the answer to another unit names it: all are read again.
		return f.startOver(l)
	}
	f.ready = nil
	return nil
}

// recheckListing makes sure, where consistency of the whole table is required,
// that a second listing of the version has the same units. A newer version is
// no difference: the run has all units of one version.
func (f *fetching) recheckListing(ctx context.Context) error {
	for {
		l, err := f.list(ctx)
		if err != nil {
			return err
		}
		if l.Version != f.listed.version {
			f.note("the source has the version %s since the run began; the run exported the version %s", l.Version, f.listed.version)
			return nil
		}
		if slices.Equal(listedUnits(l), f.listed.listing) {
			return nil
		}
		if err := f.startOver(l); err != nil {
			return err
		}
		if err := f.fetchAll(ctx); err != nil {
			return err
		}
	}
}

// startOver begins again with all units of a listing. What was landed of
// another version stays unpublished.
func (f *fetching) startOver(l tvmexport.Listing) error {
	if f.listed.restarts++; f.listed.restarts > maxNewVersions {
		return f.unreadable(fmt.Errorf("the run started over %d times, because the links of units expired and the source had newer units", maxNewVersions))
	}
	if len(l.Units) == 0 && len(f.all()) > 0 {
		return f.unreadable(errors.New("a new listing has no units"))
	}
	if l.Version == f.listed.version {
		f.note("the run started over: a second listing of the version %s has other units, or links that only units name expired", l.Version)
	} else {
		f.note("the run started over with the version %s: links expired before all units of the version %s were read", l.Version, f.listed.version)
	}
	f.batches, f.reused, f.ready, f.progress.Resumed = nil, nil, nil, 0
	f.begin(l)
	return nil
}

func (f *fetching) unreadable(why error) error {
	return &tvmexport.Error{
		Op: "fetch", Table: f.plan.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: why,
		Hint: "nothing was published; run again, with more calls at a time if units take longer than their links are valid",
	}
}

// noteEmptyUnits notes units without rows: each of them was read twice.
func (f *fetching) noteEmptyUnits() {
	if n := f.listed.empty; n > 0 {
		f.note("%d of the %d units of the version %s have no rows, also when read a second time", n, len(f.listed.known), f.listed.version)
	}
}
