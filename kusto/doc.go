// Package kusto is the destination: Azure Data Explorer or a Fabric Eventhouse,
// through the official SDK. Package conn alone imports the SDK's query part,
// and package landing its ingestion part. Package kql makes the texts.
//
// Rows come in by queued ingestion into a landing table of our own, are
// counted there, and go on by guarded commands:
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
