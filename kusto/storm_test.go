package kusto

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// TestEmulatorStorm: commands are carried out and answered with errors, answers
// break off, uploads are refused, messages arrive twice, late or again after
// they failed. Each row is published once, each run committed and audited once.
func TestEmulatorStorm(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		_, err := s.emulator.Faults().Add(
			faults.Rule{Endpoint: "kusto-mgmt", Every: 3, Status: 504, Apply: true},
			faults.Rule{Endpoint: "kusto-mgmt", Every: 5, CutAfter: 20},
			faults.Rule{Endpoint: "kusto-query", Every: 4, Status: 503},
			faults.Rule{Endpoint: "kusto-query", Every: 7, CutAfter: 300},
			faults.Rule{Endpoint: "ingest-mgmt", Every: 2, Status: 429},
			faults.Rule{Endpoint: "blob", Every: 4, ExpireSAS: true},
			faults.Rule{Endpoint: "queue", Every: 3, Status: 500, Apply: true},
			faults.Rule{Endpoint: "delivery", Every: 3, Delivery: "duplicate"},
			faults.Rule{Endpoint: "delivery", Every: 4, Delivery: "late:40s"},
			faults.Rule{Endpoint: "delivery", Every: 5, Delivery: "transient"},
		)
		s.must(err)
		previous := ""
		for n := range 4 {
			run := runOfTable(softwareTable, fmt.Sprintf("2026112%dT050000Z-aaaaaaaaaaaa", n), previous, tvmexport.FullRun)
			var batches []tvmexport.Batch
			for b := range 5 {
				batches = append(batches, batch(run, b+1, fmt.Sprintf(`{"DeviceId":"%d-%d"}`, n, b), `{"DeviceId":"x"}`))
			}
			s.export(run, batches...)
			s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: string(run.ID), Outcomes: []tvmexport.Outcome{{Table: softwareTable.Name, Run: run.ID, Rows: 10, At: time.Now()}}}))
			previous = string(run.ID)
		}
		hits := 0
		for _, r := range s.emulator.Faults().List() {
			if r.Hits == 0 {
				s.Errorf("rule %d was never injected", r.ID)
			}
			hits += r.Hits
		}
		s.emulator.Faults().Clear()
		time.Sleep(10 * time.Minute) // what is late arrives
		for text, want := range map[string]string{
			"DeviceTvmSoftwareInventoryRaw | summarize Rows = count() by RunId | summarize strcat(count(), ' runs of ', min(Rows), ' to ', max(Rows))": "4 runs of 10 to 10",
			"DeviceTvmSoftwareInventory | summarize strcat(count(), ', ', countif(DeviceId startswith '3-'))":                                          "10, 5",
			kql.RunsTable + ` | where State == "committed" | summarize strcat(count(), ' of ', count_distinct(RunId))`:                                 "4 of 4",
			kql.AuditTable + ` | summarize strcat(count(), ' ', sum(RecordCount))`:                                                                     "4 40",
		} {
			if got := s.ask(text); len(got) != 1 || got[0] != want {
				s.Errorf("%s: %q, want %q (%d faults injected)", text, got, want, hits)
			}
		}
	})
}

// TestEmulatorRoles: the error of a principal without roles names the missing role.
func TestEmulatorRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const app = "00000000-0000-4000-8000-00000000beef"
		e := emulatortest.New(t, emulatortest.Devices(1), emulatortest.CVEs(1), emulatortest.History(1), emulatortest.App(entra.App{ID: app, Name: "nobody", Secrets: []string{"s3cret"}}))
		at, hc := e.Endpoints(), e.Client()
		for _, c := range []struct{ key, says string }{
			{"s3cret", "docs/roles.md"}, {"wrong", "AADSTS7000215"},
		} {
			nobody, err := New(t.Context(), Options{
				Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: hc,
				Credential: &secretCredential{hc: hc, authority: at.Authority, tenant: at.TenantID, app: app, key: c.key},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = nobody.Orders(t.Context())
			if tvmexport.CauseOf(err) != tvmexport.Permission || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("with the secret %q: %v, want a permission error that says %q", c.key, err, c.says)
			}
			_, err = nobody.Setup().Init(t.Context(), []tvmexport.Table{softwareTable}, setup.Options{})
			if tvmexport.CauseOf(err) != tvmexport.Permission {
				t.Errorf("init: %v, want a permission error", err)
			}
			_ = nobody.Close()
		}
	})
}
