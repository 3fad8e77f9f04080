// Package ledger reads and writes the control tables: the ledger (ExportRuns and
// ExportPartitions), the configuration (MigrationConfiguration) and the audit log
// (MigrationAuditLog).
//
//   - [Ledger] holds the runs of tables. It reads histories, losses and orphaned
//     batches, and writes commits. A run counts only after its commit is written.
//   - [Invocations] holds the leases of invocations, their quota usage, their ends
//     and their audit rows.
//   - [Configuration] reads the orders and adds missing configuration rows.
//   - [Reports] reads the state of tables, recent runs and audits for display.
//
// Each row is appended with a guard (see [kql.Guarded]), so that a repeated call
// does not write it twice. Rows are never changed or deleted. The package does
// not move rows of source tables: package publish does that, and asks the ledger
// before and after.
package ledger
