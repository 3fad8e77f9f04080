package tvmexport

import "io"

// Batch is the rows of one slice, ready to land: NDJSON, compressed with gzip.
//
// Each row is a line {"r":ROW,"b":BATCH,"n":LINE,"p":PARTITION}, lines counted
// from 1. The last line is the batch's description, with line number 0 and no
// row: {"b":BATCH,"n":0,"c":ROWS,"u":RUN,"s":MANIFEST}. So what landed describes
// itself, and (BATCH, LINE) identifies a row however often it is delivered.
type Batch struct {
	ID    BatchID
	Run   Run
	Slice Slice
	Rows  int64         // without the description
	Bytes int64         // of all lines, before compression
	Data  io.ReadSeeker // compressed; read from its start, possibly more than once
}

// Landed is what the destination has counted of one batch.
type Landed struct {
	Batch BatchID
	Lines int64 // distinct line numbers of rows
	Rows  int64 // rows, including duplicate deliveries
	Nulls int64 // rows that became null in ingestion
	Tail  int64 // rows that the description announces; Missing before it has landed
}

// Complete says whether every row of the batch has landed.
func (l Landed) Complete(rows int64) bool { return l.Lines == rows && l.Tail == rows }

// Manifest is the description of a batch in its last line. With it, a later run
// can reuse the landed batch.
type Manifest struct {
	Slice
	Header       RunHeader     `json:"origin"`
	Bytes        int64         `json:"bytes"`            // of all lines but the last, before compression
	Counts       []int64       `json:"counts"`           // rows per partition of the slice
	Fingerprints []Fingerprint `json:"prints,omitempty"` // and their fingerprints, where the source has shown that they are those of the plan
	Unread       []Unread      `json:"unread,omitempty"` // values of the rows that do not fit their type
}

// BatchID names the rows of one answer, unique to the attempt: RunID, a dot, an ordinal.
type BatchID string

// BatchInfo is what the flow remembers of a batch.
type BatchInfo struct {
	ID    BatchID
	Slice Slice
	Rows  int64
	Bytes int64 // uncompressed, as landed

	Counts       []int64      // rows per partition of the slice; all in the first where it is by row hash
	Fingerprints Fingerprints // of each partition as fetched; zero where that is not known
	Unread       []Unread     // values that do not fit their type
}

// OrphanedBatch is a batch that landed completely under a run that was never
// published: its process died, was stopped, or ran out of quota. The next run on
// the same base reuses it instead of fetching its rows again.
type OrphanedBatch struct {
	Batch  BatchInfo
	Header RunHeader
}

// MaxRecord is the largest row that Kusto keeps: a dynamic value of 1 MiB.
// Kusto silently replaces a larger one with null
// (https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic).
const MaxRecord = 1 << 20
