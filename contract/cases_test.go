package contract

import (
	"reflect"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// Every method of a contract has cases, and no case is about a method that there is not.
func TestEveryMethodHasCases(t *testing.T) {
	destination, source, meter := map[string]int{}, map[string]int{}, map[string]int{}
	for _, c := range contract() {
		destination[c.method]++
	}
	for _, c := range sourceContract() {
		source[c.method]++
	}
	for _, c := range meterContract() {
		meter[c.method]++
	}
	for _, c := range []struct {
		of    reflect.Type
		cases map[string]int
	}{
		{reflect.TypeFor[tvmexport.Destination](), destination},
		{reflect.TypeFor[tvmexport.Source](), source},
		{reflect.TypeFor[tvmexport.Meter](), meter},
	} {
		for m := range c.of.Methods() {
			n := c.cases[m.Name]
			t.Logf("%s.%s: %d cases", c.of.Name(), m.Name, n)
			if n == 0 {
				t.Errorf("no case of the contract is about %s.%s", c.of.Name(), m.Name)
			}
			delete(c.cases, m.Name)
		}
		for name, n := range c.cases {
			t.Errorf("%d cases are about %s.%s, which is no method", n, c.of.Name(), name)
		}
	}
}
