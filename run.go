package tvmexport

import (
	"time"
)

// RunID names one attempt to export one table. Later runs of a table sort after
// earlier ones.
type RunID string

// Run is one attempt to export one table.
type Run struct {
	ID        RunID     `json:"id"`
	Table     Table     `json:"-"`
	Previous  RunID     `json:"previous"` // the committed run that this one builds on; "" for the first
	Kind      RunKind   `json:"kind"`
	Depth     int       `json:"depth,omitempty"` // of the partitions in which a Snapshot's rows are compared
	Window    Window    `json:"window,omitzero"` // of the watermark; zero where the run is a full one
	Watermark time.Time `json:"watermark,omitzero"`
	StartedAt time.Time `json:"startedAt"`        // by the destination's clock
	Tenant    string    `json:"tenant,omitempty"` // whose data it is; "" if it is not known
	StateAt   time.Time `json:"stateAt,omitzero"` // of a Snapshot: when the source was counted, or made the state that it shows, by its clock
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
	Partition   Partition   `json:"partition"`
	Window      Window      `json:"window,omitzero"`
	Rows        int64       `json:"rows"`
	Fingerprint Fingerprint `json:"print,omitzero"` // of the rows as they were fetched
}

// LegacyRun is the kind of the run that stands for the rows which another
// exporter had put into the published table before this one took it over.
const LegacyRun RunKind = "legacy"

// RunHeader is what a landed batch and a commit say of their run. Its JSON is stored
// with both; that of a [Run] is stored with a [Publication].
type RunHeader struct {
	ID         RunID     `json:"id"`
	Previous   RunID     `json:"previous"`
	Kind       RunKind   `json:"kind"`
	Depth      int       `json:"depth,omitempty"`
	Definition string    `json:"definition"`
	StartedAt  time.Time `json:"startedAt"`
	Tenant     string    `json:"tenant,omitempty"`
}

// Effect is what a committed run has done to its table, as readers see it.
type Effect struct {
	TableRows int64         // rows that readers see since the run
	Growth    int64         // how many more they are than before it
	Deltas    int           // delta runs since the newest full one, up to this one; -1: not known
	Took      time.Duration // until the commit, without the wait for its turn among the tables
}

// Header returns the header that the batches and the commit record of the run carry.
func (r Run) Header() RunHeader {
	return RunHeader{
		ID: r.ID, Previous: r.Previous, Kind: r.Kind, Depth: r.Depth,
		Definition: r.Table.Definition(), StartedAt: r.StartedAt, Tenant: r.Tenant,
	}
}
