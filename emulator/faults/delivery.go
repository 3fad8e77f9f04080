package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Fate is what happens to a message of queued ingestion.
type Fate int

// The fates of a message.
const (
	Lost      Fate = iota + 1 // it is never seen
	Duplicate                 // it is ingested twice, the second time after a delay
	Late                      // it is ingested after a delay
	Transient                 // its first attempt fails, a retry succeeds
	Failed                    // it fails permanently
	Partial                   // only its first records are ingested, and with a delay the whole after that
)

// Outcome is a fate with what it takes.
type Outcome struct {
	Fate    Fate
	Delay   time.Duration // of Late, Duplicate and Partial; 0: at once, for Partial: never
	Records int           // of Partial
}

// Deliver counts one message and says what is to happen to it; false means
// nothing unusual. database is where the message leads; text is the message, for Match to be
// looked for in.
func (s *Set) Deliver(database, text string) (Outcome, bool) {
	rule, _, ok := s.take(Delivery, said{s.tenantOf(Delivery, nil, database), []string{text}})
	if !ok {
		return Outcome{}, false
	}
	outcome, err := parseDelivery(rule.Delivery)
	return outcome, err == nil // Validate has parsed it before
}

// parseDelivery reads the delivery action of a rule.
func parseDelivery(text string) (Outcome, error) {
	word, rest, more := strings.Cut(text, ":")
	var o Outcome
	switch {
	case text == "lost":
		return Outcome{Fate: Lost}, nil
	case text == "transient":
		return Outcome{Fate: Transient}, nil
	case text == "failed":
		return Outcome{Fate: Failed}, nil
	case text == "duplicate":
		return Outcome{Fate: Duplicate}, nil
	case word == "duplicate" && more:
		o.Fate = Duplicate
	case word == "late" && more:
		o.Fate = Late
	case word == "partial":
		number, delay, later := strings.Cut(rest, ":")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return o, fmt.Errorf("delivery %q needs a positive number of records, as in \"partial:3\" or \"partial:3:30s\"", text)
		}
		o = Outcome{Fate: Partial, Records: n}
		if !later {
			return o, nil
		}
		rest = delay
	default:
		return o, fmt.Errorf("delivery %q is not known; it is lost, duplicate, duplicate:DURATION, late:DURATION, transient, failed, partial:RECORDS or partial:RECORDS:DURATION", text)
	}
	delay, err := time.ParseDuration(rest)
	if err != nil || delay <= 0 {
		return o, fmt.Errorf("delivery %q needs a positive duration, as in \"late:30s\"", text)
	}
	o.Delay = delay
	return o, nil
}
