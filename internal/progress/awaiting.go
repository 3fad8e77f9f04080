package progress

import (
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// awaiting is the line of a run that waits for its batches.
func awaiting(a tvmexport.Awaited) string {
	line := fmt.Sprintf("landing: %d of %s after %s (gives up after %s)", a.Landed, plural(a.Of, "batch"), a.For.Round(time.Second), a.Most.Round(time.Second))
	if a.Slow != "" {
		line += ": " + a.Slow
	}
	return line
}
