package main

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/internal/wiring"
)

// serve goes on when a newer version has written to the database: page, metrics and log say so, and nothing is exported.
func TestServeMeetsNewerShape(t *testing.T) {
	t.Parallel()
	e, p := newEmulator(t, 5, served1, served2)
	client, err := wiring.HTTPClient(e.Ready.CA)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Server: e, client: client}
	if err := r.command(`.set-or-append ExportRuns <| ExportRuns | where State == "shape" | take 1 | extend Owner = "v7.1.0", Detail = dynamic({"shape": 7})`); err != nil {
		t.Fatal(err)
	}
	s := serveOn(t, e, p, writeConfig(t, e, "schedule: '@daily'\n"))
	s.until("/metrics", `tvmexport_runs_total{outcome="failed",table="`+served2+`"} 1`)
	s.until("/", "2 tables failed")
	s.until("/", "use version v7.1.0 of the program, or a later one")
	s.waitFor("msg=exported")
	if log := s.stderr.String(); !strings.Contains(log, "tables=2 failed=2") || !strings.Contains(log, "the database has the stored shape 7, and this program understands shapes up to 1") {
		t.Errorf("the log does not say why two tables failed:\n%s", log)
	}
	for row, err := range e.LandedRows(t.Context(), "", `union withsource = Of ExportRuns, MigrationAuditLog | where Of != "ExportRuns" or State != "shape"`) {
		t.Errorf("something was written: %s, %v", row, err)
	}
}
