package contract

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

var ledgerCases = []contractCase{
	{"QuotaUsage", "ByOthers", spentByOthers},
	{"QuotaUsage", "OfEndpoints", spentOfEndpoints},
	{"QuotaUsage", "OnlyOfTheLastHour", spentOfTheHour},
	{"Acquire", "WithoutTables", spentWithoutTables},
	{"PendingAudits", "DeadInvocation", unauditedDead},
	{"PendingAudits", "FinishedInvocation", unauditedFinished},
}

func (h Harness) acquire(t *testing.T, l tvmexport.Lease) {
	t.Helper()
	held, err := h.Destination.Acquire(t.Context(), l)
	if err != nil || len(held) != 0 {
		t.Fatalf("lease of %s: held by %+v, %v", l.Owner, held, err)
	}
}

// spent adds up what others than the owner have called, and how many they are.
func (h Harness) spent(t *testing.T, owner string) (others, calls int, paused time.Time) {
	t.Helper()
	list, err := h.Destination.QuotaUsage(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		for _, c := range s.Calls {
			calls += c.Calls
		}
		if s.Paused.After(paused) {
			paused = s.Paused
		}
	}
	return len(list), calls, paused
}

func spentByOthers(t *testing.T, h Harness) {
	if others, _, _ := h.spent(t, "two"); others != 0 {
		t.Fatalf("before anything was spent %d invocations have", others)
	}
	spent := func(calls ...int) tvmexport.QuotaUsage {
		s := tvmexport.QuotaUsage{Paused: time.Now().Add(10 * time.Minute)}
		for i, n := range calls {
			s.Calls = append(s.Calls, tvmexport.CallCount{At: time.Now().Add(-time.Duration(i) * time.Minute), Calls: n})
		}
		return s
	}
	lease := tvmexport.Lease{Owner: "one", Tables: []tvmexport.Table{h.Table}, Term: 5 * time.Minute, QuotaUsage: spent(5)}
	h.acquire(t, lease)
	if others, _, _ := h.spent(t, "one"); others != 0 {
		t.Error("an invocation receives its own usage")
	}
	time.Sleep(time.Second)
	lease.QuotaUsage = spent(5, 4)
	h.acquire(t, lease)
	for range 2 {
		others, calls, paused := h.spent(t, "two")
		if ahead := time.Until(paused); others != 1 || calls != 9 || ahead < 9*time.Minute || ahead > 11*time.Minute {
			t.Fatalf("another one sees %d calls by %d invocations and a pause of %s; want the newest, 9 calls by one and 10 minutes", calls, others, ahead)
		}
	}
	time.Sleep(time.Second)
	if err := h.Destination.EndInvocation(t.Context(), tvmexport.InvocationEnd{Owner: "one", Tables: lease.Tables, QuotaUsage: spent(5, 4, 3)}); err != nil {
		t.Fatal(err)
	}
	if others, calls, _ := h.spent(t, "two"); others != 1 || calls != 12 {
		t.Errorf("after the end another one sees %d calls by %d invocations, want 12 by one", calls, others)
	}
}

// spentOfEndpoints: quotas with names stay apart from each other and from the one
// without a name.
func spentOfEndpoints(t *testing.T, h Harness) {
	calls := func(n int) []tvmexport.CallCount { return []tvmexport.CallCount{{At: time.Now(), Calls: n}} }
	h.acquire(t, tvmexport.Lease{
		Owner: "one", Term: time.Minute, QuotaUsage: tvmexport.QuotaUsage{Calls: calls(3), Endpoints: map[string]tvmexport.QuotaUsage{
			"files": {Calls: calls(4), Paused: time.Now().Add(10 * time.Minute)}, "pages": {Calls: calls(5)},
		}},
	})
	list, err := h.Destination.QuotaUsage(t.Context(), "two")
	if err != nil || len(list) != 1 {
		t.Fatalf("%d invocations, %v", len(list), err)
	}
	got := list[0]
	pauses := time.Until(got.Endpoints["files"].Paused)
	if callsOf(got) != 3 || callsOf(got.Endpoints["files"]) != 4 || callsOf(got.Endpoints["pages"]) != 5 || len(got.Endpoints) != 2 {
		t.Errorf("another one sees %+v", got)
	}
	if got.Paused.After(time.Now()) || pauses < 9*time.Minute || pauses > 11*time.Minute {
		t.Errorf("another one sees pauses until %s and %s", got.Paused, got.Endpoints["files"].Paused)
	}
}

func callsOf(u tvmexport.QuotaUsage) (n int) {
	for _, c := range u.Calls {
		n += c.Calls
	}
	return n
}

func spentOfTheHour(t *testing.T, h Harness) {
	h.acquire(t, tvmexport.Lease{
		Owner: "one", Tables: []tvmexport.Table{h.Table}, Term: 5 * time.Minute,
		QuotaUsage: tvmexport.QuotaUsage{Calls: []tvmexport.CallCount{{At: time.Now(), Calls: 5}}},
	})
	time.Sleep(50 * time.Minute)
	if others, calls, _ := h.spent(t, "two"); others != 1 || calls != 5 {
		t.Errorf("after 50 minutes another one sees %d calls by %d invocations", calls, others)
	}
	time.Sleep(20 * time.Minute)
	if others, calls, _ := h.spent(t, "two"); others != 0 || calls != 0 {
		t.Errorf("after 70 minutes another one sees %d calls by %d invocations", calls, others)
	}
}

// spentWithoutTables: an invocation that exports nothing records its usage. It leaves
// no audit to be written.
func spentWithoutTables(t *testing.T, h Harness) {
	h.acquire(t, tvmexport.Lease{
		Owner: "one", Term: time.Minute,
		QuotaUsage: tvmexport.QuotaUsage{Calls: []tvmexport.CallCount{{At: time.Now(), Calls: 3}}},
	})
	if others, calls, _ := h.spent(t, "two"); others != 1 || calls != 3 {
		t.Errorf("another one sees %d calls by %d invocations, want 3 by one", calls, others)
	}
	time.Sleep(2 * time.Minute)
	if outcomes, ok := h.unaudited(t, "two", "one"); ok {
		t.Errorf("its audit is pending: %+v", outcomes)
	}
}

// unaudited are the outcomes by table of the invocation; ok is false where it
// is not among the unaudited.
func (h Harness) unaudited(t *testing.T, asker, owner string) (outcomes map[string]tvmexport.Outcome, ok bool) {
	t.Helper()
	list, err := h.Destination.PendingAudits(t.Context(), asker)
	if err != nil {
		t.Fatal(err)
	}
	outcomes = map[string]tvmexport.Outcome{}
	for _, c := range list {
		if c.Owner != owner {
			continue
		}
		if ok {
			t.Fatalf("%s is reported twice", owner)
		}
		ok = true
		for _, o := range c.Outcomes {
			outcomes[o.Table] = o
		}
	}
	return outcomes, ok
}

// unauditedDead: an invocation commits one table of two, and dies.
func unauditedDead(t *testing.T, h Harness) {
	tables := []tvmexport.Table{h.Table, h.Events}
	h.acquire(t, tvmexport.Lease{Owner: "one", Tables: tables, Term: 5 * time.Minute})
	run := h.run("R1", "")
	p := publication(run, h.land(t, run, 1, 3, 1))
	h.publish(t, p)
	if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: run, Owner: "one", Rows: 3, Partitions: p.Partitions}); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.unaudited(t, "two", "one"); ok {
		t.Fatal("an invocation that holds a lease is reported as ended")
	}
	time.Sleep(6 * time.Minute)
	if _, ok := h.unaudited(t, "one", "one"); ok {
		t.Error("an invocation receives its own audit")
	}
	for range 2 {
		got, ok := h.unaudited(t, "two", "one")
		if !ok || len(got) != 2 {
			t.Fatalf("of a dead invocation of two tables another one receives %+v", got)
		}
		if o := got[h.Table.Name]; o.Err != nil || o.Rows != 3 {
			t.Errorf("the table that it committed: %d rows, %v", o.Rows, o.Err)
		}
		if o := got[h.Events.Name]; o.Err == nil || o.Rows != 0 {
			t.Errorf("the table that it did not commit: %d rows, %v", o.Rows, o.Err)
		}
	}
	closing := tvmexport.InvocationEnd{Owner: "one"}
	got, _ := h.unaudited(t, "two", "one")
	for _, name := range slices.Sorted(maps.Keys(got)) {
		closing.Outcomes = append(closing.Outcomes, got[name])
	}
	if err := h.Destination.EndInvocation(t.Context(), closing); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.unaudited(t, "two", "one"); ok {
		t.Error("an audited invocation is reported again")
	}
}

func unauditedFinished(t *testing.T, h Harness) {
	if list, err := h.Destination.PendingAudits(t.Context(), "two"); err != nil || len(list) != 0 {
		t.Fatalf("before any invocation: %+v, %v", list, err)
	}
	tables := []tvmexport.Table{h.Table}
	h.acquire(t, tvmexport.Lease{Owner: "one", Tables: tables, Term: 5 * time.Minute})
	c := tvmexport.InvocationEnd{Owner: "one", Tables: tables, Outcomes: []tvmexport.Outcome{{Table: h.Table.Name, Run: "R1", Err: errors.New("refused"), At: time.Now()}}}
	for range 2 {
		if err := h.Destination.EndInvocation(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Hour)
	if got, ok := h.unaudited(t, "two", "one"); ok {
		t.Errorf("an invocation that wrote its audit is reported: %+v", got)
	}
}
