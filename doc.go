// Package tvmexport copies Microsoft Defender XDR Advanced Hunting tables into
// Azure Data Explorer or a Fabric Eventhouse, completely and each row once.
//
// The package is the vocabulary and the engine. It knows no technology: a
// Source answers queries, a Destination keeps rows and the ledger, and what
// happens between them is decided here, by functions of plain values:
//
//	Orders -> Plan -> slices -> Fetch -> batches -> Land -> Confirm -> Publish -> Commit
//
// Promise: after a run that reports success, the published tables hold exactly
// the rows that the source answered, each once. It rests on three rules:
//
//   - An answer carries its own row count, so that a silent cut shows (Fetch).
//   - What is queued is not landed: a batch counts only when the destination
//     has counted its lines (Confirm).
//   - Readers see rows of committed runs only. Nothing in a queue ever points
//     at a published table; publishing is guarded by the run it builds on, so
//     of two runs on the same base only one can publish (Publish, Commit).
package tvmexport
