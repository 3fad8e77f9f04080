package faults

import (
	"fmt"
	"strings"
	"time"
)

// Fate is what happens to a message of queued ingestion.
type Fate int

// The fates of a message.
const (
	Lost      Fate = iota + 1 // it is never seen
	Duplicate                 // it is ingested twice
	Late                      // it is ingested after a delay
	Transient                 // its first attempt fails, a retry succeeds
)

// Outcome is a fate with its delay, which only Late has.
type Outcome struct {
	Fate  Fate
	Delay time.Duration
}

// Deliver counts one message and says what is to happen to it; false means
// nothing unusual. text is the message, for Match to be looked for in.
func (s *Set) Deliver(text string) (Outcome, bool) {
	rule, ok := s.take(Delivery, text)
	if !ok {
		return Outcome{}, false
	}
	outcome, err := parseDelivery(rule.Delivery)
	return outcome, err == nil // Validate has parsed it before
}

// parseDelivery reads the delivery action of a rule.
func parseDelivery(text string) (Outcome, error) {
	switch text {
	case "lost":
		return Outcome{Fate: Lost}, nil
	case "duplicate":
		return Outcome{Fate: Duplicate}, nil
	case "transient":
		return Outcome{Fate: Transient}, nil
	}
	if rest, ok := strings.CutPrefix(text, "late:"); ok {
		delay, err := time.ParseDuration(rest)
		if err != nil || delay <= 0 {
			return Outcome{}, fmt.Errorf("delivery %q needs a positive duration, as in \"late:30s\"", text)
		}
		return Outcome{Fate: Late, Delay: delay}, nil
	}
	return Outcome{}, fmt.Errorf("delivery %q is not known; it is lost, duplicate, late:DURATION or transient", text)
}
