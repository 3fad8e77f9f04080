package kusto

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// A page in the place of storage's answer is asked for twice and named; one
// page among good answers is survived.
func TestPagesInsteadOfStorage(t *testing.T) {
	const page = "<!DOCTYPE html><html><head><title>Guest network</title></head></html>"
	for _, endpoint := range []faults.Endpoint{"blob", "queue"} {
		for _, status := range []int{http.StatusOK, http.StatusCreated, http.StatusForbidden, http.StatusServiceUnavailable} {
			onStage(t, func(s stage) {
				s.setUp(softwareTable)
				rule := faults.Rule{Endpoint: endpoint, Status: status, Body: page, Headers: map[string]string{"Content-Type": "text/html"}}
				_, err := s.emulator.Faults().Add(rule)
				s.must(err)
				run := runOfTable(softwareTable, "20261120T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
				err = s.client.Land(s.Context(), batch(run, 1, `{"DeviceId":"3f"}`))
				if status == http.StatusCreated {
					return // storage's own status: whether it landed is counted
				}
				if err == nil || tvmexport.CauseOf(err) != tvmexport.Usage {
					t.Fatalf("%s %d: %v", endpoint, status, err)
				}
				for _, want := range []string{"with Content-Type text/html", `an HTML page titled "Guest network"`, "HTTPS_PROXY", "batch " + string(run.ID)} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s %d: %v\nlacks %q", endpoint, status, err, want)
					}
				}
				s.emulator.Faults().Clear()
				s.must(s.client.Land(s.Context(), batch(run, 1, `{"DeviceId":"3f"}`)))
				rule.Count = 1
				_, err = s.emulator.Faults().Add(rule)
				s.must(err)
				s.must(s.client.Land(s.Context(), batch(run, 2, `{"DeviceId":"3f"}`)))
			})
		}
	}
}
