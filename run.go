package tvmexport

import (
	"slices"
	"time"
)

// RunID names one attempt to bring one table forward. Later runs of a table
// sort behind earlier ones.
type RunID string

// BatchID names the rows of one answer, unique to the attempt: RunID, a dot, an ordinal.
type BatchID string

// Run is one attempt to bring one table forward.
type Run struct {
	ID        RunID     `json:"id"`
	Table     Table     `json:"-"`
	Previous  RunID     `json:"previous"` // the committed run that this one builds on; "" for the first
	Kind      RunKind   `json:"kind"`
	Depth     int       `json:"depth,omitempty"` // of the partitions that a Snapshot's rows are told apart by
	Window    Window    `json:"window,omitzero"` // of the watermark; zero where the run is a full one
	Watermark time.Time `json:"watermark,omitzero"`
	StartedAt time.Time `json:"startedAt"`        // by the destination's clock
	Tenant    string    `json:"tenant,omitempty"` // whose data it is; "" if it is not known
}

// Label is the partition that a published row of the run carries.
func (r Run) Label(p Partition) Partition {
	if r.Table.LoadType == Snapshot {
		return p.At(r.Depth)
	}
	return p.Base()
}

// RunKind says what the rows of a run are to readers.
type RunKind string

// The kinds of runs.
const (
	FullRun RunKind = "full" // replaces what readers saw before
	// DeltaRun adds to what readers saw before; of a Snapshot it replaces the
	// partitions that it records.
	DeltaRun RunKind = "delta"
)

// PartitionRecord is what a committed run knows of one partition. A partition
// that vanished since the previous run is recorded with 0 rows.
type PartitionRecord struct {
	Partition Partition   `json:"partition"`
	Window    Window      `json:"window,omitzero"`
	Rows      int64       `json:"rows"`
	Print     Fingerprint `json:"print,omitzero"` // of the rows as they were fetched
}

// Commit makes a run count.
type Commit struct {
	Run        Run
	Owner      string // the invocation that commits
	Rows       int64  // published by the run
	Bytes      int64  // of source JSON fetched for it
	Calls      int    // made to the source for it
	Losses     Losses // that the run knew of and made up for
	Partitions []PartitionRecord
	Unread     []Unread // values that do not fit their type
	Unlike     []string // columns of which the runs that this one adds to had such values
}

// History is what the ledger and the published tables say of one table.
type History struct {
	Last       *Committed        // newest commit of the chain; nil before the first
	Publishing *Publication      // a publication that began and has no commit: it must be finished first
	Partitions []PartitionRecord // what readers see: of each partition the newest record since the last full run
	Depth      int               // of those partitions
	Lineage    bool              // published rows that readers see carry their run and partition, so that a run can replace single partitions
	FullAt     time.Time         // when the newest full run was committed; zero: none was
	Retention  time.Duration     // how long the destination keeps what readers see; 0: not known
	Fetched    Volume            // by the committed runs since the last full one
	Tenant     string            // whose data the database holds, of any table; "" if no commit says
	Since      time.Time         // where the windows of the committed runs begin, since the last full run; zero: from the beginning
	Ordered    time.Time         // a watermark that an operator wrote after the last commit; zero: none
	Losses     Losses            // what is gone of the ledger and of published rows
	Legacy     *Legacy           // the other exporter of a table that was taken over; nil: it was not
	Now        time.Time         // the destination's clock
}

// shapeOf is a table as the run met it.
func shapeOf(c *Committed, t Table) Table {
	if c == nil || len(c.Columns) == 0 {
		return t
	}
	t.Columns, t.Shown = c.Columns, c.Shown
	if slices.Equal(t.Shown, t.Columns) {
		t.Shown = nil
	}
	return t
}

// Volume is an amount of data.
type Volume struct {
	Rows  int64
	Bytes int64 // of source JSON
}

// Committed is a run that counts.
type Committed struct {
	ID        RunID
	Previous  RunID
	Kind      RunKind
	At        time.Time // by the destination's clock
	Watermark time.Time
	Rows      int64
	Bytes     int64

	Definition string   // of the table as the run met it
	Columns    []Column // at the source then
	Shown      []Column // to readers
	Unread     []Unread // values of the run that do not fit their type
	Unlike     []string // columns of which the runs that this one adds to had such values

	Destination string // table that it published records into; "" where that is not recorded
	Losses      Losses // that the run knew of and made up for
}

// unlikeColumns are the columns in which what readers see can differ from the source
// because a value did not fit its type.
func unlikeColumns(c *Committed) []string {
	if c == nil {
		return nil
	}
	out := slices.Clone(c.Unlike)
	for _, u := range c.Unread {
		if !slices.Contains(out, u.Column) {
			out = append(out, u.Column)
		}
	}
	return out
}
