package defects_test

import (
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// What goes wrong between an upload and its rows, for a few times: the run comes
// to its end, and readers see each row once.
func TestUploadsThatAreDisturbed(t *testing.T) {
	for name, rule := range map[string]faults.Rule{
		"a connection is reset in the middle of a blob":    {Endpoint: faults.Blob, ResetAfter: 100, Count: 2},
		"a connection is reset in the middle of a message": {Endpoint: faults.Queue, ResetAfter: 20, Count: 2},
		"a blob's signature is stale":                      {Endpoint: faults.Blob, ExpireSAS: true, Count: 2},
		"a queue's signature is stale":                     {Endpoint: faults.Queue, ExpireSAS: true, Count: 2},
		"an ingestion fails permanently":                   {Endpoint: faults.Delivery, Delivery: "failed", Count: 1},
	} {
		t.Run(name, func(t *testing.T) {
			choose(t, tvmexport.Snapshot, func(r *rig) {
				rows := rowsFrom("ab", 40, day(r))
				r.source.Set(events, rows)
				r.fault(rule)
				r.run()
				if hits := r.emulator.Faults().List()[0].Hits; hits == 0 {
					t.Error("the fault was not injected")
				}
				r.agrees(rows)
			})
		})
	}
}
