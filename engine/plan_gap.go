package engine

import (
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// gapOf is the part of the watermark that a run should read and that the source no
// longer has. It begins where the committed runs end, or later if an operator ordered a
// later start, and ends with what is gone, at the latest where the run ends. Rows that the
// source returns all the same end it too. It is zero if nothing is gone, and if reached
// is zero: without a committed run the history begins with what the source has.
func gapOf(reached time.Time, window tvmexport.Window, c tvmexport.Counts) tvmexport.Window {
	if reached.IsZero() || c.Gone.To.IsZero() {
		return tvmexport.Window{}
	}
	gap := tvmexport.Window{From: later(later(reached, window.From), c.Gone.From), To: earlier(c.Gone.To, window.To)}
	for _, p := range c.Parts {
		if p.Rows > 0 && p.Start.After(gap.From) {
			gap.To = earlier(gap.To, p.Start.Add(-tvmexport.Tick))
		}
	}
	if !gap.To.After(gap.From) {
		return tvmexport.Window{}
	}
	return gap
}

// beginsLater says that a run which reads from the beginning, or published windows again,
// gets less than that; "" if it gets all. Earlier runs may have published the rest.
func beginsLater(window tvmexport.Window, again []tvmexport.Window, gone tvmexport.Window) string {
	begins := window.From.IsZero()
	for _, w := range again {
		begins = begins || w.From.Before(gone.To)
	}
	if !begins || gone.To.IsZero() {
		return ""
	}
	return fmt.Sprintf("the source no longer has the events up to %s: the run gets later ones", gone.To.UTC().Format(time.RFC3339))
}

// addGap adds the gap of a committed run, if it has one.
func addGap(list []tvmexport.Window, gap tvmexport.Window) []tvmexport.Window {
	if gap == (tvmexport.Window{}) {
		return list
	}
	return append(list[:len(list):len(list)], gap)
}

// kept is the part of a window that begins where nothing is gone; zero if there is none.
func kept(w, gone tvmexport.Window) tvmexport.Window {
	w.From = later(w.From, gone.To)
	if !w.To.IsZero() && !w.To.After(w.From) {
		return tvmexport.Window{}
	}
	return w
}
