package contract

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
)

// ListingHarness is a ListingSource under test, with two tables that have rows:
// Table has the key DeviceId and at least two units with rows, Events has the
// column Timestamp.
type ListingHarness struct {
	Source tvmexport.ListingSource
	Table  tvmexport.Table
	Events tvmexport.Table
	// Rows are the rows of the table's newest version, read behind the source's back.
	Rows func(t *testing.T, table string) []Row
	// Generate makes a newer version of Table, with other rows.
	Generate func(t *testing.T)
	// Corrupt corrupts the next unit that is read: Cut or Duplicated.
	Corrupt func(t *testing.T, how Corruption)
	// Expire lets every link that was listed so far expire; nil: links do not.
	Expire func(t *testing.T)
}

// listingCase is a story about one method of tvmexport.ListingSource.
type listingCase struct {
	method, name string
	story        func(t *testing.T, h ListingHarness)
}

func listingContract() []listingCase {
	out := []listingCase{
		{"List", "UnitsHaveIdentity", listIdentity},
		{"List", "SameVersionSameUnits", listTwice},
		{"List", "NewerVersion", listNewer},
		{"List", "UnknownTable", listUnknown},
		{"List", "EndedContext", listEnded},
		{"List", "LinksAreNotFormatted", listSecrets},
		{"FetchUnit", "AllUnitsAreTheTable", unitsAreTheTable},
		{"FetchUnit", "SameRowsEachTime", unitTwice},
		{"FetchUnit", "ByTheLinkOfALaterListing", unitRelisted},
		{"FetchUnit", "RowsOfItsVersion", unitOfVersion},
		{"FetchUnit", "AnnouncedRows", unitAnnounced},
		{"FetchUnit", "ExpiredLink", unitExpired},
		{"FetchUnit", "Cut", unitCut},
		{"FetchUnit", "Duplicated", unitDuplicated},
		{"FetchUnit", "WriterEndsIt", unitWriter},
		{"FetchUnit", "EndedContext", unitEnded},
	}
	for _, c := range schemaCases {
		out = append(out, listingCase{c.method, c.name, func(t *testing.T, h ListingHarness) {
			c.story(t, schemaHarness{h.Source, h.Table, h.Events})
		}})
	}
	return out
}

// TestListingSource is the contract of tvmexport.ListingSource. Each story gets
// a harness of its own, in a bubble of testing/synctest, and calls the method
// that it is about.
func TestListingSource(t *testing.T, harness func(t *testing.T) ListingHarness) {
	report := &caseReport{}
	defer report.print(t)
	cases := listingContract()
	synctest.Test(t, func(t *testing.T) {
		if _, ok := tvmexport.Ability[tvmexport.SinceLister](harness(t).Source); ok {
			cases = append(cases, listingCase{"ListSince", "RowsSinceATime", listSince})
		}
	})
	for _, c := range cases {
		t.Run(c.method+"/"+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer report.note(t, c.method)
				h := harness(t)
				report.of = h.Source
				calls := &listingCalls{behind: h.Source}
				h.Source = calls
				c.story(t, h)
				if calls.of[c.method] == 0 && !t.Failed() && !t.Skipped() {
					t.Errorf("the case does not call %s", c.method)
				}
			})
		})
	}
}

// listingCalls counts, by method, the calls of a ListingSource. It is a
// tvmexport.Wrapper.
type listingCalls struct {
	counter
	behind tvmexport.ListingSource
}

// Unwrap implements tvmexport.Wrapper.
func (c *listingCalls) Unwrap() any { return c.behind }

func (c *listingCalls) source(method string) tvmexport.ListingSource {
	c.note(method)
	return c.behind
}

func (c *listingCalls) List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	return c.source("List").List(ctx, t)
}

func (c *listingCalls) ListSince(ctx context.Context, t tvmexport.Table, from time.Time) (tvmexport.Listing, error) {
	c.note("ListSince")
	since, _ := tvmexport.Ability[tvmexport.SinceLister](c.behind)
	return since.ListSince(ctx, t, from)
}

func (c *listingCalls) FetchUnit(ctx context.Context, t tvmexport.Table, u tvmexport.Unit, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	return c.source("FetchUnit").FetchUnit(ctx, t, u, w)
}

func (c *listingCalls) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	return c.source("Columns").Columns(ctx, table)
}

func (c *listingCalls) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	return c.source("Schemas").Schemas(ctx, tables)
}

// list lists the units of Table and checks what holds for every listing.
func (h ListingHarness) list(t *testing.T) tvmexport.Listing {
	t.Helper()
	l, err := h.Source.List(t.Context(), h.Table)
	if err != nil {
		t.Fatal(err)
	}
	if l.Version == "" || l.Calls < 1 || len(l.Units) == 0 {
		t.Fatalf("the listing has the version %q and %d units by %d calls", l.Version, len(l.Units), l.Calls)
	}
	known := map[string]bool{}
	for _, u := range l.Units {
		if u.ID == "" || known[u.ID] || u.Version != l.Version || u.Rows < tvmexport.Missing {
			t.Errorf("in a listing of the version %q: the unit %+v", l.Version, u)
		}
		known[u.ID] = true
	}
	return l
}

// read reads a unit that proves its completeness.
func (h ListingHarness) read(t *testing.T, u tvmexport.Unit) (keys []string, a tvmexport.Answer) {
	t.Helper()
	list := &rowList{t: t, of: whole(h.Table)}
	a, err := h.Source.FetchUnit(t.Context(), h.Table, u, list)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Complete() || a.Rows != int64(len(list.keys)) || a.Calls < 0 {
		t.Errorf("the unit %s has %d rows of %d by %d calls, and %d were written", u.ID, a.Rows, a.Counted, a.Calls, len(list.keys))
	}
	if a.Empty && a.Rows > 0 {
		t.Errorf("the unit %s says that it has no rows, and has %d", u.ID, a.Rows)
	}
	return list.keys, a
}

// walk reads all units of a listing, also those that only units name.
func (h ListingHarness) walk(t *testing.T, l tvmexport.Listing) (keys []string) {
	t.Helper()
	open, known := slices.Clone(l.Units), map[string]bool{}
	for len(open) > 0 {
		u := open[0]
		open = open[1:]
		if known[u.ID] {
			continue
		}
		known[u.ID] = true
		if u.Version != l.Version {
			t.Fatalf("a unit of the version %q names one of the version %q", l.Version, u.Version)
		}
		more, a := h.read(t, u)
		keys, open = append(keys, more...), append(open, a.Next...)
	}
	return keys
}

// filled is a unit of a listing that has rows.
func (h ListingHarness) filled(t *testing.T, l tvmexport.Listing) (tvmexport.Unit, []string) {
	t.Helper()
	for _, u := range l.Units {
		if keys, _ := h.read(t, u); len(keys) > 0 {
			return u, keys
		}
	}
	t.Fatal("no unit of the listing has rows")
	return tvmexport.Unit{}, nil
}

// listSince: of a table with a watermark, the rows since a time are there.
func listSince(t *testing.T, h ListingHarness) {
	since, _ := tvmexport.Ability[tvmexport.SinceLister](h.Source)
	rows := h.Rows(t, h.Events.Name)
	moments := times(rows)
	from := moments[len(moments)/2]
	for _, from := range []time.Time{{}, from} {
		l, err := since.ListSince(t.Context(), h.Events, from)
		if err != nil {
			t.Fatal(err)
		}
		events := h
		events.Table = h.Events
		if !from.IsZero() && l.Gone != (tvmexport.Window{}) {
			t.Errorf("since %s: the source no longer has %v, and there is a row of an earlier time", from, l.Gone)
		}
		got := map[string]int{}
		for _, key := range events.walk(t, l) {
			got[key]++
		}
		for _, r := range rows {
			if (from.IsZero() || r.Time.After(from) || r.Time.IsZero()) && got[r.Key] == 0 {
				t.Errorf("since %s: a row of %s is not there", from, r.Time)
			}
		}
	}
}

func isUnitExpired(err error) bool { return errors.Is(err, tvmexport.ErrUnitExpired) }

// later lets time pass within the validity of links.
func later() { time.Sleep(time.Second) }
