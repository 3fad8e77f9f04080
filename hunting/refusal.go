package hunting

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
)

var (
	errRefused = errors.New("the query was refused")
	errMissing = errors.New("the table is unknown")
)

// refused says whether the service refused a query for what it says, so that a
// simpler one may pass.
func refused(err error) bool { return errors.Is(err, errRefused) }

// missing says whether the refusal is about a table that is not there.
func missing(err error) bool { return errors.Is(err, errMissing) }

// meaning is what a refusal means to Advanced Hunting alone; nil if nothing.
func meaning(r defender.Refusal) *tvmexport.Error {
	switch r.Status {
	case http.StatusOK:
		return knownRefusal(r)
	case http.StatusBadRequest:
		return badRequest(r)
	case http.StatusNotFound, http.StatusGone:
		return rejected("check defender.endpoint; the legacy APIs stop on 2027-01-31, and defender.api: graph is their successor", r.Reason)
	}
	return nil
}

// badRequests are what a 400 says where another query, or the same one later,
// may pass. Texts are from Microsoft's pages
// (https://learn.microsoft.com/defender-xdr/advanced-hunting-errors) and from
// published answers; both wordings of the first are in use.
var badRequests = []struct {
	text   string
	action tvmexport.Action
	is     error
}{
	{"Query execution has exceeded the allowed result size", tvmexport.Split, nil},
	{"Result size limit exceeded", tvmexport.Split, nil},
	{"exceeds the allowed size limit when processed", tvmexport.Split, nil},
	{"Query exceeded the timeout period", tvmexport.Split, nil},
	{"Query execution has exceeded the allowed limits", tvmexport.Retry, defender.ErrPreempted},
	{"Query stopped due to excessive resource consumption", tvmexport.Retry, defender.ErrPreempted},
	{"An unexpected error occurred during query execution", tvmexport.Retry, nil},
}

func badRequest(r defender.Refusal) *tvmexport.Error {
	if e := knownRefusal(r); e != nil {
		return e
	}
	if strings.Contains(r.Message, "Failed to resolve table") {
		return rejected("the table does not exist, is not licensed, or is not visible to this application", fmt.Errorf("%w: %w: %w", errRefused, errMissing, r.Reason))
	}
	return rejected("the query is in the log at level debug", fmt.Errorf("%w: %w", errRefused, r.Reason))
}

// knownRefusal sorts a message that is among badRequests; nil if it is not.
func knownRefusal(r defender.Refusal) *tvmexport.Error {
	for _, b := range badRequests {
		if !strings.Contains(r.Message, b.text) {
			continue
		}
		reason := r.Reason
		if b.is != nil {
			reason = fmt.Errorf("%w: %w", b.is, reason)
		}
		return &tvmexport.Error{Action: b.action, Cause: tvmexport.Rejected, Err: reason}
	}
	return nil
}

func rejected(hint string, reason error) *tvmexport.Error {
	return &tvmexport.Error{Action: tvmexport.Stop, Cause: tvmexport.Rejected, Hint: hint, Err: reason}
}
