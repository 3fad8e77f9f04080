package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// TestRefillPrintsFailuresBelowItsTable keeps the columns of the table aligned.
func TestRefillPrintsFailuresBelowItsTable(t *testing.T) {
	list := []tvmexport.Backfilled{
		{Table: tvmexport.Table{Name: "DeviceInfo"}, Err: &tvmexport.Error{
			Op: "refill", Table: "DeviceInfo", Err: errors.New("the ledger has no committed run"), Hint: "export the table first", Code: tvmexport.NoCommittedRun,
		}},
		{Table: tvmexport.Table{Name: "DeviceTvmSoftwareInventory"}, Runs: 2, Rows: 1200, Short: 1},
	}
	var out strings.Builder
	if err := printRefilled(&out, list, false); err != nil {
		t.Fatal(err)
	}
	const want = `TABLE                       RUNS  ROWS   EXPIRED
DeviceInfo                  0     0      0
DeviceTvmSoftwareInventory  2     1,200  1
DeviceInfo: refill DeviceInfo: the ledger has no committed run (export the table first: tvmexport run --table DeviceInfo)
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	out.Reset()
	if err := printRefilled(&out, list, true); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 2 || !strings.Contains(lines[0], `"error":"refill DeviceInfo: `) {
		t.Errorf("as JSON:\n%s", out.String())
	}
}
