package exportertest_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/exportertest"
)

func TestFakeKeepsTheContract(t *testing.T) {
	exportertest.TestDestination(t, func(*testing.T) exportertest.Harness {
		d := &exportertest.Destination{}
		return exportertest.Harness{
			Destination: d, Table: tvmexport.Table{Name: "T", Destination: "TRaw"}, Wait: time.Second,
			Published: func(_ *testing.T, run tvmexport.RunID) int { return d.PublishedBy("T", run) },
		}
	})
}
