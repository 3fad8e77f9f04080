package ledger

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// The audit of a run has all that was not perfect, in one line.
func TestNoteOf(t *testing.T) {
	gap := tvmexport.Window{From: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)}
	unread := []tvmexport.Unread{{Column: "Score", Type: "real", Values: 2}}
	const lost = "a gap: the source no longer has the events after 2026-11-01T06:00:00Z and up to 2026-11-09T12:00:00Z, and readers will not see them"
	for want, m := range map[string]tvmexport.Commit{
		"":   {},
		lost: {Gap: gap},
		"values that do not fit the type of their column, kept as text in the records: Score (real) 2":          {Unread: unread},
		lost + "; values that do not fit the type of their column, kept as text in the records: Score (real) 2": {Gap: gap, Unread: unread},
	} {
		if got := noteOf(m); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
