package main

import (
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// advice returns, for each code, the hint with the command or the setting that resolves the error.
var advice = map[tvmexport.Code]func(*tvmexport.Error) string{
	tvmexport.NoActiveTable:         hintAnd("tvmexport init"),
	tvmexport.TableNotConfigured:    hintAnd("tvmexport init --table TABLE; tvmexport status lists the configured tables"),
	tvmexport.NoCommittedRun:        hintAnd("tvmexport run --table TABLE"),
	tvmexport.UnfinishedPublication: hintAnd("tvmexport run --table TABLE"),
	tvmexport.RunNotNewest: func(*tvmexport.Error) string {
		return "omit --run to compare the rows that readers see now"
	},
	tvmexport.DestinationChanged:  hintAnd("tvmexport run --table TABLE --full"),
	tvmexport.PublishedRowsLost:   hintAnd("tvmexport run --table TABLE --full"),
	tvmexport.TypedRowsLost:       hintAnd("tvmexport refill --table TABLE"),
	tvmexport.LandingTableAltered: hintAnd("tvmexport init --table TABLE"),
	tvmexport.OtherTenant: func(e *tvmexport.Error) string {
		return e.Hint + " (kusto.database)"
	},
	tvmexport.RetentionTooShort: func(e *tvmexport.Error) string {
		return e.Hint + " (snapshots.full_every)"
	},
	tvmexport.NewerShape: func(e *tvmexport.Error) string {
		return e.Hint + "; tvmexport version prints the one in use"
	},
	tvmexport.StartInFuture: func(*tvmexport.Error) string {
		return "set --from to a time in the past"
	},
}

// hintAnd appends a command to the hint of an error. TABLE in the command stands
// for the error's table.
func hintAnd(command string) func(*tvmexport.Error) string {
	return func(e *tvmexport.Error) string {
		return e.Hint + ": " + strings.ReplaceAll(command, "TABLE", e.Table)
	}
}

// advise returns err with the hint of each error that has a code replaced by its
// advice. Such errors lose their code, so that advise can be applied repeatedly.
// Text, causes and the chain stay otherwise the same.
func advise(err error) error {
	if out, changed := advisedError(err); changed {
		return out
	}
	return err
}

// advisedError is advise, and whether there was advice. It compares no errors:
// some, such as lists of mistakes, are not comparable.
func advisedError(err error) (error, bool) {
	switch e := err.(type) {
	case nil:
		return nil, false
	case *tvmexport.Error:
		inner, changed := advisedError(e.Err)
		hint, ok := advice[e.Code]
		out := *e
		out.Err = inner
		if ok {
			out.Hint, out.Code = hint(e), ""
		}
		return &out, ok || changed
	case *wiring.Mistake:
		inner, changed := advisedError(e.Err)
		return usage(inner), changed
	case interface{ Unwrap() error }:
		return advisedWrapper(err, []error{e.Unwrap()})
	case interface{ Unwrap() []error }:
		return advisedWrapper(err, e.Unwrap())
	}
	return err, false
}

// advisedWrapper is err around the advised errors, and whether there was advice.
func advisedWrapper(err error, wrapped []error) (error, bool) {
	out := &advised{text: err.Error(), wrapped: make([]error, len(wrapped))}
	some := false
	for i, w := range wrapped {
		var changed bool
		if out.wrapped[i], changed = advisedError(w); changed {
			some = true
			out.text = strings.Replace(out.text, w.Error(), out.wrapped[i].Error(), 1)
		}
	}
	return out, some
}

// advised is an error that wraps others, with their advice.
type advised struct {
	text    string
	wrapped []error
}

func (a *advised) Error() string { return a.text }

// Unwrap returns the wrapped errors, which have their advice.
func (a *advised) Unwrap() []error { return a.wrapped }

// advisedNotes names the flag in notes of the engine that suggest a request.
func advisedNotes(notes []string) []string {
	out := slices.Clone(notes)
	for i, n := range out {
		if before, ok := strings.CutSuffix(n, engine.StartIgnored); ok {
			out[i] = before + "run --from sets the start"
		}
	}
	return out
}

// fullReason names the flag that requested a full run.
func fullReason(reason string) string {
	if reason == engine.FullRequested {
		return "requested by --full"
	}
	return reason
}
