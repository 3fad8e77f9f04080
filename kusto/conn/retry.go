package conn

import (
	"errors"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wait"
)

// attempts is how often a text is sent at most: with the waits between them,
// for about a minute.
const attempts = 6

// worthRepeating says whether a statement is sent again after the attempt-th
// failure of it.
func worthRepeating(s Statement, failed *tvmexport.Error, attempt int) bool {
	return s.Idempotent && attempt < attempts &&
		(failed.Action == tvmexport.Retry || failed.Action == tvmexport.Wait)
}

// backoff is 1, 2, 4, 8, then always 16 seconds, each up to a quarter longer.
var backoff = wait.Backoff{First: time.Second, Longest: 16 * time.Second, Low: 1, High: 1.25}

// Backoff is how long to wait after the attempt-th failure.
func Backoff(attempt int) time.Duration { return backoff.After(attempt) }

// ErrSlow says that the attempt, not the caller, ran out of time.
var ErrSlow = errors.New("no answer within " + attemptTime.String())
