// Package extent stores the rows of tables.
//
// An Extent is an immutable piece of a table. Its rows are in blocks of a few
// thousand rows. Within a block each column is encoded and compressed on its
// own, so that a scan decodes only the columns it needs. Each block knows the
// bounds of its columns, so that a scan skips blocks that cannot hold matching
// rows. Blocks are kept by a Store, in memory up to a limit
// and in files beyond it.
//
// Rows that arrived together form a segment and share one ingestion time.
// Merging extents puts their segments side by side; nothing is copied.
package extent
