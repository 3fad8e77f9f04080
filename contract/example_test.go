package contract_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// The fakes of this package take part in real runs. They also do what services
// do rarely: this destination loses the first batch.
func ExampleDestination() {
	lost := false
	destination := &contract.Destination{
		List: []tvmexport.Order{{Table: "Devices", Into: "DevicesRaw", Load: tvmexport.Snapshot, Active: true}},
		OnLand: func(tvmexport.Batch) int {
			if !lost {
				lost = true
				return 0
			}
			return 1
		},
	}
	source := &contract.Source{}
	source.Set("Devices", []contract.Row{{Key: "3f01", JSON: `{"DeviceId":"3f01"}`}, {Key: "a0f9", JSON: `{"DeviceId":"a0f9"}`}})
	exporter := &engine.Exporter{
		Source: source, Destination: destination, Owner: "example", Patience: engine.Patience{Landing: 1},
		Compress: func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	}
	report, err := exporter.Run(context.Background(), engine.Request{})
	fmt.Println("error:", err)
	fmt.Printf("%d rows were published, %d batches were landed\n", report.Outcomes[0].Rows, destination.Lands)
	for _, c := range destination.Commits("Devices") {
		fmt.Printf("a %s run is committed, with %d rows\n", c.Run.Kind, c.Rows)
	}
	// Output:
	// error: <nil>
	// 2 rows were published, 2 batches were landed
	// a full run is committed, with 2 rows
}
