package contract

import (
	"reflect"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// Every method of a Destination has cases in the contract, and no case is
// about a method that there is not.
func TestEveryMethodHasCases(t *testing.T) {
	cases := map[string]int{}
	for _, c := range contract() {
		cases[c.method]++
	}
	destination := reflect.TypeFor[tvmexport.Destination]()
	for m := range destination.Methods() {
		if cases[m.Name] == 0 {
			t.Errorf("no case of the contract is about %s", m.Name)
		}
		delete(cases, m.Name)
	}
	for name, n := range cases {
		t.Errorf("%d cases are about %s, which is no method", n, name)
	}
}
