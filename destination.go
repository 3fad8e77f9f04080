package tvmexport

import (
	"context"
	"fmt"
	"time"
)

// Destination stores rows and the ledger. It is what each run needs; a
// destination that can do more implements interfaces such as SchemaSyncer too,
// which [Ability] finds.
//
// Every method can be repeated with the same arguments and then changes nothing
// more, except Land, whose repetitions are harmless because (BatchID, line)
// identifies a row. Errors are *Error. Implementations are safe for concurrent
// use.
//
// A destination that holds a higher [StoredShape] than the implementation
// understands is not changed: QuotaUsage, Acquire, History, Publish and Commit
// return an error with the code NewerShape, and EndInvocation writes nothing.
type Destination interface {
	Orders
	Leases
	Ledger
	Sink
}

// Orders tells which tables are exported.
type Orders interface {
	// Orders returns the newest configuration row of each source table,
	// inactive ones too. A row that cannot be carried out has an Err; it does
	// not fail the others.
	Orders(ctx context.Context) ([]Order, error)
}

// Leases keeps two invocations from working on one table.
type Leases interface {
	// Acquire takes a lease until its expiry by the destination's clock, or
	// extends it, and records the quota used so far. It returns, by table name,
	// the tables that others hold; those are not acquired. Without tables it only
	// records the quota.
	Acquire(ctx context.Context, l Lease) (held map[string]LeaseHolder, err error)

	// QuotaUsage returns what other invocations recorded in the last hour.
	QuotaUsage(ctx context.Context, owner string) ([]QuotaUsage, error)
}

// Ledger remembers runs and invocations.
type Ledger interface {
	// History returns what the ledger says of the tables, by name.
	History(ctx context.Context, tables []Table) (map[string]History, error)

	// OrphanedBatches returns, by table name, the batches that landed completely
	// since then for runs that build on the last commit of each history and
	// never began to publish.
	OrphanedBatches(ctx context.Context, tables []Table, of map[string]History, since time.Time) (map[string][]OrphanedBatch, error)

	// PendingAudits returns earlier invocations that have ended and whose audit
	// rows may be missing, with the outcomes that the ledger shows.
	PendingAudits(ctx context.Context, owner string) ([]InvocationEnd, error)

	// EndInvocation ends an invocation: it records the outcomes in the ledger,
	// copies the watermarks, writes the audit rows, one per table, each at most
	// once however many callers try, and returns the leases. Leases are returned
	// even if an earlier step failed; the error then names the step.
	EndInvocation(ctx context.Context, c InvocationEnd) error
}

// Sink takes the rows of a run and makes them visible to readers.
type Sink interface {
	// Land uploads a batch and queues it for the run's landing table. A nil
	// error means that it was accepted, not that it has landed.
	Land(ctx context.Context, b Batch) error

	// Landed counts what has landed of a run, per batch.
	// ErrSuperseded means that another run on the same base publishes, whose
	// commit may have cleared what is missing.
	Landed(ctx context.Context, run Run) (Delivery, error)

	// Publish records in the ledger that the publication begins, then carries
	// out its steps, each at most once however many callers try. ErrSuperseded
	// means that another run on the same base published first.
	Publish(ctx context.Context, p Publication) (Published, error)

	// Commit writes the ledger record that makes the run count, with its
	// partitions, and clears the landing table of what cannot be published any
	// more, where that is allowed. Repeated or late, it changes nothing, and
	// keeps what runs that build on this one have landed.
	Commit(ctx context.Context, c Commit) error
}

// CompleteDestination is a Destination with every ability.
type CompleteDestination interface {
	Destination
	TableChecker
	SchemaSyncer
	LateRowCounter
	StateCounter
	Backfiller
}

// TableChecker is a Destination whose tables are created before the first run.
// A destination without it creates them when it needs them.
type TableChecker interface {
	// CheckTables checks, for all tables at once, that the objects which a run
	// needs are as they were created: the published table, the landing table,
	// its mapping. The map holds an error with its fix for each table where
	// they are not.
	CheckTables(ctx context.Context, tables []Table) (map[string]error, error)
}

// LandingChecker is a TableChecker that can check apart what rows need on their way to
// the landing table. Only runs that fetch rows need that.
type LandingChecker interface {
	// CheckObjects is CheckTables without what CheckLanding checks.
	CheckObjects(ctx context.Context, tables []Table) (map[string]error, error)
	// CheckLanding checks that rows that are ingested into the landing table of a table
	// land as they are: its mapping is as it was created.
	CheckLanding(ctx context.Context, t Table) error
}

// SchemaSyncer is a Destination with tables and functions for readers that
// follow the columns of the source. A destination without it takes the columns
// from each Publication.
type SchemaSyncer interface {
	// SyncSchema adapts what readers use to the columns that a table shows: the
	// typed table gets the columns that it lacks, and read functions that differ
	// are replaced. Nothing is dropped, and no column altered: where a column
	// has another type than the typed table gives it, a column NAME_TYPE is
	// added. It is called with the lease held and nothing of the table in
	// flight. changes describes each change in a sentence.
	SyncSchema(ctx context.Context, t Table) (changes []string, err error)
}

// LateRowCounter is a Destination that compares landed rows with published
// ones. Without it, published windows are not exported again: rows that reach
// the source late are not noticed, which a note of the run says.
type LateRowCounter interface {
	// HourlyCounts counts the rows that readers see of a table with a watermark
	// column, by hour of the watermark, within the window. Equal rows of a
	// legacy run count once: its copies must not hide missing rows.
	HourlyCounts(ctx context.Context, t Table, w Window) ([]Count, error)

	// CountMissing counts, for landed batches of late slices, the rows that
	// readers do not see. Each of several equal rows counts.
	CountMissing(ctx context.Context, run Run, late []BatchInfo) (map[BatchID]int64, error)
}

// StateCounter is a Destination that counts the rows that readers see, so that
// they can be compared with the source. Without it, nothing can be verified.
type StateCounter interface {
	// State counts what readers see, in the parts of a CountQuery, with
	// fingerprints that equal the source's for equal rows.
	State(ctx context.Context, q CountQuery) ([]Count, error)
}

// Backfiller is a Destination that keeps records and typed rows. Without it,
// typed rows cannot be rebuilt.
type Backfiller interface {
	// Backfill rebuilds the rows of the typed table from the records of the
	// runs whose records are complete, in the columns that the table shows.
	Backfill(ctx context.Context, t Table) (Backfilled, error)
}

// Wrapper is a Source or a Destination in front of another one. It has exactly
// the abilities of the one behind it: see [Ability].
type Wrapper interface {
	// Unwrap returns the Source or the Destination behind this one.
	Unwrap() any
}

// Ability finds an ability, which is an interface, of a Source or a Destination.
// A Wrapper has it if the one behind it has it: the wrapper's own methods are
// used where it implements T, else those of the one behind it.
func Ability[T any](of any) (ability T, ok bool) {
	ability, ok = of.(T)
	w, wraps := of.(Wrapper)
	if !wraps {
		return ability, ok
	}
	behind, has := Ability[T](w.Unwrap())
	if !has || !ok {
		return behind, has
	}
	return ability, true
}

// StoredShape numbers the shape of what a destination stores and another version
// of the program must understand. A version that stores something which earlier
// versions would misread uses a higher number. Zero is a destination that holds no
// number yet.
type StoredShape struct {
	Number  int
	Version string // of the program that first wrote the number; "" if it is not known
}

// Beyond returns an error with the code NewerShape if the number is higher than the
// one that the program understands.
func (s StoredShape) Beyond(op, table string, understood int) error {
	if s.Number <= understood {
		return nil
	}
	hint := "use the version of the program that wrote it, or a later one"
	if s.Version != "" {
		hint = "use version " + s.Version + " of the program, or a later one"
	}
	return &Error{
		Op: op, Table: table, Action: Stop, Cause: Usage, Code: NewerShape, Hint: hint,
		Err: fmt.Errorf("the database has the stored shape %d, and this program understands shapes up to %d", s.Number, understood),
	}
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
	Gap    Window `json:"gap,omitzero"`    // of the watermark: what the source no longer had for the run, for the commit record
	Apart  bool   `json:"apart,omitempty"` // the guards of its steps are its own: those of runs that the ledger has lost may be there

	Layout  Layout   `json:"layout,omitempty"`  // where the steps put rows; "" is RawOnly
	Columns []Column `json:"columns,omitempty"` // at the source
	Shown   []Column `json:"shown,omitempty"`   // that the typed table is filled by
	Unread  []Unread `json:"unread,omitempty"`  // values of the rows that do not fit their type
	Unlike  []string `json:"unlike,omitempty"`  // columns of which the runs that this one adds to had such values

	Effect     Effect            `json:"-"` // for the commit record
	Partitions []PartitionRecord `json:"-"` // written with the commit
}

// Published is what Publish has done.
type Published struct {
	Rows  int64    // that the publication has put into each table
	Notes []string // what people should know of it, a sentence each

	Unread []Unread // values that the typed table could not take, as the destination counted them
}

// PublicationStep is one command and its batches.
type PublicationStep struct {
	Batches []BatchID `json:"batches"`
	Rows    int64     `json:"rows"`
	Late    *Window   `json:"late,omitempty"` // only rows that readers do not see in this window yet
}

// Delivery is what has landed of a run.
type Delivery struct {
	Batches []Landed
	Failed  error // an ingestion failure since the run began that a retry does not fix; nil: none known

	// Slow says by what the destination itself delays what is still missing,
	// such as a policy; "" where nothing is known to.
	Slow string
}

// Backfilled reports which typed rows of a table were rebuilt.
type Backfilled struct {
	Table Table
	Runs  int   // rebuilt
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
	Gap        Window // of the watermark, that readers lack for ever: the source no longer had its rows; zero: there is none
	Effect     Effect
	Partitions []PartitionRecord
	Unread     []Unread // values that do not fit their type
	Unlike     []string // columns of which the runs that this one adds to had such values
}
