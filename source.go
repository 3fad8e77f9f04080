package tvmexport

import (
	"context"
	"time"
)

// Source tells which columns tables have. The engine exports a table from a
// source that is a CountingSource or a ListingSource too.
//
// Each method makes one call at a time, within the tenant's budget; the source
// itself waits for the budget. Errors are *Error: their Action says what to do
// next. Implementations are safe for concurrent use.
type Source interface {
	// Columns returns the schema of a table that the catalogue does not know.
	Columns(ctx context.Context, table string) ([]Column, error)

	// Schemas returns, with one call where that is possible, the columns that
	// tables have now. Tables whose columns the service does not tell are left out.
	Schemas(ctx context.Context, tables []string) (map[string][]Column, error)
}

// CountingSource is a Source that answers questions: the engine counts the rows
// of a table, divides it into slices, and fetches each slice.
type CountingSource interface {
	Source

	// Count counts, with one call, the rows in each part of a table. An answer
	// that does not prove its completeness is an error.
	Count(ctx context.Context, q CountQuery) (Counts, error)

	// Fetch requests a slice and writes each row of the answer to w, in the
	// order of the answer. A nil error means that the answer was read to its
	// end; the returned Answer says whether it is complete. What was written
	// before an error is discarded.
	Fetch(ctx context.Context, s Slice, w RowWriter) (Answer, error)
}

// JointCounter is a CountingSource that counts several tables with one call.
type JointCounter interface {
	// CountTables is Count for each query, with as few calls as the service allows.
	// The results come in the order of the queries. Each is proven by itself, and
	// the failure of one changes no other. The calls of all results together are
	// those that were made; a result may have none of its own.
	CountTables(ctx context.Context, list []CountQuery) []TableCounts
}

// TableCounts is the answer to one of several queries.
type TableCounts struct {
	Counts
	Err error // Counts then has the calls alone
}

// RowSizer is a CountingSource that measures rows of several tables with one call.
type RowSizer interface {
	// RowSizes returns, in the order of the slices, about how many bytes of JSON a row
	// of each has in an answer; 0 where that is not known. calls were made for it.
	RowSizes(ctx context.Context, list []Slice) (sizes []float64, calls int, err error)
}

// Releaser is a CountingSource that keeps what it has read of a table, and answers
// from that. It knows the columns of a table only then: Schemas leaves out tables of
// which nothing is kept, and counts have the columns.
type Releaser interface {
	// Release lets go of what is kept of a table: its run has ended, or nothing
	// more is asked. The next question reads the table again. It is called also
	// for tables of which nothing is kept.
	Release(table string)
}

// RowWriter takes the rows of an answer.
type RowWriter interface {
	// WriteRow takes one row as a JSON object on one line, in the shape that
	// is published: Defender's columns, bools as true and false, nulls as
	// null, dynamics as nested JSON. key is the value of the table's key, in
	// the form that partitions are prefixes of. Both are valid during the
	// call only. The error ends the fetch.
	WriteRow(key, row []byte) error
}

// CountQuery asks how many rows each part of a table holds. With a zero Bin
// the parts are the partitions Depth digits below Within; otherwise they are
// steps of the watermark, Bin wide.
type CountQuery struct {
	Table        Table
	Window       Window
	Within       Partition
	Only         []Partition // below Within: rows of others are not counted; nil: all of Within
	Depth        int
	Bin          time.Duration
	Fingerprints bool  // each part comes with its fingerprint, where the service can compute it
	Nulls        bool  // with Bin: rows without a watermark are counted too, though no window holds them
	Rows         int64 // that are expected; 0 if nothing is known
	Emptied      bool  // the table may have no rows although some are expected: that was asked for, or only compared
}

// Counts is the answer to a CountQuery.
type Counts struct {
	Parts              []Count
	Now                time.Time // the source's clock; of a source that has states, when the newest one was made
	FingerprintColumns []Column  // the columns that fingerprints are made of
	Calls              int       // calls made for it, retries too
	Even               bool      // the service counts no parts: Parts are the rows of all of Within, thought to be spread evenly
	Notes              []string  // what people should know of how the source was read, a sentence each
	Columns            []Column  // of a Releaser: those of the rows that it has read; nil: not known, as without rows
	Gone               Window    // of the watermark: what was asked for and the source no longer keeps; zero: nothing is known to be gone
}

// Count is one part. Where the part is a step of the watermark, Start is its
// beginning (zero: the rows whose watermark is null) and Partition is Within;
// otherwise Start is zero.
type Count struct {
	Partition   Partition
	Start       time.Time
	Rows        int64
	Fingerprint Fingerprint // if asked for; not known where the service refuses it
	OneKey      bool        // every row of the part has the same key: deeper key digits cannot divide it
	Ends        bool        // of a rest: the key of every row is the digits of the partition and nothing more
}

// Answer describes the answer to a Fetch.
type Answer struct {
	Rows        int64         // written to the RowWriter
	Counted     int64         // what the query itself counted; Missing if the answer does not say
	Bytes       int64         // of the body as JSON, decompressed
	Calls       int           // made for it, retries too; the download of a file from storage is none
	Request     string        // the service's request id
	Took        time.Duration // of the last call
	Columns     []Column      // the schema that the answer declares, in the order of the query
	Fingerprint Fingerprint   // of the rows, computed by the query itself; known only if the slice asks for it
	Nulled      int64         // values that do not fit their declared type
	Unread      []Unread      // the same by column; they are text in the rows
	Next        []Unit        // of a ListingSource: units that only this one names, such as the next page
	Empty       bool          // of a ListingSource: the unit itself says that it has no rows; one that only ends without any may not be ready
}

// Missing as Answer.Counted: the row that carries the count is not in the
// answer, so the answer was cut.
const Missing = -1

// Complete says whether the answer proves that it holds every row.
func (a Answer) Complete() bool { return a.Counted == a.Rows }

// Slice is what one call is asked for: the rows of Table that are in Window
// and in one of Partitions.
type Slice struct {
	Table       Table       `json:"-"`
	Window      Window      `json:"window,omitzero"`
	Partitions  []Partition `json:"partitions"`     // disjoint, in order; {Whole} for all
	Late        bool        `json:"late,omitempty"` // asked for again: only rows that are missing are published
	Fingerprint bool        `json:"-"`              // the answer is to carry its fingerprint
	Rows        int64       `json:"-"`              // expected; an estimate, only for display
	Ending      []Partition `json:"-"`              // rests among Partitions of which only rows are asked for whose key ends with their digits
	Unit        Unit        `json:"unit,omitzero"`  // of a ListingSource: the rows are those of the unit; Partitions is {AllPartitions}
}

// Limits is what one answer of the source may hold.
type Limits struct {
	Rows  int64 // rows, beyond which an answer is cut silently
	Bytes int64 // of JSON, beyond which a call is refused
}

// DocumentedLimits are those of Advanced Hunting: 100,000 rows and 50 MB
// (https://learn.microsoft.com/graph/api/resources/security-api-overview).
var DocumentedLimits = Limits{Rows: 100_000, Bytes: 50_000_000}

// DefaultRowBytes is the estimated size of a row of a table without earlier runs.
const DefaultRowBytes = 600

// Meter is a Source that keeps to a budget of calls.
type Meter interface {
	// Begin tells it that an invocation begins: what others have called counts
	// as if this source had, and what was waited for before counts no more.
	Begin(others []QuotaUsage)
	// QuotaUsage is what this source has called itself. One of Exporter.Sources names its
	// Endpoints: its Calls are not shared.
	QuotaUsage() QuotaUsage
}
