package spool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport"
)

// walk is the way through the units of one version: those that the source lists, and
// those that only the answer to another unit names. Its rules are those by which the
// engine reads a source that lists units.
type walk struct {
	source *Source
	state  *state
	calls  int

	listing  []string          // units in the listing of the version
	known    map[string]bool   // IDs of the version that were met
	namedBy  map[string]string // by ID: the unit whose answer alone names it
	open     []tvmexport.Unit
	empty    int  // units without rows that neither their listing nor they themselves announce
	restarts int  // listings that the walk began with, after the first one
	fruitful bool // a unit was read since the last listing
	idle     int  // listings in a row after which no unit could be read
}

// How often units are listed again: after as many listings in a row that let the walk
// read nothing, and as many newer versions, it ends.
const (
	maxIdleListings = 3
	maxNewVersions  = 3
)

// read reads all rows that a question needs.
func (s *Source) read(ctx context.Context, q question) (*state, int, error) {
	w := &walk{source: s, state: &state{table: q.table}}
	if w.state.timed = isTimed(q.table); w.state.timed && !q.window.Null {
		w.state.since = q.window.From
	}
	w.state.prints, w.state.byRow = q.table.FingerprintColumns(), q.table.Key.IsRow()
	var err error
	if w.state.file, err = s.store.create(q.table.Name); err != nil {
		return nil, 0, err
	}
	if err := w.run(ctx); err != nil {
		w.state.file.remove()
		return nil, w.calls, err
	}
	return w.state, w.calls, nil
}

func (w *walk) run(ctx context.Context) error {
	began := time.Now()
	l, err := w.list(ctx)
	if err != nil {
		return err
	}
	w.begin(l)
	for len(w.open) > 0 {
		if err := w.round(ctx); err != nil {
			return err
		}
	}
	w.end(began)
	return w.columns(ctx)
}

// columns are those that the source tells, where its answers declare none.
func (w *walk) columns(ctx context.Context) error {
	st := w.state
	if len(st.columns) > 0 || st.rows == 0 {
		return nil
	}
	told, err := w.source.source.Schemas(ctx, []string{st.table.Name})
	st.columns = told[st.table.Name]
	return err
}

// list lists the units of the newest version.
func (w *walk) list(ctx context.Context) (l tvmexport.Listing, err error) {
	st := w.state
	since, ok := tvmexport.Ability[tvmexport.SinceLister](w.source.source)
	if ok && st.timed {
		l, err = since.ListSince(ctx, st.table, st.since)
	} else {
		st.since = time.Time{}
		l, err = w.source.source.List(ctx, st.table)
	}
	w.calls += l.Calls
	if err != nil {
		return l, err
	}
	known := map[string]bool{}
	for _, u := range l.Units {
		if u.ID == "" || u.Version != l.Version || known[u.ID] {
			return l, w.unreadable("list", errors.New("the listing has a unit without an identity, of another version, or twice"))
		}
		known[u.ID] = true
	}
	if l.Version == "" {
		return l, w.unreadable("list", errors.New("the listing does not name its version"))
	}
	return l, nil
}

// begin starts with the units of a listing.
func (w *walk) begin(l tvmexport.Listing) {
	w.state.version, w.state.at, w.state.gone = l.Version, l.At, l.Gone
	w.listing, w.empty, w.open = listedUnits(l), 0, nil
	w.known, w.namedBy = make(map[string]bool, len(l.Units)), map[string]string{}
	for _, u := range l.Units {
		w.add(u)
	}
}

// add adds a unit to those to read, each once.
func (w *walk) add(u tvmexport.Unit) {
	if !w.known[u.ID] {
		w.known[u.ID] = true
		w.open = append(w.open, u)
	}
}

// round reads the open units, and lists those again whose links have expired.
func (w *walk) round(ctx context.Context) error {
	units := w.open
	w.open = nil
	var mu sync.Mutex
	var expired []tvmexport.Unit
	within, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	g, each := errgroup.WithContext(within)
	for _, u := range units {
		if err := w.source.enter(each); err != nil {
			break
		}
		g.Go(func() error {
			defer w.source.leave()
			o, err := w.source.readUnit(each, w.state, u)
			mu.Lock()
			defer mu.Unlock()
			w.calls += o.calls
			switch {
			case err != nil:
			case o.expired:
				expired = append(expired, u)
				return nil
			default:
				err = w.take(u, o)
			}
			if err != nil {
				stop(err) // before the next unit begins
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil || len(expired) == 0 {
		return err
	}
	return w.listAgain(ctx, expired)
}

// take adds the rows of a unit that has proven to be complete, and the units that it
// names.
func (w *walk) take(u tvmexport.Unit, o outcome) error {
	w.fruitful = true
	if o.rows == 0 && u.Rows != 0 && !o.answer.Empty {
		w.empty++
	}
	w.state.join(o)
	for _, next := range o.answer.Next {
		if next.ID == "" || next.Version != w.state.version {
			return w.unreadable("fetch", fmt.Errorf("a unit of the version %.40q names the unit %.80q of the version %.40q", w.state.version, next.ID, next.Version))
		}
		// A unit that is named twice would end a walk before its last page.
		if by, twice := w.namedBy[next.ID]; twice && by != u.ID || !twice && w.known[next.ID] {
			return w.unreadable("fetch", fmt.Errorf("the unit %.80q names the unit %.80q, which was named before", u.ID, next.ID))
		}
		w.namedBy[next.ID] = u.ID
		w.add(next)
	}
	return nil
}

// listAgain gets new links for units whose links have expired. If the source has a
// newer version meanwhile, the walk starts over with it: rows of two versions are no
// state of the table.
func (w *walk) listAgain(ctx context.Context, expired []tvmexport.Unit) error {
	if w.fruitful {
		w.idle, w.fruitful = 0, false
	}
	if w.idle++; w.idle > maxIdleListings {
		return w.unreadable("fetch", fmt.Errorf("the links of %d units expired after each of %d listings: %w", len(expired), maxIdleListings, tvmexport.ErrUnitExpired))
	}
	l, err := w.list(ctx)
	if err != nil {
		return err
	}
	if l.Version != w.state.version || !slices.Equal(listedUnits(l), w.listing) {
		return w.startOver(l)
	}
	links := make(map[string]tvmexport.Unit, len(l.Units))
	for _, u := range l.Units {
		links[u.ID] = u
	}
	open := append(w.open, expired...)
	for i, u := range open {
		again, ok := links[u.ID]
		if !ok && slices.ContainsFunc(expired, u.Is) {
			return w.startOver(l) // only the answer to another unit names it
		}
		if ok {
			open[i] = again
		}
	}
	w.open = open
	return nil
}

// startOver begins again with all units of a listing.
func (w *walk) startOver(l tvmexport.Listing) error {
	if w.restarts++; w.restarts > maxNewVersions {
		return w.unreadable("fetch", fmt.Errorf("the table was read from the beginning %d times, because the links of units expired and the source had newer units", maxNewVersions))
	}
	st := w.state
	if l.Version == st.version {
		st.note("the table was read from the beginning: a second listing of the version %s has other units, or links that only units name expired", l.Version)
	} else {
		st.note("the table was read from the beginning with the version %s: links expired before all units of the version %s were read", l.Version, st.version)
	}
	if err := st.clear(); err != nil {
		return err
	}
	w.begin(l)
	return nil
}

// end notes what people should know of the state.
func (w *walk) end(began time.Time) {
	st := w.state
	if w.empty > 0 {
		st.note("files without rows: %d of %d, also when read a second time; a device group without devices has such a file", w.empty, len(w.known))
	}
	if st.rows == 0 && !st.timed {
		st.note("the version %s has no rows at all: if that is published, readers see an empty table until the source has rows", st.version)
	}
	switch {
	case !st.at.IsZero():
		st.note("the source's state is of %s", st.at.UTC().Format(time.RFC3339))
	case st.timed && !st.newest.IsZero():
		// A watermark must not pass what the source had.
		st.at = st.newest
	default:
		st.at = began
	}
}

func (w *walk) unreadable(op string, why error) error {
	return &tvmexport.Error{
		Op: op, Table: w.state.table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: why,
		Hint: "nothing was published; run again, with more units at a time if they take longer than their links are valid",
	}
}

// listedUnits are the identities of a listing's units, with the rows that it announces.
func listedUnits(l tvmexport.Listing) []string {
	out := make([]string, len(l.Units))
	for i, u := range l.Units {
		out[i] = fmt.Sprintf("%d %s", u.Rows, u.ID)
	}
	slices.Sort(out)
	return out
}

func (s *state) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// clear removes all rows.
func (s *state) clear() error {
	s.rows, s.newest, s.chunks, s.index, s.columns = 0, time.Time{}, [buckets][]chunk{}, index{}, nil
	return s.file.reset()
}

// join adds the rows of a unit.
func (s *state) join(o outcome) {
	s.rows += o.rows
	if o.newest.After(s.newest) {
		s.newest = o.newest
	}
	for b, list := range o.chunks {
		s.chunks[b] = append(s.chunks[b], list...)
	}
	s.index.merge(&o.index)
	for _, c := range o.answer.Columns {
		i := slices.IndexFunc(s.columns, func(k tvmexport.Column) bool { return k.Name == c.Name })
		switch {
		case i < 0:
			s.columns = append(s.columns, c)
		case s.columns[i].Type != c.Type: // regardless of the order in which units are read
			s.columns[i].Type = "dynamic"
		}
	}
}

// enter waits until one more unit may be read.
func (s *Source) enter(ctx context.Context) error {
	select {
	case s.reads <- struct{}{}:
		if ctx.Err() != nil { // select chooses at random
			s.leave()
			return context.Cause(ctx)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Source) leave() { <-s.reads }
