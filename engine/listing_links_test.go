package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// fixedListing always lists the same.
type fixedListing struct {
	*contract.ListingSource
	listing tvmexport.Listing
}

func (f fixedListing) List(context.Context, tvmexport.Table) (tvmexport.Listing, error) {
	return f.listing, nil
}

// A unit whose link has expired is listed again; what was read stays.
func TestListedLinksExpire(t *testing.T) {
	for _, told := range []bool{true, false} { // the listing says when links expire
		for _, walk := range []bool{false, true} {
			t.Run(fmt.Sprintf("told %t, pages %t", told, walk), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newListed()
					w.source.Valid, w.source.Walk = time.Hour, walk
					w.Calls = 1
					w.source.Before = func(tvmexport.Unit) error {
						time.Sleep(25 * time.Minute)
						return nil
					}
					if !told {
						w.Source = untold{w.source}
					}
					rows := w.generate("v1", 10, 10, 10, 10, 10, 10, 10)
					r := w.export(t)
					w.agrees(t, rows)
					got := slices.Compact(w.read())
					if len(got) != 7 {
						t.Errorf("the units %q were read", got)
					}
					if len(r.Notes) != 0 || !walk && w.source.Lists != 4 {
						t.Errorf("%d listings, notes %q; want 4 without a note", w.source.Lists, r.Notes)
					}
				})
			})
		}
	}
}

// untold does not tell when links expire.
type untold struct{ *contract.ListingSource }

func (u untold) List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	l, err := u.ListingSource.List(ctx, t)
	for i := range l.Units {
		l.Units[i].Expires = time.Time{}
	}
	return l, err
}

// Where the source has a newer version when links expire, the run starts over:
// no run publishes units of two versions.
func TestListedNewVersionMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newListed()
		w.source.Valid, w.Calls = time.Hour, 1
		var newer []contract.Row
		w.source.Before = func(tvmexport.Unit) error {
			time.Sleep(25 * time.Minute)
			if newer == nil {
				newer = w.generate("v2", 3, 3)
			}
			return nil
		}
		w.generate("v1", 10, 10, 10, 10)
		r := w.export(t)
		w.agrees(t, newer)
		if said := strings.Join(r.Notes, "\n"); !strings.Contains(said, "started over with the version v2") {
			t.Errorf("notes %q", said)
		}
	})
	bubble(t, func(t *testing.T) { // links that are still valid: the version is read to its end
		w := newListed()
		var reads atomic.Int64
		w.source.Before = func(tvmexport.Unit) error { // units are read at the same time
			if reads.Add(1) == 2 {
				w.generate("v2", 3, 3)
			}
			return nil
		}
		rows := w.generate("v1", 10, 10, 10, 10)
		w.export(t)
		w.agrees(t, rows)
	})
}

// Links that never work, and versions without an end, end the run.
func TestListedLinksThatNeverWork(t *testing.T) {
	for name, newer := range map[string]bool{"expired": false, "always a newer version": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newListed()
				before := w.generate("v0", 5)
				w.export(t)
				w.source.Before = func(tvmexport.Unit) error {
					if newer {
						w.generate("v"+fmt.Sprint(time.Now().UnixNano()), 1)
						time.Sleep(time.Second)
					}
					return &tvmexport.Error{Op: "fetch", Action: tvmexport.Retry, Err: tvmexport.ErrUnitExpired}
				}
				w.generate("v1", 10)
				err := w.failure(t, engine.Request{})
				if !newer && !errors.Is(err, tvmexport.ErrUnitExpired) || tvmexport.CauseOf(err) != tvmexport.Integrity {
					t.Errorf("the error is %v", err)
				}
				if n := w.source.Lists; n > 6 {
					t.Errorf("%d listings", n)
				}
				w.agrees(t, before)
			})
		})
	}
}

// A run that was interrupted resumes: units of the same version that landed are
// not read again, those of an older one are not used.
func TestListedResume(t *testing.T) {
	for name, c := range map[string]struct {
		walk, newer bool
		again       []string // read by the second run
	}{
		"files":         {false, false, []string{"v1/part-00002", "v1/part-00003"}},
		"pages":         {true, false, []string{"v1/part-00000", "v1/part-00001", "v1/part-00002", "v1/part-00003"}},
		"newer version": {false, true, []string{"v2/part-00000", "v2/part-00001"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newListed()
				w.Resume, w.Calls = 24*time.Hour, 1
				w.source.Walk = c.walk
				rows := w.generate("v1", 10, 20, 30, 40)
				w.source.Before = func(u tvmexport.Unit) error {
					if u.ID == "part-00002" {
						return &tvmexport.Error{Op: "fetch", Action: tvmexport.Stop, Err: errors.New("interrupted")}
					}
					return nil
				}
				w.failure(t, engine.Request{})
				w.read()
				w.source.Before = nil
				if c.newer {
					rows = w.generate("v2", 7, 8)
				}
				r := w.export(t)
				w.agrees(t, rows)
				if got := w.read(); !slices.Equal(got, c.again) {
					t.Errorf("the second run read %q, want %q", got, c.again)
				}
				if resumed := map[bool]int64{true: 30}[name == "files"]; r.Resumed != resumed {
					t.Errorf("%d rows were reused, want %d", r.Resumed, resumed)
				}
			})
		})
	}
}

// A batch that never lands is read again by its unit.
func TestListedBatchNeverLands(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newListed()
		w.source.Valid = time.Hour
		lost := false
		w.destination.OnLand = func(b tvmexport.Batch) int {
			if b.Slice.Unit.ID == "part-00001" && !lost {
				lost = true
				return 0
			}
			return 1
		}
		w.Patience.Landing = 2 * time.Hour // links expire meanwhile
		rows := w.generate("v1", 10, 20, 30)
		w.export(t)
		w.agrees(t, rows)
		if got := w.read(); len(got) != 4 || w.source.Lists != 2 {
			t.Errorf("read %q after %d listings, want one unit twice after 2", got, w.source.Lists)
		}
	})
}

// A table whose source lists whole states cannot follow a watermark, and tables
// of two sources are exported by one invocation.
func TestSourcesByTable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const events = "DeviceEvents"
		w := newWorld(tvmexport.Snapshot, "")
		lists := &contract.ListingSource{}
		w.Sources = map[string]tvmexport.Source{software: lists}
		w.destination.List = append(w.destination.List, tvmexport.Order{Table: events, Into: events + "Raw", Load: tvmexport.Snapshot, Active: true})
		files, counted := device("aa", 5, time.Time{}), device("bb", 6, time.Time{})
		lists.Generate(software, "v1", files)
		w.source.Set(events, counted)
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range report.Outcomes {
			if r.Err != nil {
				t.Error(r.Err)
			}
		}
		w.agrees(t, files)
		if got := w.destination.Current(events); len(got) != len(counted) {
			t.Errorf("%d rows of the table that is counted, want %d", len(got), len(counted))
		}
		w.destination.List[0].Load, w.destination.List[0].Column = tvmexport.Incremental, "Timestamp"
		if report, err = w.Run(t.Context(), engine.Request{Tables: []string{software}}); err != nil {
			t.Fatal(err)
		}
		if err := report.Outcomes[0].Err; !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "LoadType") {
			t.Errorf("following a watermark: %v", err)
		}
	})
}

// A source that neither counts nor lists is refused in a sentence.
func TestSourceWithSchemasOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(2, 2))
		w.Source = struct{ tvmexport.Source }{w.source}
		if err := w.failure(t, engine.Request{}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("the error is %v", err)
		}
	})
}

// A second listing of one version that has other units is not trusted: the run
// starts over with it.
func TestListedUnitsThatAppear(t *testing.T) {
	for name, c := range map[string]struct{ expire, consistent bool }{
		"when links expire":    {true, false},
		"when it is rechecked": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newListed()
				w.Calls, w.Consistent = 1, c.consistent
				if c.expire {
					w.source.Valid = time.Hour
					w.source.Before = func(tvmexport.Unit) error { time.Sleep(25 * time.Minute); return nil }
				}
				rows := w.generate("v1", 10, 20, 30, 40)
				w.Source = &growing{w.source, 1}
				r := w.export(t)
				w.agrees(t, rows)
				if said := strings.Join(r.Notes, "\n"); !strings.Contains(said, "has other units") {
					t.Errorf("notes %q", said)
				}
			})
		})
	}
}

// growing leaves units out of its first listings.
type growing struct {
	*contract.ListingSource
	short int
}

func (g *growing) List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	l, err := g.ListingSource.List(ctx, t)
	if g.short > 0 {
		g.short--
		l.Units = l.Units[:len(l.Units)-1]
	}
	return l, err
}

// With consistency of the whole table a newer version is noted, and costs one listing.
func TestListedRecheck(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newListed()
		w.Consistent = true
		rows := w.generate("v1", 10, 20)
		if r := w.export(t); r.Calls != 4 || len(r.Notes) != 0 {
			t.Errorf("%d calls, notes %q; want 4 without a note", r.Calls, r.Notes)
		}
		w.agrees(t, rows)
		w.source.Before = func(u tvmexport.Unit) error {
			if u.Version == "v2" && u.ID == "part-00001" {
				w.generate("v3", 1)
			}
			return nil
		}
		rows = w.generate("v2", 3, 4)
		r := w.export(t)
		if said := strings.Join(r.Notes, "\n"); !strings.Contains(said, "has the version v3") {
			t.Errorf("notes %q", said)
		}
		w.agrees(t, rows)
	})
}

// A walk that comes to a page twice has not come to its end.
func TestListedWalkInACircle(t *testing.T) {
	for name, at := range map[string]int{"back to the first page": 0, "to the page itself": 2, "to the page before": 1} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newListed()
				w.source.Walk = true
				w.generate("v1", 10, 20, 30, 40)
				pages := map[string]tvmexport.Unit{}
				w.source.Corrupt = func(u tvmexport.Unit, a *tvmexport.Answer) {
					pages[u.ID] = u
					if u.ID == "part-00002" {
						a.Next = []tvmexport.Unit{pages[fmt.Sprintf("part-%05d", at)]}
					}
				}
				if err := w.failure(t, engine.Request{}); tvmexport.CauseOf(err) != tvmexport.Integrity || !strings.Contains(err.Error(), "named before") {
					t.Errorf("the error is %v", err)
				}
				w.agrees(t, nil)
			})
		})
	}
}

// What a run of units landed is no part of a run by counts, and the other way round.
func TestListedBatchesOfAnotherKind(t *testing.T) {
	for name, listsFirst := range map[string]bool{"units, then counts": true, "counts, then units": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newListed()
				w.Resume, w.Calls = 24*time.Hour, 1
				// The unit that lands has as many rows as the table.
				one, all := device("aa", 30, time.Time{}), append(device("bb", 10, time.Time{}), device("cc", 20, time.Time{})...)
				w.source.Generate(software, "v1", one, all)
				w.world.source.Set(software, all)
				w.world.source.Plain = true
				w.source.Before = func(u tvmexport.Unit) error {
					if u.ID == "part-00001" && listsFirst {
						return &tvmexport.Error{Op: "fetch", Action: tvmexport.Stop, Err: errors.New("interrupted")}
					}
					return nil
				}
				w.Source = w.source
				if listsFirst {
					w.failure(t, engine.Request{})
					w.Source = w.world.source
				} else {
					w.Source = w.world.source
					ctx, cancel := context.WithCancel(t.Context())
					w.Hooks.Landing = func(tvmexport.Run, tvmexport.Batch) { cancel() }
					if report, err := w.Run(ctx, engine.Request{}); err == nil && report.Outcomes[0].Err == nil {
						t.Fatal("the first run was not interrupted")
					}
					w.Hooks.Landing = nil
					w.Source = w.source
				}
				r := w.export(t)
				want := all
				if !listsFirst {
					want = append(slices.Clone(one), all...)
				}
				w.agrees(t, want)
				if r.Resumed != 0 {
					t.Errorf("%d rows of a run of another kind were reused", r.Resumed)
				}
			})
		})
	}
}
