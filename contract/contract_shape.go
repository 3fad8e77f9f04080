package contract

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

var shapeCases = []contractCase{
	{"QuotaUsage", "NewerShape", usageOfNewerShape},
	{"Acquire", "NewerShape", leaseOfNewerShape},
	{"History", "NewerShape", historyOfNewerShape},
	{"Landed", "NewerShape", landedInNewerShape},
	{"Publish", "NewerShape", publishInNewerShape},
	{"Commit", "NewerShape", commitInNewerShape},
	{"EndInvocation", "NewerShape", endInNewerShape},
}

// newer is a number that no version of the program has reached.
var newer = tvmexport.StoredShape{Number: 1000, Version: "v9.8.7"}

// isNewer fails unless the error says which version of the program to use.
func isNewer(t *testing.T, what string, err error) {
	t.Helper()
	if tvmexport.CodeOf(err) != tvmexport.NewerShape || tvmexport.CauseOf(err) != tvmexport.Usage {
		t.Fatalf("%s: %v, want an error with the code %q and the cause of a mistake in use", what, err, tvmexport.NewerShape)
	}
	for _, part := range []string{"1000", newer.Version} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %q does not name %s", what, err, part)
		}
	}
}

func usageOfNewerShape(t *testing.T, h Harness) {
	if _, err := h.Destination.QuotaUsage(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	h.Raise(t, newer)
	_, err := h.Destination.QuotaUsage(t.Context(), "one")
	isNewer(t, "QuotaUsage", err)
	h.Raise(t, tvmexport.StoredShape{})
	if _, err := h.Destination.QuotaUsage(t.Context(), "one"); err != nil {
		t.Errorf("after the number is gone: %v", err)
	}
}

// leaseOfNewerShape: a newer program upgrades while a lease is held. It is not
// renewed, and nobody takes another one.
func leaseOfNewerShape(t *testing.T, h Harness) {
	lease := func(owner string, table tvmexport.Table) tvmexport.Lease {
		return tvmexport.Lease{Owner: owner, Tables: []tvmexport.Table{table}, Term: 5 * time.Minute}
	}
	h.acquire(t, lease("one", h.Table))
	h.Raise(t, newer)
	time.Sleep(4 * time.Minute)
	for owner, table := range map[string]tvmexport.Table{"one": h.Table, "two": h.Events} {
		_, err := h.Destination.Acquire(t.Context(), lease(owner, table))
		isNewer(t, owner, err)
	}
	time.Sleep(2 * time.Minute)
	h.Raise(t, tvmexport.StoredShape{})
	h.acquire(t, lease("three", h.Table))
	h.acquire(t, lease("three", h.Events))
}

func historyOfNewerShape(t *testing.T, h Harness) {
	h.history(t)
	h.Raise(t, newer)
	_, err := h.Destination.History(t.Context(), []tvmexport.Table{h.Table})
	isNewer(t, "History", err)
}

// landedInNewerShape: a run that waits for its batches either counts them or says
// that it is to end.
func landedInNewerShape(t *testing.T, h Harness) {
	run := h.run("R1", "")
	h.land(t, run, 1, 3, 1)
	h.Raise(t, newer)
	if got, err := h.Destination.Landed(t.Context(), run); err != nil {
		isNewer(t, "Landed", err)
	} else if len(got.Batches) != 1 {
		t.Errorf("%d batches, want the one that landed", len(got.Batches))
	}
}

func publishInNewerShape(t *testing.T, h Harness) {
	run := h.run("R1", "")
	p := publication(run, h.land(t, run, 1, 3, 1))
	h.Raise(t, newer)
	_, err := h.Destination.Publish(t.Context(), p)
	isNewer(t, "Publish", err)
	h.has(t, run, 0)
	h.Raise(t, tvmexport.StoredShape{})
	if got := h.history(t); got.Publishing != nil {
		t.Errorf("the ledger remembers the publication %+v", got.Publishing)
	}
	h.publish(t, p)
	h.has(t, run, 3)
}

func commitInNewerShape(t *testing.T, h Harness) {
	run := h.run("R1", "")
	p := publication(run, h.land(t, run, 1, 3, 1))
	h.publish(t, p)
	h.Raise(t, newer)
	c := tvmexport.Commit{Run: run, Rows: 3, Partitions: p.Partitions}
	isNewer(t, "Commit", h.Destination.Commit(t.Context(), c))
	h.Raise(t, tvmexport.StoredShape{})
	if got := h.history(t); got.Last != nil || got.Publishing == nil {
		t.Fatalf("the last run is %+v, the publication %+v; want no commit", got.Last, got.Publishing)
	}
	if err := h.Destination.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := h.history(t); got.Last == nil || got.Last.ID != run.ID {
		t.Errorf("after the number is gone the last run is %+v", got.Last)
	}
}

func endInNewerShape(t *testing.T, h Harness) {
	tables := []tvmexport.Table{h.Table}
	h.acquire(t, tvmexport.Lease{Owner: "one", Tables: tables, Term: 5 * time.Minute})
	h.Raise(t, newer)
	end := tvmexport.InvocationEnd{Owner: "one", Tables: tables, Outcomes: []tvmexport.Outcome{{Table: h.Table.Name, Run: "R1", At: time.Now()}}}
	if err := h.Destination.EndInvocation(t.Context(), end); err != nil {
		isNewer(t, "EndInvocation", err)
	}
	h.Raise(t, tvmexport.StoredShape{})
	held, err := h.Destination.Acquire(t.Context(), tvmexport.Lease{Owner: "two", Tables: tables, Term: 5 * time.Minute})
	if err != nil || held[h.Table.Name].Owner != "one" {
		t.Errorf("the table is held by %+v, %v; want that the lease was not returned", held, err)
	}
	time.Sleep(6 * time.Minute)
	if _, ok := h.unaudited(t, "two", "one"); !ok {
		t.Error("the audit of the invocation is not pending, but a newer program has to write it")
	}
}
