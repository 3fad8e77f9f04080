package kql

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
)

func TestRefusedFunctionsAreNotThere(t *testing.T) {
	for name := range refusedFunctions {
		_, isScalar := scalar.Lookup(name)
		_, isAggregate := aggregate.Lookup(name)
		if isScalar || isAggregate {
			t.Errorf("%s() is refused and evaluated", name)
		}
	}
	for _, query := range []string{
		"print geo_distance_2points(1, 2, 3, 4)", "print x = 1 | summarize hll(x)", "print x = '' | invoke FileProfile(x, 1000)",
		"print parse_user_agent('x', 'browser')", "FileProfile()",
	} {
		_, err := Compile(query, Environment{})
		if e, ok := err.(*Error); !ok || e.Kind != Unsupported {
			t.Errorf("%s: error %v, want a refusal by name", query, err)
		}
	}
}
