package contract

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Harness is a Destination under test, with two tables that are ready, active
// and have no history: Table is a Snapshot with the column DeviceId, Events
// follows its column Timestamp and has DeviceId too.
type Harness struct {
	Destination tvmexport.Destination
	Table       tvmexport.Table
	Events      tvmexport.Table
	// Published are the records that the run has in the published table, read
	// behind the destination's back.
	Published func(t *testing.T, run tvmexport.RunID) int
	// Configure appends a row to the configuration, as an operator does.
	Configure func(t *testing.T, row ConfigRow)
	// Lose deletes the records of a run from the published table, as retention does.
	Lose func(t *testing.T, run tvmexport.RunID)
	// Raise writes the number of a stored shape, as a newer version of the program
	// does; zero removes it again.
	Raise func(t *testing.T, to tvmexport.StoredShape)
	// Wait is how long it may take until what was landed is counted.
	Wait time.Duration
	// Once says that a batch that is delivered twice lands once: the destination counts its
	// rows once.
	Once bool
}

// contractCase is a story about one method of tvmexport.Destination.
type contractCase struct {
	method, name string
	story        func(t *testing.T, h Harness)
}

// contract is every case.
func contract() []contractCase {
	return slices.Concat([]contractCase{
		{"Land", "LandPublishCommit", landPublishCommit},
		{"Landed", "DoubledDeliveryCountsOnce", doubledDelivery},
		{"Publish", "PublishTwiceAddsNothing", publishTwice},
		{"Publish", "OnlyOneRunPublishesOnABase", oneRunOnABase},
		{"History", "PublicationIsRememberedUntilItsCommit", publicationRemembered},
		{"Commit", "LateCommitLeavesWhatTheNextRunLanded", lateCommit},
		{"Acquire", "LeaseKeepsOthersOut", leaseKeepsOthersOut},
		{"EndInvocation", "TwiceGivesBackOnce", leaseGivenBack},
	}, sinkCases, ordersCases, ledgerCases, orphansCases, readersCases, columnsCases, shapeCases)
}

// can tells whether the destination has a method: those of tvmexport.Destination,
// and those of its abilities.
func (h Harness) can(method string) bool {
	has := map[string]bool{}
	for _, a := range abilities() {
		for _, m := range a.methods {
			has[m] = a.find(h.Destination) != nil
		}
	}
	can, ability := has[method]
	return can || !ability
}

// TestDestination is the contract of tvmexport.Destination and of its abilities.
// Fakes and real adapters run it alike. Cases about an ability that the
// destination does not have are skipped. Each case gets its own harness, in a
// bubble of testing/synctest, and calls the method that it is about.
func TestDestination(t *testing.T, harness func(t *testing.T) Harness) {
	report := &caseReport{}
	defer report.print(t)
	for _, c := range contract() {
		t.Run(c.method+"/"+c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer report.note(t, c.method)
				h := harness(t)
				report.of = h.Destination
				if !h.can(c.method) {
					t.Skipf("the destination does not have the ability with the method %s", c.method)
				}
				calls := &calls{behind: h.Destination}
				h.Destination = calls
				c.story(t, h)
				if calls.of[c.method] == 0 && !t.Failed() {
					t.Errorf("the case does not call %s", c.method)
				}
			})
		})
	}
}

func (h Harness) run(id, previous string) tvmexport.Run {
	return tvmexport.Run{
		ID: tvmexport.RunID(id), Previous: tvmexport.RunID(previous), Table: h.Table,
		Kind: tvmexport.FullRun, StartedAt: time.Now().UTC(),
	}
}

// land lands n rows as one batch and waits until they are counted.
func (h Harness) land(t *testing.T, run tvmexport.Run, ordinal, n, deliveries int) tvmexport.BatchInfo {
	t.Helper()
	b := NewBatch(run, ordinal, n)
	want := int64(n * deliveries)
	if h.Once {
		want = int64(n)
	}
	for range deliveries {
		if err := h.Destination.Land(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(h.Wait); ; time.Sleep(50 * time.Millisecond) {
		landed, err := h.Destination.Landed(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range landed.Batches {
			if l.Batch == b.ID && l.Complete(b.Rows) && l.Rows == want {
				return tvmexport.BatchInfo{ID: b.ID, Slice: b.Slice, Rows: b.Rows, Bytes: b.Bytes}
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("batch %s has not landed: %+v", b.ID, landed)
		}
	}
}

// NewBatch makes a batch of n rows of the run's table.
func NewBatch(run tvmexport.Run, ordinal, n int) tvmexport.Batch {
	id := tvmexport.BatchID(fmt.Sprintf("%s.%04d", run.ID, ordinal))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	var size int
	write := func(format string, args ...any) {
		k, _ := fmt.Fprintf(z, format, args...) // to memory: cannot fail
		size += k
	}
	for i := range n {
		write(`{"r":{"DeviceId":"%040x","N":%d},"b":%q,"n":%d,"p":""}`+"\n", i, ordinal, id, i+1)
	}
	write(`{"b":%q,"n":0,"c":%d,"u":%q,"s":{"partitions":[""]}}`+"\n", id, n, run.ID)
	_ = z.Close() // to memory
	return tvmexport.Batch{
		ID: id, Run: run, Slice: tvmexport.Slice{Table: run.Table, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}},
		Rows: int64(n), Bytes: int64(size), Data: bytes.NewReader(packed.Bytes()),
	}
}

func publication(run tvmexport.Run, batches ...tvmexport.BatchInfo) tvmexport.Publication {
	p := tvmexport.Publication{Run: run}
	for _, b := range batches {
		p.Steps = append(p.Steps, tvmexport.PublicationStep{Batches: []tvmexport.BatchID{b.ID}, Rows: b.Rows})
		p.Rows += b.Rows
	}
	p.Partitions = []tvmexport.PartitionRecord{{Partition: tvmexport.AllPartitions, Rows: p.Rows}}
	return p
}

func (h Harness) history(t *testing.T) tvmexport.History {
	t.Helper()
	all, err := h.Destination.History(t.Context(), []tvmexport.Table{h.Table})
	if err != nil {
		t.Fatal(err)
	}
	return all[h.Table.Name]
}

func (h Harness) publish(t *testing.T, p tvmexport.Publication) {
	t.Helper()
	out, err := h.Destination.Publish(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if out.Rows != p.Rows {
		t.Fatalf("published %d rows, want %d", out.Rows, p.Rows)
	}
}

func (h Harness) has(t *testing.T, run tvmexport.Run, want int) {
	t.Helper()
	if got := h.Published(t, run.ID); got != want {
		t.Fatalf("run %s has %d published rows, want %d", run.ID, got, want)
	}
}

func landPublishCommit(t *testing.T, h Harness) {
	if got := h.history(t); got.Last != nil || got.Publishing != nil || got.Now.IsZero() {
		t.Fatalf("a new table has the history %+v", got)
	}
	run := h.run("R1", "")
	p := publication(run, h.land(t, run, 1, 3, 1), h.land(t, run, 2, 4, 1))
	h.publish(t, p)
	h.has(t, run, 7)
	for range 2 { // the second time changes nothing
		if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: run, Rows: 7, Bytes: 700, Calls: 2, Partitions: p.Partitions}); err != nil {
			t.Fatal(err)
		}
	}
	got := h.history(t)
	if got.Last == nil || got.Last.ID != "R1" || got.Last.Rows != 7 || got.Last.Bytes != 700 || got.Last.Kind != tvmexport.FullRun {
		t.Fatalf("after the commit the last run is %+v", got.Last)
	}
	if got.Publishing != nil || len(got.Partitions) != 1 || got.Partitions[0].Rows != 7 {
		t.Fatalf("after the commit: publishing %+v, partitions %+v", got.Publishing, got.Partitions)
	}
}

func doubledDelivery(t *testing.T, h Harness) {
	run := h.run("R1", "")
	h.publish(t, publication(run, h.land(t, run, 1, 5, 2)))
	h.has(t, run, 5)
}

func publishTwice(t *testing.T, h Harness) {
	run := h.run("R1", "")
	p := publication(run, h.land(t, run, 1, 5, 1))
	h.publish(t, p)
	h.publish(t, p)
	h.has(t, run, 5)
}

func oneRunOnABase(t *testing.T, h Harness) {
	first, second := h.run("R1", ""), h.run("R2", "")
	p := publication(first, h.land(t, first, 1, 5, 1))
	q := publication(second, h.land(t, second, 1, 6, 1))
	h.publish(t, p)
	if _, err := h.Destination.Publish(t.Context(), q); !errors.Is(err, tvmexport.ErrSuperseded) {
		t.Fatalf("the second run on the same base: %v, want ErrSuperseded", err)
	}
	h.has(t, second, 0)
}

func publicationRemembered(t *testing.T, h Harness) {
	run := h.run("R1", "")
	p := publication(run, h.land(t, run, 1, 2, 1), h.land(t, run, 2, 2, 1))
	h.publish(t, p)
	got := h.history(t).Publishing
	if got == nil || got.Run.ID != run.ID || got.Rows != 4 || len(got.Steps) != 2 {
		t.Fatalf("before the commit the ledger remembers %+v", got)
	}
	if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: run, Rows: 4}); err != nil {
		t.Fatal(err)
	}
	if got := h.history(t).Publishing; got != nil {
		t.Fatalf("after the commit the ledger still remembers %+v", got)
	}
}

// lateCommit: a process was paused in its commit, another one committed the run
// for it and went on.
func lateCommit(t *testing.T, h Harness) {
	first, second := h.run("R1", ""), h.run("R2", "R1")
	h.publish(t, publication(first, h.land(t, first, 1, 3, 1)))
	c := tvmexport.Commit{Run: first, Rows: 3}
	if err := h.Destination.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	b := h.land(t, second, 1, 4, 1)
	if err := h.Destination.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	got, err := h.Destination.Landed(t.Context(), second)
	if err != nil || len(got.Batches) != 1 || !got.Batches[0].Complete(b.Rows) {
		t.Fatalf("after a late commit of the run before, what has landed is %+v, %v", got.Batches, err)
	}
	h.publish(t, publication(second, b))
	h.has(t, second, 4)
}

func leaseKeepsOthersOut(t *testing.T, h Harness) {
	tables := []tvmexport.Table{h.Table}
	acquire := func(owner string) map[string]tvmexport.LeaseHolder {
		t.Helper()
		held, err := h.Destination.Acquire(t.Context(), tvmexport.Lease{Owner: owner, Tables: tables, Term: 5 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	if held := acquire("one"); len(held) != 0 {
		t.Fatalf("a free table is held by %+v", held)
	}
	if held := acquire("one"); len(held) != 0 {
		t.Fatalf("its own owner cannot extend it: %+v", held)
	}
	if held := acquire("two"); held[h.Table.Name].Owner != "one" {
		t.Fatalf("for another owner the table is held by %+v, want one", held)
	}
	if err := h.Destination.EndInvocation(t.Context(), tvmexport.InvocationEnd{Owner: "one", Tables: tables}); err != nil {
		t.Fatal(err)
	}
	if held := acquire("two"); len(held) != 0 {
		t.Fatalf("after the release it is held by %+v", held)
	}
}

// leaseGivenBack: the end of an invocation releases its own leases, and only
// them, however often it is reported.
func leaseGivenBack(t *testing.T, h Harness) {
	tables := []tvmexport.Table{h.Table}
	closing := tvmexport.InvocationEnd{Owner: "one", Tables: tables}
	h.acquire(t, tvmexport.Lease{Owner: "one", Tables: tables, Term: 5 * time.Minute})
	for range 2 {
		if err := h.Destination.EndInvocation(t.Context(), closing); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
	h.acquire(t, tvmexport.Lease{Owner: "two", Tables: tables, Term: 5 * time.Minute})
	if err := h.Destination.EndInvocation(t.Context(), closing); err != nil {
		t.Fatal(err)
	}
	held, err := h.Destination.Acquire(t.Context(), tvmexport.Lease{Owner: "three", Tables: tables, Term: 5 * time.Minute})
	if err != nil || held[h.Table.Name].Owner != "two" {
		t.Errorf("after the end of another invocation was reported again the table is held by %+v, %v; want two", held, err)
	}
}
