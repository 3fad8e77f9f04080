package contract

import (
	"reflect"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// Every method of a contract has cases, and no case is about a method that there is not.
func TestEveryMethodHasCases(t *testing.T) {
	destination, source, listing, meter, joint := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	sizer := map[string]int{}
	for _, c := range contract() {
		destination[c.method]++
	}
	for _, c := range sourceContract() {
		source[c.method]++
	}
	for _, c := range listingContract() {
		listing[c.method]++
	}
	for _, c := range meterContract() {
		meter[c.method]++
	}
	for _, c := range jointContract() {
		joint[c.method]++
	}
	for _, c := range sizerContract() {
		sizer[c.method]++
	}
	for _, c := range []struct {
		of    []reflect.Type
		cases map[string]int
	}{
		{[]reflect.Type{
			reflect.TypeFor[tvmexport.Orders](), reflect.TypeFor[tvmexport.Leases](), reflect.TypeFor[tvmexport.Ledger](), reflect.TypeFor[tvmexport.Sink](),
			reflect.TypeFor[tvmexport.TableChecker](), reflect.TypeFor[tvmexport.SchemaSyncer](), reflect.TypeFor[tvmexport.LateRowCounter](),
			reflect.TypeFor[tvmexport.StateCounter](), reflect.TypeFor[tvmexport.Backfiller](), reflect.TypeFor[tvmexport.CompleteDestination](),
		}, destination},
		{[]reflect.Type{reflect.TypeFor[tvmexport.Source](), reflect.TypeFor[tvmexport.CountingSource]()}, source},
		{[]reflect.Type{reflect.TypeFor[tvmexport.Source](), reflect.TypeFor[tvmexport.ListingSource]()}, listing},
		{[]reflect.Type{reflect.TypeFor[tvmexport.Meter]()}, meter},
		{[]reflect.Type{reflect.TypeFor[tvmexport.JointCounter]()}, joint},
		{[]reflect.Type{reflect.TypeFor[tvmexport.RowSizer]()}, sizer},
	} {
		met := map[string]bool{}
		for _, contract := range c.of {
			for m := range contract.Methods() {
				if met[m.Name] {
					continue // of the composition
				}
				met[m.Name] = true
				n := c.cases[m.Name]
				t.Logf("%s.%s: %d cases", contract.Name(), m.Name, n)
				if n == 0 {
					t.Errorf("no case of the contract is about %s.%s", contract.Name(), m.Name)
				}
				delete(c.cases, m.Name)
			}
		}
		for name, n := range c.cases {
			t.Errorf("%d cases are about %s, which is no method", n, name)
		}
	}
}
