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

	// Ready looks, for all tables at once, whether what a run needs is there
	// as we made it: the published table, the landing table, its mapping. The
	// map holds an error with its mend for each table that is not.
	Ready(ctx context.Context, tables []Table) (map[string]error, error)

	// History reads what the ledger says of the tables, by name.
	History(ctx context.Context, tables []Table) (map[string]History, error)

	// Acquire takes the lease of the tables for owner until its expiry by the
	// destination's clock, or extends it. It returns, by table name, who else
	// holds a table; those are not acquired.
	Acquire(ctx context.Context, owner string, tables []Table, term time.Duration) (held map[string]Holder, err error)

	// Release gives owner's leases back.
	Release(ctx context.Context, owner string, tables []Table) error

	// Land uploads a batch and queues it for the run's landing table. A nil
	// error means that it was accepted, not that it has landed.
	Land(ctx context.Context, b Batch) error

	// Landed counts what has landed of a run, per batch.
	Landed(ctx context.Context, run Run) ([]Landed, error)

	// Publish records in the ledger that the publication begins, then carries
	// out its steps, each at most once whoever asks. It returns the rows
	// that the publication has put into the published table. ErrSuperseded
	// means that another run on the same base published first.
	Publish(ctx context.Context, p Publication) (rows int64, err error)

	// Commit writes the ledger record that makes the run count, with its
	// partitions.
	Commit(ctx context.Context, c Commit) error

	// Finish copies the watermarks and writes the audit rows of a whole
	// invocation, one per table, each at most once per run.
	Finish(ctx context.Context, outcomes []Outcome) error
}

// Holder is who holds a lease.
type Holder struct {
	Owner   string
	Expires time.Time
}

// Order is a configuration row.
type Order struct {
	Table  string
	Into   string // published table
	Load   LoadType
	Column string // watermark column as configured; "" for None
	From   time.Time
	Active bool
	Err    error // why it cannot be carried out
}

// Publication is what Publish does for one run: steps of at most about 1 GB each.
type Publication struct {
	Run   Run               `json:"run"`
	Steps []PublicationStep `json:"steps"`
	Rows  int64             `json:"rows"`  // of all steps
	Bytes int64             `json:"bytes"` // fetched for the run, for the commit record
	Calls int               `json:"calls"` // made for the run, for the commit record

	Partitions []PartitionRecord `json:"-"` // written with the commit
}

// PublicationStep is one command: the batches that travel together.
type PublicationStep struct {
	Batches []BatchID `json:"batches"`
	Rows    int64     `json:"rows"`
}

// Outcome is how a table's run ended, for the audit.
type Outcome struct {
	Table     Table
	Run       RunID // "" where no run began
	Err       error // nil: success
	Rows      int64 // newly published
	Watermark time.Time
	At        time.Time // end, by the exporter's clock
}
