package emulator_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata"
	"github.com/Azure/azure-kusto-go/azkustoingest"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// The official SDK queues a file. What becomes of it is what the faults say; half
// an hour of waiting passes at once.
func TestQueuedIngestionAndItsFaults(t *testing.T) {
	for _, tt := range []struct {
		name, fault string
		early, late int64 // rows after ten seconds, and after an hour
	}{
		{"none", `[]`, 3, 3},
		{"lost", `{"endpoint":"delivery","match":"Landing","delivery":"lost"}`, 0, 0},
		{"duplicate", `{"endpoint":"delivery","delivery":"duplicate"}`, 6, 6},
		{"late", `{"endpoint":"delivery","delivery":"late:20m"}`, 0, 3},
		{"transient", `{"endpoint":"delivery","delivery":"transient"}`, 3, 3},
		{"for another table", `{"endpoint":"delivery","match":"Other","delivery":"lost"}`, 3, 3},
		{"a busy queue", `{"endpoint":"queue","status":503,"count":1}`, 3, 3},
		{"an upload that is cut", `{"endpoint":"blob","status":500,"count":1,"apply":true}`, 3, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, err := emulator.New(emulator.Options{Devices: 1, Dir: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := e.Close(); err != nil {
						t.Error(err)
					}
				}()
				p := program{t: t, at: e.Endpoints(), client: &http.Client{Transport: e.Transport()}}
				p.kusto(".create table Landing (n: long, s: string)")
				rules, err := faults.Parse([]byte(tt.fault))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := e.Faults().Add(rules...); err != nil {
					t.Fatal(err)
				}
				queue(t, p, "Landing", "1,a\n2,b\n3,c\n")
				time.Sleep(10 * time.Second)
				count := func() int64 {
					d, err := e.Landed(t.Context(), "", "Landing")
					if err != nil {
						t.Fatal(err)
					}
					return d.Rows
				}
				if got := count(); got != tt.early {
					t.Errorf("after ten seconds: %d rows, want %d", got, tt.early)
				}
				time.Sleep(time.Hour)
				if got := count(); got != tt.late {
					t.Errorf("after an hour: %d rows, want %d", got, tt.late)
				}
			})
		})
	}
}

// queue sends data with the official SDK and does not wait for it to land.
func queue(t *testing.T, p program, table, data string) {
	t.Helper()
	kcsb := azkustodata.NewConnectionStringBuilder(p.at.Ingest).WithApplicationToken("test", p.token("https://kusto.kusto.windows.net/.default"))
	in, err := azkustoingest.New(kcsb, azkustoingest.WithoutEndpointCorrection(), azkustoingest.WithHttpClient(p.client),
		azkustoingest.WithDefaultDatabase(p.at.Database), azkustoingest.WithDefaultTable(table))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if _, err := in.FromReader(ctx, strings.NewReader(data), azkustoingest.FileFormat(azkustoingest.CSV)); err != nil {
		t.Fatal(fmt.Errorf("queue: %w", err))
	}
}
