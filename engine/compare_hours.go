package engine

import (
	"context"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// stretch is a window in which what was planned and what was fetched have no
// edge in common but its own.
type stretch struct {
	window  tvmexport.Window
	least   int64 // rows, as counted of windows within it
	most    int64 // rows, as counted of windows that begin before it or end after it too
	fetched int64
}

// stretches puts units and batches together by the windows that they share.
// Rows without a watermark, and tables that have none, are one stretch each.
func stretches(units []planUnit, batches []tvmexport.BatchInfo) []stretch {
	list := make([]stretch, 0, len(units)+len(batches))
	for _, p := range units {
		s := stretch{window: p.Window, least: p.Rows, most: p.Rows}
		if p.Wider {
			s.least = 0
		}
		list = append(list, s)
	}
	for _, b := range batches {
		list = append(list, stretch{window: b.Slice.Window, fetched: b.Rows})
	}
	slices.SortStableFunc(list, func(a, b stretch) int {
		if a.window.Null != b.window.Null {
			if a.window.Null {
				return 1
			}
			return -1
		}
		return a.window.From.Compare(b.window.From)
	})
	var out []stretch
	for _, s := range list {
		if len(out) == 0 || !out[len(out)-1].window.Overlaps(s.window) {
			out = append(out, s)
			continue
		}
		last := &out[len(out)-1]
		last.least += s.least
		last.most += s.most
		last.fetched += s.fetched
		if to := s.window.To; to.IsZero() || !last.window.To.IsZero() && to.After(last.window.To) {
			last.window.To = to
		}
	}
	return out
}

// differingWindows are the windows of which fewer or more rows were fetched than
// their counts allow. Where a count covers more than the window, as that of the
// hour in which a run's window ends, any number up to it is allowed.
func differingWindows(counted []planUnit, batches []tvmexport.BatchInfo) []difference {
	var out []difference
	for _, s := range stretches(counted, batches) {
		if s.fetched < s.least || s.fetched > s.most {
			out = append(out, difference{window: s.window, least: s.least, most: s.most, fetched: s.fetched})
		}
	}
	return out
}

// countWindows counts windows again, and notes in the list, which is in the
// order of time, what it finds. One call counts all of them if they begin and
// end with an hour; edges within an hour take a call of their own.
func countWindows(ctx context.Context, st stage, t tvmexport.Table, list []difference) (now time.Time, err error) {
	for len(list) > 0 {
		n := together(list)
		q := tvmexport.CountQuery{Table: t, Window: list[0].window, Bin: time.Hour, Nulls: list[0].window == tvmexport.Window{}}
		if n > 1 {
			q.Window.To = list[n-1].window.To
		}
		counts, err := st.count(ctx, q)
		if err != nil {
			return now, err
		}
		now = counts.Now
		fill(list[:n], counts.Parts)
		list = list[n:]
	}
	return now, nil
}

// together is how many windows at the beginning of the list one call can count
// by hours.
func together(list []difference) int {
	n := 1
	for n < len(list) && isTimed(list[n-1].window) && isTimed(list[n].window) && whole(list[n-1].window.To) && whole(list[n].window.From) {
		n++
	}
	return n
}

// isTimed says whether the window is one of time.
func isTimed(w tvmexport.Window) bool { return !w.Null && w != tvmexport.Window{} }

// whole says whether a window can begin or end at t without dividing an hour.
func whole(t time.Time) bool {
	return t.Add(tvmexport.Tick).Equal(t.Add(tvmexport.Tick).Truncate(time.Hour))
}

// fill notes the counts of hours with the windows that hold them.
func fill(list []difference, parts []tvmexport.Count) {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b tvmexport.Count) int { return a.Start.Compare(b.Start) })
	i := 0
	for _, c := range parts {
		for i < len(list)-1 && isTimed(list[i].window) && c.Start.After(list[i].window.To) {
			i++
		}
		w := list[i].window
		if !isTimed(w) || c.Start.Add(time.Hour-tvmexport.Tick).After(w.From) && (w.To.IsZero() || !c.Start.After(w.To)) {
			list[i].after += c.Rows // else it is between two windows
		}
	}
	for i := range list {
		d := &list[i]
		d.moved = d.after < d.least || d.after > d.most
	}
}
