package tvmexport

import "time"

// Window is a half-open range (From, To] of a watermark. A zero From or To is
// open. The zero Window is all rows, those with a null watermark too; Null
// alone is the rows whose watermark is null.
type Window struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	Null bool      `json:"null,omitempty"`
}

// Bounded says whether both ends are set.
func (w Window) Bounded() bool { return !w.From.IsZero() && !w.To.IsZero() }

// Tick is the resolution of a Kusto datetime.
const Tick = 100 * time.Nanosecond

// Halves cuts a bounded window in two at a tick. ok is false where it is too
// narrow to cut.
func (w Window) Halves() (a, b Window, ok bool) {
	if !w.Bounded() || w.To.Sub(w.From) < 2*Tick {
		return w, w, false
	}
	mid := w.From.Add((w.To.Sub(w.From) / 2).Truncate(Tick))
	return Window{From: w.From, To: mid}, Window{From: mid, To: w.To}, true
}

// width is how long the window is; an hour, the widest step of a count, where
// only its end is known, and 0 for rows without a watermark or all rows.
func (w Window) width() time.Duration {
	switch {
	case w.Bounded():
		return w.To.Sub(w.From)
	case !w.To.IsZero():
		return time.Hour
	}
	return 0
}
