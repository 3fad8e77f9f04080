package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/test/reliability/check"
)

// differences compares the destination with the source, and its parts with each
// other.
func (w *world) differences(ctx context.Context) []string {
	out := check.Readers(ctx, w.server, w.server.Tenant().Edge(), tables)
	out = append(out, check.Ledger(ctx, w.server, tables)...)
	// Here every invocation has written to the ledger before it writes to the audit.
	d, err := w.server.Landed(ctx, "", `ExportRuns
| where State in ("lease", "ended") and Table != ""
| summarize by Table, Owner
| summarize Want = count() by TableName = Table
| join kind=fullouter (MigrationAuditLog | summarize Have = count() by TableName = replace_regex(TableName, "Raw$", "")) on TableName
| where coalesce(Want, 0) != coalesce(Have, 0)`)
	switch {
	case err != nil:
		out = append(out, err.Error())
	case d.Rows > 0:
		out = append(out, fmt.Sprintf("the audit does not have one row for each table and invocation: %d cases", d.Rows))
	}
	return out
}

// onlyHeld says whether all that failed in a run's report failed for a lease.
func onlyHeld(report string) bool {
	for line := range strings.Lines(report) {
		var l struct{ Error string }
		if json.Unmarshal([]byte(line), &l) != nil || l.Error != "" && !strings.HasPrefix(l.Error, "lease ") {
			return false
		}
	}
	return true
}
