package preflight

import (
	"fmt"
	"net/http"
	"time"
)

// clock is what an answer says about this machine's clock. The zero clock says
// nothing.
type clock struct {
	known bool
	ahead time.Duration // how far this machine is ahead of the answering server; negative: behind
}

// tolerance is how far a clock may be off: Entra accepts assertions and storage
// accepts signatures within about this time
// (https://learn.microsoft.com/rest/api/storageservices/create-service-sas).
const tolerance = 5 * time.Minute

// readClock compares the Date header of an answer with this machine's clock
// when the request was sent and when the answer came.
func readClock(date string, sent, received time.Time) clock {
	at, err := http.ParseTime(date)
	if err != nil {
		return clock{}
	}
	switch {
	case received.Before(at):
		return clock{true, received.Sub(at)}
	case sent.After(at.Add(time.Second)): // Date has no fraction
		return clock{true, sent.Sub(at)}
	}
	return clock{known: true}
}

// wrongClock is a finding if this machine's clock differs from those of the
// places that answered: by more than tolerance from each of them, because the
// clock of a single server may be wrong.
func wrongClock(places []Place, clocks []clock) []Finding {
	off, host := time.Duration(0), ""
	for i, c := range clocks {
		if !c.known {
			continue
		}
		if c.ahead.Abs() <= tolerance {
			return nil
		}
		if host == "" || c.ahead.Abs() < off.Abs() {
			off, host = c.ahead, places[i].host()
		}
	}
	if host == "" {
		return nil
	}
	direction := "ahead of"
	if off < 0 {
		direction = "behind"
	}
	return []Finding{{
		About: "clock", Status: Warning,
		Text: fmt.Sprintf("this machine's clock is %s %s the time that %s gives: sign-in by certificate or federated token fails, and schedules fire at wrong times", off.Abs().Round(time.Second), direction, host),
		Fix:  "synchronise the clock with a time service, for example timedatectl set-ntp true",
	}}
}
