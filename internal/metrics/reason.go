package metrics

import (
	"errors"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// splitReason is one word for what of a call was too much.
func splitReason(why error) string {
	var e *tvmexport.Error
	if !errors.As(why, &e) {
		return "size"
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
		return "rows"
	case has("pre-empted", "preempted", "excessive resource", "allowed limits"):
		return "resources"
	case e.Cause == tvmexport.Unknown, has("timeout", "timed out"):
		return "timeout" // a gateway that gave up, or an answer that never came
	}
	return "size"
}
