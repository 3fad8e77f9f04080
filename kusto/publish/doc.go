// Package publish moves the rows of a run from its landing table into the
// published tables.
//
//   - [Arrivals] counts what has landed of a run, and says why batches are missing.
//   - [Publisher] claims the base of a run in the ledger, runs one command for each
//     step and table, checks the row counts, commits, and clears the landing table.
//     It also counts the late rows that readers do not see.
//   - [Backfiller] rebuilds typed rows from stored records.
//   - [Observer] counts and fingerprints the rows that readers see.
//
// Every command that appends rows has a guard, which names the base of the run and
// the step. Of several runs on one base only one can publish, and a repeated step
// appends nothing. The outcome of a step is read from the tags of its extents, not
// from the answer to the command.
package publish
