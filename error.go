package tvmexport

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Action is what to do after an error.
type Action int

// The actions, in order of severity.
const (
	Retry Action = iota + 1 // the same again: cut connection, 5xx, truncated body
	Wait                    // the same again, not before After: throttled
	Split                   // less at a time: too large, timed out, pre-empted twice
	Stop                    // not again: permission, semantics, configuration
)

// Cause sorts errors as a user would; the exit code follows from it.
type Cause int

// The causes.
const (
	Unknown    Cause = iota
	Usage            // bad input: configuration, names, flags
	Permission       // sign-in, roles
	Quota            // the tenant's budget or the time given is used up
	LeaseHeld        // another run holds the table
	Rejected         // the service refuses the query or command: semantics, missing table
	Integrity        // an answer or a delivery cannot be shown to be complete
)

// Code names a condition that a command or a setting of the application resolves.
// This package and the engine set the code. The application knows its commands and
// settings, and completes the hint.
type Code string

// The codes.
const (
	NoActiveTable         Code = "no active table"
	TableNotConfigured    Code = "table not configured"
	NoCommittedRun        Code = "no committed run"
	UnfinishedPublication Code = "unfinished publication"
	RunNotNewest          Code = "run not newest"
	DestinationChanged    Code = "destination changed"
	PublishedRowsLost     Code = "published rows lost"
	TypedRowsLost         Code = "typed rows lost" // the records are complete
	LandingTableAltered   Code = "landing table altered"
	StartInFuture         Code = "start in the future"
	OtherTenant           Code = "other tenant" // the database holds another tenant's data
	RetentionTooShort     Code = "retention too short"
	NewerShape            Code = "newer shape" // a newer version of the program has written to the destination
)

// Error says what failed, where, why, and what to do next.
type Error struct {
	Op     string        // the step or call: "count", "fetch", "land", ...
	Table  string        // "" if it concerns no single table
	Action Action        // 0 is Stop
	Cause  Cause         // how a user would sort it
	After  time.Duration // with Wait: how long, 0 if the service does not say
	Hint   string        // how to resolve it, a sentence without full stop; may be empty
	Code   Code          // the condition, if the application knows what resolves it; "" otherwise
	Err    error         // the reason
}

// Error is "op table: reason (hint)".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Table != "" {
		b.WriteString(" " + e.Table)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// ErrSuperseded says that another run on the same base has published.
var ErrSuperseded = errors.New("another run on the same base published first")

// ActionOf is what to do after err; Stop for errors that do not say.
func ActionOf(err error) Action {
	var e *Error
	if errors.As(err, &e) && e.Action != 0 {
		return e.Action
	}
	return Stop
}

// CodeOf is the first code in err's chain, or "".
func CodeOf(err error) Code {
	var e *Error
	for errors.As(err, &e) {
		if e.Code != "" {
			return e.Code
		}
		err = e.Err
	}
	return ""
}

// CauseOf is how a user would sort err.
func CauseOf(err error) Cause {
	var e *Error
	for errors.As(err, &e) {
		if e.Cause != Unknown {
			return e.Cause
		}
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Quota
	}
	return Unknown
}
