package tvmexport_test

import (
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// An ability of a destination is an interface that it implements too.
func ExampleAbility() {
	var destination tvmexport.Destination = &contract.Destination{}
	if _, ok := tvmexport.Ability[tvmexport.StateCounter](destination); ok {
		fmt.Println("this destination can be compared with its source")
	}
	if _, ok := tvmexport.Ability[tvmexport.StateCounter](contract.Core(destination)); !ok {
		fmt.Println("this one cannot")
	}
	// Output:
	// this destination can be compared with its source
	// this one cannot
}
