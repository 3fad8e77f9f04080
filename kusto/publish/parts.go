package publish

import (
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/tvmexport/tvmexport/internal/gather"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/policy"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// Parts are what the types of this package are made with.
type Parts struct {
	Conn    *conn.Conn
	Visible *visibility.Checker
	Policy  *policy.Reader
	Ledger  *ledger.Ledger
}

// operations sends commands that the service runs by itself, waits for their
// end, and reads from the tags of extents what they appended.
type operations struct {
	conn   *conn.Conn
	tags   *gather.Group[tagged, extents]
	older  *gather.Group[landedBefore, []string]
	states *gather.Group[string, []operationState] // by the id of an operation
}

func newOperations(to *conn.Conn) *operations {
	c := &operations{conn: to}
	c.tags = conn.NewGroup(c.tagged, c.taggedTogether, tagged.text)
	c.older = conn.NewGroup(c.olderExtents, c.olderTogether, landedBefore.text)
	c.states = conn.NewGroup(c.stateOf, c.statesTogether, func(id string) string { return id })
	return c
}

// Arrivals counts what has landed of a run. It remembers complete batches, so
// that their lines are not counted again. It is safe for concurrent use.
type Arrivals struct {
	conn    *conn.Conn
	visible *visibility.Checker
	policy  *policy.Reader

	mu      sync.Mutex
	counted map[string]*whole // by table: the complete batches of its last run
}

// NewArrivals makes it. Nothing is sent before the first call.
func NewArrivals(p Parts) *Arrivals {
	return &Arrivals{conn: p.Conn, visible: p.Visible, policy: p.Policy, counted: map[string]*whole{}}
}

// Publisher moves the landed rows of a run into the published tables, and
// commits the run. It is safe for concurrent use.
type Publisher struct {
	conn       *conn.Conn
	Visible    *visibility.Checker
	ledger     *ledger.Ledger
	operations *operations
	arrivals   *Arrivals

	turns *semaphore.Weighted // publishing commands that are under way

	mu        sync.Mutex
	uncleared bool               // the service refused to clear a landing table
	claims    map[string]claimed // by table: the claim of the last run of this process
}

// NewPublisher makes it. A commit makes the arrivals forget the batches of the table.
func NewPublisher(p Parts, a *Arrivals) *Publisher {
	return &Publisher{conn: p.Conn, Visible: p.Visible, ledger: p.Ledger, operations: newOperations(p.Conn), arrivals: a, claims: map[string]claimed{}, turns: semaphore.NewWeighted(turns)}
}

// Backfiller rebuilds typed rows from stored records.
type Backfiller struct {
	Most int64 // rows of a run that one command replaces; NewBackfiller sets the service's limit

	conn       *conn.Conn
	visible    *visibility.Checker
	operations *operations
}

// NewBackfiller makes it. Nothing is sent before the first call.
func NewBackfiller(p Parts) *Backfiller {
	return &Backfiller{Most: mostReplaced, conn: p.Conn, visible: p.Visible, operations: newOperations(p.Conn)}
}

// Observer counts and fingerprints the rows that readers see.
type Observer struct {
	conn    *conn.Conn
	visible *visibility.Checker
	ledger  *ledger.Ledger
}

// NewObserver makes it. Nothing is sent before the first call.
func NewObserver(p Parts) *Observer {
	return &Observer{conn: p.Conn, visible: p.Visible, ledger: p.Ledger}
}
