// Package check compares a destination with its source, and its parts with each
// other, as the programs of test/reliability do after each run: by what readers
// see, and by the ledger, the published tables and the audit.
package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

// Table is a table under test.
type Table struct {
	Name   string
	Events bool // rows are only added, and expire only at the source
}

// Server is the emulator that is asked.
type Server interface {
	Truth(ctx context.Context, query string) (emulator.Digest, error)
	Landed(ctx context.Context, database, query string) (emulator.Digest, error)
}

// Kept is how long the emulated source keeps events.
const Kept = 30 * 24 * time.Hour

// Query returns the rows of the table that source and readers have in common: of
// events those that have not expired at the source, whose newest day ends at edge.
func (t Table) Query(edge time.Time) string {
	if !t.Events {
		return t.Name
	}
	return fmt.Sprintf("%s | where isnull(Timestamp) or Timestamp >= datetime(%s)", t.Name, edge.Add(-Kept).UTC().Format(time.RFC3339Nano))
}

// Readers reports where readers see other rows than the source has now. Reports
// of lost rows contain the word lost, those of duplicated rows the word duplicated.
func Readers(ctx context.Context, s Server, edge time.Time, tables []Table) (out []string) {
	for _, t := range tables {
		truth, err := s.Truth(ctx, t.Query(edge))
		if err != nil {
			return append(out, err.Error())
		}
		seen, err := s.Landed(ctx, "", t.Query(edge))
		switch {
		case err != nil:
			return append(out, err.Error())
		case seen.Rows < truth.Rows:
			out = append(out, fmt.Sprintf("%s: %d rows lost of %d", t.Name, truth.Rows-seen.Rows, truth.Rows))
		case seen.Rows > truth.Rows:
			out = append(out, fmt.Sprintf("%s: %d rows duplicated over %d", t.Name, seen.Rows-truth.Rows, truth.Rows))
		case seen != truth:
			out = append(out, fmt.Sprintf("%s: of %d rows some lost and some duplicated", t.Name, truth.Rows))
		}
	}
	return out
}

// Ledger says where the published tables, the audit and the watermarks' copies
// do not agree with the ledger. No run may be under way, and none may have
// begun to publish without having been finished.
func Ledger(ctx context.Context, s Server, tables []Table) (out []string) {
	for _, i := range invariants {
		query := strings.ReplaceAll(i.query, "PUBLISHED", published(tables))
		d, err := s.Landed(ctx, "", query)
		if err != nil {
			return append(out, err.Error())
		}
		if d.Rows > 0 {
			out = append(out, fmt.Sprintf("%s: %d cases", i.what, d.Rows))
		}
	}
	return out
}

func published(tables []Table) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name + "Raw"
	}
	return strings.Join(names, ", ")
}

// audit is the audit by source tables. Its rows name the published table; those of
// earlier versions name the source table.
const audit = `(MigrationAuditLog | extend TableName = replace_regex(TableName, "Raw$", ""))`

// invariants are queries over the destination that must have no rows. A run
// that was given up may have left rows where dropping them is not allowed.
var invariants = []struct{ what, query string }{
	{"a run has other rows in a published table than the ledger says (lost or duplicated)", `union withsource = T PUBLISHED
| summarize Have = count() by RunId
| join kind=leftanti (ExportRuns | where State == "abandoned" | distinct RunId) on RunId
| join kind=fullouter (ExportRuns | where State == "committed" and Rows > 0 | project RunId, Rows) on RunId
| where coalesce(Have, 0) != coalesce(Rows, -1)`},
	{"a run is committed twice", `ExportRuns | where State == "committed" | summarize n = count() by RunId | where n > 1`},
	{"a run that was given up is committed", `ExportRuns | where State == "committed"
| join kind=inner (ExportRuns | where State == "abandoned" | distinct RunId) on RunId`},
	{"two commits build on one run", `ExportRuns | where State == "committed" | summarize n = count() by Table, Previous | where n > 1`},
	{"a commit does not build on the one before it", `ExportRuns | where State == "committed"
| where isnotempty(Previous)
| join kind=leftanti (ExportRuns | where State == "committed" | project Table, Previous = RunId) on Table, Previous`},
	{"the watermark's copy is ahead of the ledger", `MigrationConfiguration
| extend W = ingestion_time()
| summarize arg_max(W, LastRefreshedTime) by SourceTable
| join kind=inner (ExportRuns | where State == "committed" | summarize Reached = max(Watermark) by Table) on $left.SourceTable == $right.Table
| where LastRefreshedTime > Reached`},
	{"the audit's rows are not those of the ledger", audit + ` | summarize Said = sum(RecordCount) by TableName
| join kind=fullouter (ExportRuns | where State == "committed" | summarize Committed = sum(Rows) by Table) on $left.TableName == $right.Table
| where coalesce(Said, 0) != coalesce(Committed, 0)`},
	{"the audit has fewer rows of a table than the ledger knows ends of runs", `ExportRuns
| where State in ("lease", "ended") and Table != ""
| summarize by Table, Owner
| summarize Want = count() by TableName = Table
| join kind=leftouter (` + audit + ` | summarize Have = count() by TableName) on TableName
| where Want > coalesce(Have, 0)`},
	// An invocation that lost its lease after it had published succeeds too: the next
	// invocation has committed its run.
	{"the audit tells of more successes than there are invocations with a committed run", `ExportRuns
| where State in ("committed", "ended")
| join kind=leftsemi (ExportRuns | where State == "committed" | project RunId) on RunId
| summarize by Table, Owner | summarize Want = count() by TableName = Table
| join kind=rightouter (` + audit + ` | where Status == "Success" | summarize Have = count() by TableName) on TableName
| where coalesce(Want, 0) < Have`},
}
