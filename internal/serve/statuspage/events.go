package statuspage

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport/internal/wait"
)

// The limits of how often an open page is notified of changes: ages grow even
// if nothing else changes.
const (
	shortestPause = 700 * time.Millisecond
	longestPause  = 10 * time.Second
)

// eventTimeout is the maximum time to send an event; the next event is due
// before it ends.
const eventTimeout = 30 * time.Second

// events tells an open page when to ask again, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // of nginx in front
	send := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 3000\n\n")
	for n := 1; ; n++ {
		changed := h.Board.Changed()
		// A reader that does not read is not waited for. Writers without
		// connections, as in tests, know no deadlines.
		_ = send.SetWriteDeadline(time.Now().Add(eventTimeout))
		fmt.Fprintf(w, "id: %d\nevent: changed\ndata: %d\n\n", n, n)
		if send.Flush() != nil || !rest(r, shortestPause, nil) || !rest(r, longestPause-shortestPause, changed) {
			return
		}
	}
}

// rest waits, until something changes at most; false: the reader has gone.
func rest(r *http.Request, d time.Duration, changed <-chan struct{}) bool {
	return wait.ForOr(r.Context(), d, changed) == nil
}
