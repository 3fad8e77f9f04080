package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

func TestHintOfAnUnknownName(t *testing.T) {
	orders := []tvmexport.Order{{Table: "DeviceInfo"}}
	for name, want := range map[string]string{
		"deviceinfo":  "did you mean DeviceInfo?",
		"DeviceInfos": "tvmexport init --table DeviceInfos adds one",
	} {
		_, err := choose(orders, []string{name})
		var e *tvmexport.Error
		if !errors.As(err, &e) || e.Cause != tvmexport.Usage || !strings.Contains(e.Hint, want) {
			t.Errorf("%s: %v, want a hint with %q", name, err, want)
		}
	}
}
