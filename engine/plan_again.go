package engine

import (
	"slices"

	"github.com/tvmexport/tvmexport"
)

// asAgain are the windows that are asked for again, disjoint, in order, and
// none behind the lower end of the run's own window: a row that comes in two
// slices of one run would be published twice.
func asAgain(list []tvmexport.Window, own tvmexport.Window) []tvmexport.Window {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b tvmexport.Window) int { return a.From.Compare(b.From) })
	var out []tvmexport.Window
	for _, w := range list {
		if endOf(w).After(own.From) {
			w.To = own.From
		}
		if own.From.IsZero() || !w.From.Before(w.To) {
			continue
		}
		if n := len(out); n > 0 && !w.From.After(out[n-1].To) {
			out[n-1].To = later(out[n-1].To, w.To)
			continue
		}
		out = append(out, w)
	}
	return out
}
