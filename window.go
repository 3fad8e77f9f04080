package tvmexport

import (
	"fmt"
	"time"
)

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

// Contains says whether every moment of v is in w.
func (w Window) Contains(v Window) bool {
	if w == v || w == (Window{}) {
		return true
	}
	if w.Null || v.Null || v == (Window{}) {
		return false
	}
	return !v.From.Before(w.From) && (w.To.IsZero() || !v.To.IsZero() && !v.To.After(w.To))
}

// Overlaps says whether a row can be in both.
func (w Window) Overlaps(v Window) bool {
	if w == (Window{}) || v == (Window{}) {
		return true
	}
	if w.Null || v.Null {
		return w.Null && v.Null
	}
	return (w.To.IsZero() || v.From.Before(w.To)) && (v.To.IsZero() || w.From.Before(v.To))
}

// GapReason says in a sentence, for people and the audit, that the rows of a window
// are lost to readers; "" for no window.
func GapReason(gap Window) string {
	if gap == (Window{}) {
		return ""
	}
	return fmt.Sprintf("a gap: the source no longer has the events after %s and up to %s, and readers will not see them",
		gap.From.UTC().Format(time.RFC3339), gap.To.UTC().Format(time.RFC3339))
}
