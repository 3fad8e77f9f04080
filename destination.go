package tvmexport

import (
	"context"
	"time"
)

// Destination keeps the rows and the ledger. Every method can be repeated with
// the same arguments and then changes nothing more, except Land, whose
// repetitions are harmless because (BatchID, line) identifies a row. Errors
// are *Error. Implementations are safe for concurrent use.
type Destination interface {
	// Orders reads which tables are to be exported, and how: the newest
	// configuration row of each source table, inactive ones too. A row that
	// cannot be carried out comes with Err; it does not fail the others.
	Orders(ctx context.Context) ([]Order, error)

	// CheckTables looks, for all tables at once, whether what a run needs is there
	// as we made it: the published table, the landing table, its mapping. The
	// map holds an error with its mend for each table that is not.
	CheckTables(ctx context.Context, tables []Table) (map[string]error, error)

	// Acquire takes a lease until its expiry by the destination's clock, or
	// extends it, and notes what was spent. It returns, by table name, who
	// else holds a table; those are not acquired.
	Acquire(ctx context.Context, l Lease) (held map[string]LeaseHolder, err error)

	// QuotaUsage is what other invocations have noted in the last hour.
	QuotaUsage(ctx context.Context, owner string) ([]QuotaUsage, error)

	// PendingAudits are earlier invocations that are over and whose audit rows
	// are not known to be written, with what the ledger says of their tables.
	PendingAudits(ctx context.Context, owner string) ([]InvocationEnd, error)

	// EndInvocation ends an invocation: it notes the outcomes in the ledger, copies
	// the watermarks, writes the audit rows, one per table, each at most once
	// whoever asks, and gives the leases back. Leases are given back also
	// where something before failed; the error then says what.
	EndInvocation(ctx context.Context, c InvocationEnd) error

	// History reads what the ledger says of the tables, by name.
	History(ctx context.Context, tables []Table) (map[string]History, error)

	// OrphanedBatches are, by table name, the batches that landed whole since then
	// under runs upon the last commit of each history that never began to
	// publish.
	OrphanedBatches(ctx context.Context, tables []Table, of map[string]History, since time.Time) (map[string][]OrphanedBatch, error)

	// Land uploads a batch and queues it for the run's landing table. A nil
	// error means that it was accepted, not that it has landed.
	Land(ctx context.Context, b Batch) error

	// Landed counts what has landed of a run, per batch.
	// ErrSuperseded means that another run on the same base publishes, whose
	// commit may have cleared what is missing.
	Landed(ctx context.Context, run Run) (Delivery, error)

	// SyncSchema makes what readers use fit the columns that a table shows: the typed
	// table gets the columns that it lacks, and the read functions are made
	// anew where they differ. Nothing is dropped, and no column altered: where
	// a column has another type than the typed table gives it, a column NAME_TYPE
	// is added. It is called with the lease held and nothing of the table in
	// flight. changes says what was changed, a sentence each.
	SyncSchema(ctx context.Context, t Table) (changes []string, err error)

	// Backfill makes the rows of the typed table anew from the records of the
	// runs whose records are all there, in the columns that the table shows.
	Backfill(ctx context.Context, t Table) (Backfilled, error)

	// HourlyCounts counts what readers see of a table with a watermark column, by
	// hour of the watermark, as far as it lies in the window. Equal rows of a
	// legacy run count once: its copies must not hide what it lacks.
	HourlyCounts(ctx context.Context, t Table, w Window) ([]Count, error)

	// CountMissing counts, for landed batches of late slices, the rows that
	// readers do not see, equal rows counted as often as they are there.
	CountMissing(ctx context.Context, run Run, late []BatchInfo) (map[BatchID]int64, error)

	// Publish records in the ledger that the publication begins, then carries
	// out its steps, each at most once whoever asks. ErrSuperseded means that
	// another run on the same base published first.
	Publish(ctx context.Context, p Publication) (Published, error)

	// Commit writes the ledger record that makes the run count, with its
	// partitions, and clears the landing table of what cannot be published any
	// more, where that is allowed. Repeated or late, it changes nothing, and
	// leaves what runs that build upon this one have landed.
	Commit(ctx context.Context, c Commit) error

	// State counts what readers see, in the parts of a CountQuery, with
	// fingerprints that equal the source's for equal rows.
	State(ctx context.Context, q CountQuery) ([]Count, error)
}

// LeaseHolder is who holds a lease.
type LeaseHolder struct {
	Owner   string
	Expires time.Time
}

// Publication is what Publish does for one run: steps of at most about 1 GB each.
type Publication struct {
	Run   Run               `json:"run"`
	Steps []PublicationStep `json:"steps"`
	Rows  int64             `json:"rows"`  // of all steps
	Bytes int64             `json:"bytes"` // fetched for the run, for the commit record
	Calls int               `json:"calls"` // made for the run, for the commit record

	Losses Losses `json:"losses,omitzero"` // that the run knows of, for the commit record
	Apart  bool   `json:"apart,omitempty"` // the guards of its steps are its own: those of runs that the ledger has lost may be there

	Layout  Layout   `json:"layout,omitempty"`  // where the steps put rows; "" is RawOnly
	Columns []Column `json:"columns,omitempty"` // at the source
	Shown   []Column `json:"shown,omitempty"`   // that the typed table is filled by
	Unread  []Unread `json:"unread,omitempty"`  // values of the rows that do not fit their type
	Unlike  []string `json:"unlike,omitempty"`  // columns of which the runs that this one adds to had such values

	Partitions []PartitionRecord `json:"-"` // written with the commit
}

// Published is what Publish has done.
type Published struct {
	Rows  int64    // that the publication has put into each table
	Notes []string // what people should know of it, a sentence each

	Unread []Unread // values that the typed table could not take, as the destination counted them
}

// PublicationStep is one command: the batches that travel together.
type PublicationStep struct {
	Batches []BatchID `json:"batches"`
	Rows    int64     `json:"rows"`
	Late    *Window   `json:"late,omitempty"` // only rows that readers do not see in this window yet
}

// Delivery is what has landed of a run.
type Delivery struct {
	Batches []Landed
	Failed  error // an ingestion failure since the run began that time does not mend; nil: none known

	// Slow says by what the destination itself delays what is still missing,
	// such as a policy; "" where nothing is known to.
	Slow string
}

// Backfilled is what was made anew of a table's typed rows.
type Backfilled struct {
	Table Table
	Runs  int   // made anew
	Rows  int64 // of them
	Short int   // runs of which the records are not all there any more; they stay as they are
	Err   error
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
