package main

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// step is a moment of a run, seen from the outside: the request that the
// exporter makes then.
type step struct {
	name string
	at   faults.Endpoint
	has  []string // all of these in the request's text
}

// steps are in the order of a run.
var steps = []step{
	{"lease", faults.KustoMgmt, []string{".set-or-append ExportRuns", `"lease"`}},
	{"history", faults.KustoQuery, []string{"let Newest = Commits"}},
	{"plan", faults.Graph, []string{"summarize Rows = count()"}},
	{"fetch", faults.Graph, []string{"union (answer"}},
	{"upload", faults.Blob, []string{""}},
	{"enqueue", faults.Queue, []string{"messages"}},
	{"confirm", faults.KustoQuery, []string{"Landing", "Announced"}},
	{"missing", faults.KustoQuery, []string{"sum(Lack)"}},
	{"claim", faults.KustoMgmt, []string{".set-or-append ExportRuns", `State = "publishing"`}},
	{"publish", faults.KustoMgmt, []string{".set-or-append async", "Raw"}},
	{"tags", faults.KustoMgmt, []string{"Raw extents where tags has"}},
	{"partitions", faults.KustoMgmt, []string{".set-or-append ExportPartitions"}},
	{"commit", faults.KustoMgmt, []string{".set-or-append ExportRuns", `State = "committed"`}},
	{"clear", faults.KustoMgmt, []string{".drop extents", "Landing"}},
	{"ends", faults.KustoMgmt, []string{".set-or-append ExportRuns", "tvmexport-ended:"}},
	{"watermark", faults.KustoMgmt, []string{".set-or-append MigrationConfiguration"}},
	{"audit", faults.KustoMgmt, []string{".set-or-append MigrationAuditLog"}},
	{"release", faults.KustoMgmt, []string{".set-or-append ExportRuns", `"audited"`}},
}

func (s step) is(e faults.Event) bool {
	if e.Endpoint != s.at {
		return false
	}
	for _, text := range s.has {
		if !strings.Contains(e.Text, text) {
			return false
		}
	}
	return true
}
