package metrics

import (
	"errors"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// The places of the words in splitReasons.
const (
	tooManyRows = iota
	tooLarge
	tooSlow
	tooCostly
)

// splitReason is what of a call was too much.
func splitReason(why error) int {
	var e *tvmexport.Error
	if !errors.As(why, &e) {
		return tooLarge
	}
	text := strings.ToLower(why.Error())
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case e.Cause == tvmexport.Integrity:
		return tooManyRows
	case has("pre-empted", "preempted", "excessive resource", "allowed limits"):
		return tooCostly
	case e.Cause == tvmexport.Unknown, has("timeout", "timed out"):
		return tooSlow // a gateway that gave up, or an answer that never came
	}
	return tooLarge
}
