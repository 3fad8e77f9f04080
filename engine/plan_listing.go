package engine

import (
	"context"
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

// planListing plans a table whose source lists units: all units of the newest
// version, which replace what readers see. Units of that version that an
// interrupted run landed are reused.
func (p *planner) planListing(ctx context.Context) error {
	run := &p.Run
	run.Kind, run.Depth = tvmexport.FullRun, 0
	listing, err := p.list(ctx, run.Table)
	if err != nil {
		return err
	}
	if len(listing.Units) == 0 { // that a table is empty is not taken from one listing
		if listing, err = p.list(ctx, run.Table); err != nil {
			return err
		}
		if len(listing.Units) == 0 && p.Last > 0 && !p.Requested {
			return &tvmexport.Error{
				Op: "list", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
				Err:  fmt.Errorf("the listing %.40q has no units, but readers see %d rows", listing.Version, p.Last),
				Hint: "nothing was published; if the table is empty now, request a full run",
			}
		}
	}
	for _, u := range listing.Units {
		p.held += max(u.Rows, 0)
	}
	run.StateAt = listing.At
	p.units = p.walk.begin(listing)
	p.reused, p.units = reuseUnits(p.units, p.Orphans, listing.Version)
	p.progress.Parts, p.progress.Changed = len(listing.Units), len(p.units)
	return nil
}

// reuseUnits divides units of a version into batches of them that an interrupted
// run landed, and the units that are still to be read. A unit that named others is
// read again: without its answer they are not known.
func reuseUnits(units []planUnit, orphans []tvmexport.OrphanedBatch, version string) (reused []tvmexport.BatchInfo, rest []planUnit) {
	landed := map[string]tvmexport.BatchInfo{}
	for _, o := range orphans {
		if u := o.Batch.Slice.Unit; u.Version == version && !u.Open {
			landed[u.ID] = o.Batch
		}
	}
	for _, p := range units {
		if b, ok := landed[p.Unit.ID]; ok && (p.Unit.Rows == tvmexport.Missing || p.Unit.Rows == b.Rows) {
			reused = append(reused, b)
			continue
		}
		rest = append(rest, p)
	}
	return reused, rest
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

func unitOf(u tvmexport.Unit) planUnit {
	return planUnit{Partition: tvmexport.AllPartitions, Rows: max(u.Rows, 0), Ask: true, Unit: u}
}
