package contract_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

func TestFakeKeepsTheContract(t *testing.T) {
	contract.TestDestination(t, func(*testing.T) contract.Harness {
		d := &contract.Destination{}
		snapshot := tvmexport.Table{Name: "T", Destination: "TRaw", LoadType: tvmexport.Snapshot, Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}}}
		snapshot.Key.Column = "DeviceId"
		events := tvmexport.Table{
			Name: "E", Destination: "ERaw", LoadType: tvmexport.Incremental, Watermark: "Timestamp",
			Columns: []tvmexport.Column{{Name: "Timestamp", Type: "datetime"}, {Name: "DeviceId", Type: "string"}},
		}
		for _, t := range []tvmexport.Table{snapshot, events} {
			d.Configure(contract.ConfigRow{Table: t.Name, Into: t.Destination, Load: string(t.LoadType), Watermark: t.Watermark, Active: true})
		}
		return contract.Harness{
			Destination: d, Table: snapshot, Events: events, Wait: time.Second,
			Published: func(_ *testing.T, run tvmexport.RunID) int { return d.PublishedBy("T", run) },
			Configure: func(_ *testing.T, row contract.ConfigRow) { d.Configure(row) },
			Lose:      func(_ *testing.T, run tvmexport.RunID) { d.Lose("T", run) },
			Raise:     func(_ *testing.T, to tvmexport.StoredShape) { d.OnShape = func() tvmexport.StoredShape { return to } },
		}
	})
}
