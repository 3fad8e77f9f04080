// Package tvmexport copies Microsoft Defender XDR Advanced Hunting tables into
// Azure Data Explorer or a Fabric Eventhouse, completely and each row once.
//
// The package holds the domain types and the contracts. It executes nothing. A [Table] is divided into [Partition]s or [Window]s. A [CountingSource]
// counts and fetches its rows; a [ListingSource] has them in [Unit]s. A
// [Destination] stores the rows and the ledger; [Ability] finds what it can do
// beyond that. A [Run] exports one table once: it fetches [Slice]s, lands each of
// them as a [Batch], and ends with a [Publication] and a [Commit]. Package engine
// executes runs; hunting is a CountingSource, kusto a Destination.
//
// Promise: after a run that reports success, the published tables hold exactly
// the rows that the source answered, each once. It depends on three rules:
//
//   - An answer carries its own row count, so that silent truncation is
//     detected ([Answer.Complete]).
//   - What is queued is not landed: a batch counts only when the destination
//     has counted its lines ([Landed.Complete]).
//   - Readers see rows of committed runs only. Nothing in a queue ever points
//     at a published table; publishing is guarded by the run it builds on, so
//     of two runs on the same base only one can publish ([ErrSuperseded]).
//
// docs/glossary.md defines the terms.
package tvmexport
