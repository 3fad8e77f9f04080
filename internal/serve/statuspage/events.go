package statuspage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tvmexport/tvmexport/internal/wait"
)

// The limits of how often an open page is notified of changes: ages grow even
// if nothing else changes.
const (
	shortestPause = 700 * time.Millisecond
	longestPause  = 10 * time.Second
)

// The same of the page over all tenants, on which something changes all the time.
const (
	shortestFleetPause = 3 * time.Second
	longestFleetPause  = 30 * time.Second
)

// eventTimeout is the maximum time to send an event; the next event is due
// before it ends.
const eventTimeout = 45 * time.Second

// beat says when the reader of a stream is notified.
type beat struct {
	shortest, longest time.Duration
	changed           func() <-chan struct{}
	tenant            string      // whose changes they are; "": there is one tenant
	gone              func() bool // the stream has ended; nil: never
}

// data is what the n-th event says.
func (b beat) data(n int) string {
	if b.tenant == "" {
		return strconv.Itoa(n)
	}
	text, err := json.Marshal(struct {
		Tenant string `json:"tenant"`
		Change int    `json:"change"`
	}{b.tenant, n})
	if err != nil {
		return strconv.Itoa(n)
	}
	return string(text)
}

// stream tells an open page when to ask again, as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). Changes between two
// events are one.
func stream(w http.ResponseWriter, r *http.Request, b beat) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // of nginx in front
	send := http.NewResponseController(w)
	fmt.Fprint(w, "retry: 3000\n\n")
	for n := 1; b.gone == nil || !b.gone(); n++ {
		changed := b.changed()
		// A reader that does not read is not waited for. Writers without
		// connections, as in tests, know no deadlines.
		_ = send.SetWriteDeadline(time.Now().Add(eventTimeout))
		fmt.Fprintf(w, "id: %d\nevent: changed\ndata: %s\n\n", n, b.data(n))
		if send.Flush() != nil || !rest(r, b.shortest, nil) || !rest(r, b.longest-b.shortest, changed) {
			return
		}
	}
}

// rest waits, until something changes at most; false: the reader has gone.
func rest(r *http.Request, d time.Duration, changed <-chan struct{}) bool {
	return wait.ForOr(r.Context(), d, changed) == nil
}
