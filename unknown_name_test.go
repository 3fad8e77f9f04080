package tvmexport

import (
	"errors"
	"strings"
	"testing"
)

func TestHintOfAnUnknownName(t *testing.T) {
	orders := []Order{{Table: "DeviceInfo"}}
	for name, want := range map[string]string{
		"deviceinfo":  "did you mean DeviceInfo?",
		"DeviceInfos": "tvmexport init --table DeviceInfos adds one",
	} {
		_, err := choose(orders, []string{name})
		var e *Error
		if !errors.As(err, &e) || e.Cause != Usage || !strings.Contains(e.Hint, want) {
			t.Errorf("%s: %v, want a hint with %q", name, err, want)
		}
	}
}
