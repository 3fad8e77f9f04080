package main

import (
	"errors"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// The exit codes; they are part of the interface.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitPartly     = 3
	exitPermission = 4
	exitQuota      = 5
	exitHeld       = 11
)

// exitCode is the code for an error that concerns no single table.
func exitCode(err error) int {
	var r *reported
	if errors.As(err, &r) {
		return r.code
	}
	return codeOf(tvmexport.CauseOf(err))
}

func codeOf(c tvmexport.Cause) int {
	switch c {
	case tvmexport.Usage:
		return exitUsage
	case tvmexport.Permission:
		return exitPermission
	case tvmexport.Quota:
		return exitQuota
	case tvmexport.LeaseHeld:
		return exitHeld
	}
	return exitFailed
}

// reportCode is the code for a whole invocation: that of the one cause for
// which all tables failed, 3 for any mixture, and where a committed run has
// values that do not fit their type, or a gap.
func reportCode(r engine.Report) int {
	codes := make([]int, len(r.Outcomes))
	for i, o := range r.Outcomes {
		switch {
		case o.Err != nil:
			codes[i] = codeOf(tvmexport.CauseOf(o.Err))
		case len(o.Unread)+len(o.Gaps) > 0: // committed, with values that were not read, or without events that are lost
			codes[i] = exitPartly
		}
	}
	return combinedCode(codes)
}

// combinedResult is the end of a command over several tables whose results were
// printed: nil if none has failed.
func combinedResult[T any](list []T, err func(T) error) error {
	codes := make([]int, len(list))
	for i, t := range list {
		if err := err(t); err != nil {
			codes[i] = codeOf(tvmexport.CauseOf(err))
		}
	}
	if code := combinedCode(codes); code != exitDone {
		return &reported{code}
	}
	return nil
}

// combinedCode is the exit code for several tables: their common code if they agree,
// otherwise the code for partly done.
func combinedCode(codes []int) int {
	for _, c := range codes {
		if c != codes[0] {
			return exitPartly
		}
	}
	if len(codes) == 0 {
		return exitDone
	}
	return codes[0]
}

// reported is the end of a command whose result was printed already.
type reported struct{ code int }

func (r *reported) Error() string { return "see above" }

// usage marks an error as a mistake in what the user gave.
func usage(err error) error { return wiring.Usage(err) }
