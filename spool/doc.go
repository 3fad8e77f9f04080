// Package spool makes a source that answers counts of one that lists units: it reads
// all units of one version of a table once, keeps the rows on disk, and counts and
// fetches from there. So the engine compares a table with what readers see, and only
// partitions that have changed are landed.
//
// Rows are kept in chunks: rows of one bucket of keys, compressed. The chunks of a
// table are in one file, and the list of them is in memory. A unit writes its chunks
// while it is read, and they join the list when the unit has proven to be complete.
// Memory does not grow with rows: there is a buffer for each unit that is being read,
// and a number of bytes for each partition of four digits.
package spool
