package conn

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/tvmexport/tvmexport"
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

// Backoff is how long to wait after the attempt-th failure: 1, 2, 4, 8, 16
// seconds, each up to a quarter longer so that clients do not march in step.
func Backoff(attempt int) time.Duration {
	base := time.Second << min(attempt-1, 4)
	return base + rand.N(base/4)
}

// ErrSlow: the attempt, not the caller, ran out of time.
var ErrSlow = errors.New("no answer within " + attemptTime.String())
