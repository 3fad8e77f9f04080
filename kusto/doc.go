// Package kusto is the destination: Azure Data Explorer or a Fabric Eventhouse,
// through the official SDK. [Client] is composed of parts, a package for each duty:
//
//   - ledger: runs, leases, configuration, audit, reports
//   - publish: landed rows into published tables, commits, counts
//   - setup: creates, adapts and checks what an installation needs
//   - takeover: tables of older exporters
//   - reconcile: tables that both sources have, compared with each other
//   - landing: uploads; the only importer of the ingestion SDK
//   - conn: the connection; the only importer of the query SDK
//   - policy: the policies of tables, such as retention
//   - visibility: whether policies hide rows from this sign-in
//   - views: functions for readers, typed columns
//   - kql: texts of queries and commands
//
// Client implements tvmexport.CompleteDestination. Methods such as [Client.Setup]
// return a part, which does what the contract does not cover.
//
// Queued ingestion writes rows into a landing table of our own. They are counted
// there, and guarded commands copy them into the published tables:
//
//	Land ──queue──> <T>Landing ──Landed counts──> Publish: .set-or-append <T>Raw <| <T>Landing ──> Commit: ExportRuns
//
// Nothing in a queue ever points at a published table, so duplicate and late
// deliveries land outside the published rows. Ingest-by tags guard publishing and
// the ledger. Their key contains the table and the previous run: of two runs on
// one base only one publishes.
//
// Readers use functions named like Defender's tables. They show the rows of
// committed runs only, with Defender's columns and types.
package kusto
