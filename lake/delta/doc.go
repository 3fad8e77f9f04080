// Package delta reads and writes the transaction log of Delta tables
// (https://github.com/delta-io/delta/blob/master/PROTOCOL.md).
//
// A table is a folder of a store with Parquet files and a log of commits in
// `_delta_log`. Commit N is the file N.json, created exclusively: it exists completely or not
// at all, and one of several writers creates it. A [Snapshot] is the state of the
// table after a commit: the live files, the schema, and the newest version of
// each application (txn).
//
// Tables are written with reader version 1 and writer version 2, which every
// reader of Delta understands. A table whose protocol needs more is refused with
// the name of the feature. Commits and checkpoints of other writers are read.
//
// A commit that loses to another one reads the other's commit and is built
// again on it: see [Table.Commit]. A transaction with an application and a
// version is committed at most once.
package delta
