package engine

import (
	"slices"
	"sort"
	"time"

	"github.com/tvmexport/tvmexport"
)

// spans is a growing set of windows, each with the number that its owner gave
// it. Bounded and half-open windows are kept in sorted runs whose lengths at
// least halve from one to the next, so that n windows cost O(n log n) to add
// in any order and a search visits O(log n) runs. The zero value is empty.
type spans struct {
	whole []int // numbers of zero windows: all rows
	null  []int // numbers of windows of rows without a watermark
	runs  [][]span
}

// span is a window between two moments. reach is the latest end in its run up
// to and including this span.
type span struct {
	from, to, reach time.Time
	id              int
}

// forever is the end of a window without an upper end: later than any moment
// that a datetime of Kusto can hold.
var forever = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)

// endOf is the upper end of w.
func endOf(w tvmexport.Window) time.Time {
	if w.To.IsZero() {
		return forever
	}
	return w.To
}

func (s *spans) add(w tvmexport.Window, id int) {
	switch {
	case w == (tvmexport.Window{}):
		s.whole = append(s.whole, id)
	case w.Null:
		s.null = append(s.null, id)
	default:
		s.addSpan(span{from: w.From, to: endOf(w), reach: endOf(w), id: id})
	}
}

func (s *spans) addSpan(v span) {
	n := len(s.runs)
	if n > 0 && !s.runs[n-1][len(s.runs[n-1])-1].from.After(v.from) {
		s.runs[n-1] = extend(s.runs[n-1], v)
	} else {
		s.runs = append(s.runs, []span{v})
	}
	for n = len(s.runs); n > 1 && len(s.runs[n-2]) <= len(s.runs[n-1]); n-- {
		s.runs[n-2] = merge(s.runs[n-2], s.runs[n-1])
		s.runs = s.runs[:n-1]
	}
}

// extend appends a span that begins no earlier than those of the run.
func extend(run []span, v span) []span {
	v.reach = v.to
	if n := len(run); n > 0 && run[n-1].reach.After(v.to) {
		v.reach = run[n-1].reach
	}
	return append(run, v)
}

func merge(a, b []span) []span {
	out := make([]span, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if b[0].from.Before(a[0].from) {
			out, b = extend(out, b[0]), b[1:]
			continue
		}
		out, a = extend(out, a[0]), a[1:]
	}
	for _, v := range slices.Concat(a, b) {
		out = extend(out, v)
	}
	return out
}

// before is how many spans of a run begin before t.
func before(run []span, t time.Time) int {
	return sort.Search(len(run), func(i int) bool { return !run[i].from.Before(t) })
}

// contains says whether one window of the set has every moment of w. A zero
// window is contained in a zero window alone, and contains nothing else: a set
// of rows that is not counted by watermark cannot be divided by it.
func (s *spans) contains(w tvmexport.Window) bool {
	switch {
	case w == (tvmexport.Window{}):
		return len(s.whole) > 0
	case w.Null:
		return len(s.null) > 0
	}
	for _, run := range s.runs {
		i := sort.Search(len(run), func(i int) bool { return run[i].from.After(w.From) })
		if i > 0 && !run[i-1].reach.Before(endOf(w)) {
			return true
		}
	}
	return false
}

// overlaps says whether a row can be in w and in a window of the set.
func (s *spans) overlaps(w tvmexport.Window) bool {
	switch {
	case len(s.whole) > 0:
		return true
	case w == (tvmexport.Window{}):
		return len(s.null) > 0 || len(s.runs) > 0
	case w.Null:
		return len(s.null) > 0
	}
	for _, run := range s.runs {
		if i := before(run, endOf(w)); i > 0 && run[i-1].reach.After(w.From) {
			return true
		}
	}
	return false
}

// cover adds w to a set that is asked only what it overlaps.
func (s *spans) cover(w tvmexport.Window) {
	switch {
	case len(s.whole) > 0 || s.contains(w):
	case w == (tvmexport.Window{}):
		s.whole = unnumbered
	default:
		s.add(w, 0)
	}
}

// unnumbered stands for zero windows of which only the presence is of interest.
var unnumbered = []int{0}

// each calls visit with the number of every window of the set that overlaps w.
func (s *spans) each(w tvmexport.Window, visit func(id int)) {
	all := func(ids []int) {
		for _, id := range ids {
			visit(id)
		}
	}
	all(s.whole)
	if w.Null || w == (tvmexport.Window{}) {
		all(s.null)
	}
	if w.Null {
		return
	}
	for _, run := range s.runs {
		for i := before(run, endOf(w)) - 1; i >= 0 && run[i].reach.After(w.From); i-- {
			if run[i].to.After(w.From) {
				visit(run[i].id)
			}
		}
	}
}
