package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// invariants are queries over the destination that must have no rows.
var invariants = []struct{ what, query string }{
	{"a run has other rows in a published table than the ledger says (lost or doubled)", `union withsource = T DeviceTvmSoftwareInventoryRaw, DeviceTvmHardwareFirmwareRaw, DeviceTvmCertificateInfoRaw, DeviceProcessEventsRaw, DeviceNetworkEventsRaw
| summarize Have = count() by RunId
| join kind=fullouter (ExportRuns | where State == "committed" and Rows > 0 | project RunId, Rows) on RunId
| where coalesce(Have, 0) != coalesce(Rows, -1)`},
	{"a run is committed twice", `ExportRuns | where State == "committed" | summarize n = count() by RunId | where n > 1`},
	{"two commits build on one run", `ExportRuns | where State == "committed" | summarize n = count() by Table, Previous | where n > 1`},
	{"the watermark's copy is ahead of the ledger", `MigrationConfiguration
| extend W = ingestion_time()
| summarize arg_max(W, LastRefreshedTime) by SourceTable
| join kind=inner (ExportRuns | where State == "committed" | summarize Reached = max(Watermark) by Table) on $left.SourceTable == $right.Table
| where LastRefreshedTime > Reached`},
	{"the audit does not have one row for each table and invocation", `ExportRuns
| where State in ("lease", "ended") and Table != ""
| summarize by Table, Owner
| summarize Want = count() by TableName = Table
| join kind=fullouter (MigrationAuditLog | summarize Have = count() by TableName) on TableName
| where coalesce(Want, 0) != coalesce(Have, 0)`},
	{"the audit's rows are not those of the ledger", `MigrationAuditLog | summarize Said = sum(RecordCount) by TableName
| join kind=inner (ExportRuns | where State == "committed" | summarize Committed = sum(Rows) by Table) on $left.TableName == $right.Table
| where Said != Committed`},
}

// differences holds the destination against the source and against itself.
func (w *world) differences(ctx context.Context) (out []string) {
	for _, t := range tables {
		truth, err := w.server.Truth(ctx, t)
		if err != nil {
			return append(out, err.Error())
		}
		landed, err := w.server.Landed(ctx, "", t)
		switch {
		case err != nil:
			return append(out, err.Error())
		case landed.Rows < truth.Rows:
			out = append(out, fmt.Sprintf("%s: %d rows lost of %d", t, truth.Rows-landed.Rows, truth.Rows))
		case landed.Rows > truth.Rows:
			out = append(out, fmt.Sprintf("%s: %d rows doubled over %d", t, landed.Rows-truth.Rows, truth.Rows))
		case landed != truth:
			out = append(out, fmt.Sprintf("%s: %d rows, some lost and some doubled", t, truth.Rows))
		}
	}
	for _, i := range invariants {
		d, err := w.server.Landed(ctx, "", i.query)
		if err != nil {
			return append(out, err.Error())
		}
		if d.Rows > 0 {
			out = append(out, fmt.Sprintf("%s: %d cases", i.what, d.Rows))
		}
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
