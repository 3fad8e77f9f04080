package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

func TestHintOfAnUnknownName(t *testing.T) {
	orders := []tvmexport.Order{{Table: "DeviceInfo"}}
	for name, want := range map[string]struct {
		hint string
		code tvmexport.Code
	}{
		"deviceinfo":  {"did you mean DeviceInfo?", ""},
		"DeviceInfos": {"add it to the configuration table", tvmexport.TableNotConfigured},
	} {
		_, err := choose(orders, []string{name})
		var e *tvmexport.Error
		if !errors.As(err, &e) || e.Cause != tvmexport.Usage || !strings.Contains(e.Hint, want.hint) || e.Code != want.code {
			t.Errorf("%s: %v, want a hint with %q and the code %q", name, err, want.hint, want.code)
		}
	}
}
