// Package lake is the destination without a database: a folder with a Delta table per
// exported table, which every engine reads that reads Parquet and Delta.
//
//	<Table>/                     a Delta table; each commit of a run replaces what readers see
//	ExportRuns, ExportPartitions the ledger, for readers
//	MigrationConfiguration       which tables are exported, and how
//	MigrationAuditLog            one row per table and invocation
//	_tvmexport/                  what the exporter itself keeps: see folder
//	init.sql                     views for DuckDB
//
// A run counts when its commit is in the log of its table: the transaction
// tvmexport/<Table> then has the ordinal of the run as its version. A run file per ordinal, which
// one run creates exclusively, holds what the run publishes. So of two runs on the same base
// one publishes, and any process can finish what another one began.
//
// Batches wait in _tvmexport/landing. Publish writes their rows into Parquet files, one for each
// group of partitions, and reads each file back. Rows of other partitions of a group are
// carried over from the file that is replaced.
package lake
