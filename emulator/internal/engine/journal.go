package engine

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

func newID() uuid.UUID { return uuid.New() }

// The states of an operation, as .show operations names them.
const (
	stateInProgress = "InProgress"
	stateCompleted  = "Completed"
	stateFailed     = "Failed"
	stateBadInput   = "BadInput"
)

// operation is one row of .show operations.
type operation struct {
	id          uuid.UUID
	kind        string // DataIngestPull, TableSetOrAppend, ...
	database    string
	principal   Principal
	activityID  string
	started     time.Time
	updated     time.Time
	state       string
	status      string // what went wrong
	shouldRetry bool
	details     *rows // the command's result, once it is there
}

// journalSize is how many operations and failures are remembered.
const journalSize = 20_000

// journal remembers operations and ingestion failures, the newest ones.
type journal struct {
	mu         sync.Mutex
	operations []*operation
	byID       map[uuid.UUID]*operation
	failures   []IngestionFailure
}

func (j *journal) begin(o operation) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.byID == nil {
		j.byID = map[uuid.UUID]*operation{}
	}
	o.state, o.updated = stateInProgress, o.started
	j.operations = append(j.operations, &o)
	j.byID[o.id] = &o
	if len(j.operations) > journalSize {
		old := len(j.operations) - journalSize/2
		for _, o := range j.operations[:old] {
			delete(j.byID, o.id)
		}
		j.operations = slices.Clone(j.operations[old:])
	}
}

func (j *journal) end(id uuid.UUID, now time.Time, details *rows, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	o, ok := j.byID[id]
	if !ok {
		return
	}
	o.updated, o.state, o.details = now, stateCompleted, details
	if err == nil {
		return
	}
	o.state, o.status = stateFailed, err.Error()
	if e, ok := err.(*Error); ok {
		o.shouldRetry = !e.Permanent
		if e.Permanent {
			o.state = stateBadInput
		}
	}
}

// list is a copy of the operations with these ids, or of all without ids, the newest first.
// Among those of many databases, it does not look at all to find a few.
func (j *journal) list(ids ...uuid.UUID) []operation {
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []operation
	if len(ids) == 0 {
		found = make([]operation, 0, len(j.operations))
		for _, o := range slices.Backward(j.operations) {
			found = append(found, *o)
		}
		return found
	}
	for _, id := range ids {
		if o, ok := j.byID[id]; ok && !slices.ContainsFunc(found, func(f operation) bool { return f.id == id }) {
			found = append(found, *o)
		}
	}
	slices.SortStableFunc(found, func(a, b operation) int { return b.started.Compare(a.started) })
	return found
}

func (j *journal) find(id uuid.UUID) (operation, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if o, ok := j.byID[id]; ok {
		return *o, true
	}
	return operation{}, false
}

func (j *journal) fail(f IngestionFailure) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failures = append(j.failures, f)
	if len(j.failures) > journalSize {
		j.failures = slices.Clone(j.failures[len(j.failures)-journalSize/2:])
	}
}

func (j *journal) failed() []IngestionFailure {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.failures)
}
