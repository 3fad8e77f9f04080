package engine

import (
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// coalesceHours gathers hours that are asked for again into longer windows: calls are
// scarcer than rows. A window holds at most the given number of rows. It includes
// hours without missing rows only if they have no more rows than it has so far.
// It never overlaps the windows in but, which are fetched anyway: no row may come
// in two late batches. source are the counts of all hours.
func coalesceHours(hours []planUnit, source []tvmexport.Count, but []tvmexport.Window, most int64) []planUnit {
	slices.SortFunc(hours, func(a, b planUnit) int { return a.Window.From.Compare(b.Window.From) })
	rows := make(map[time.Time]int64, len(source))
	for _, c := range source {
		rows[c.Start.UTC()] += c.Rows
	}
	var out []planUnit
	for _, p := range hours {
		if len(out) == 0 {
			out = append(out, p)
			continue
		}
		last := &out[len(out)-1]
		between := int64(0)
		for at := last.Window.To.Add(tvmexport.Tick); at.Before(p.Window.From); at = at.Add(time.Hour) {
			between += rows[at.UTC()]
		}
		w := tvmexport.Window{From: last.Window.From, To: p.Window.To}
		if between > last.Rows || last.Rows+between+p.Rows > most || slices.ContainsFunc(but, w.Overlaps) {
			out = append(out, p)
			continue
		}
		last.Window, last.Rows = w, last.Rows+between+p.Rows
	}
	return out
}
