package statuspage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/internal/figures"
)

// TenantState is how a tenant is, in one word.
type TenantState string

// The states of a tenant, worst first.
const (
	TenantUnreadable TenantState = "unreadable" // its configuration cannot be read
	TenantFailing    TenantState = "failing"    // a table, or its ledger
	TenantLate       TenantState = "late"
	TenantMissed     TenantState = "missed" // a schedule, and no run has committed since
	TenantWaiting    TenantState = "waiting"
	TenantNever      TenantState = "never"
	TenantQueued     TenantState = "queued"
	TenantRunning    TenantState = "running"
	TenantStarting   TenantState = "starting" // its ledger has not been read yet
	TenantFresh      TenantState = "fresh"
	TenantOff        TenantState = "off" // no table is active
)

// tenantStates are the states, worst first.
var tenantStates = []TenantState{
	TenantUnreadable, TenantFailing, TenantLate, TenantMissed, TenantWaiting, TenantNever,
	TenantQueued, TenantRunning, TenantStarting, TenantFresh, TenantOff,
}

var ranks = func() map[TenantState]int {
	by := map[TenantState]int{}
	for i, s := range tenantStates {
		by[s] = i
	}
	return by
}()

// Words say the state to those who see it for the first time.
func (s TenantState) Words() string {
	switch s {
	case TenantMissed:
		return "missed a schedule"
	case TenantWaiting:
		return "waiting for quota"
	case TenantNever:
		return "never exported"
	case TenantQueued:
		return "waiting for a worker"
	case TenantOff:
		return "no active table"
	}
	return string(s)
}

// Troubled says whether somebody has to look at the tenant.
func (s TenantState) Troubled() bool { return ranks[s] <= ranks[TenantMissed] }

// Tenant is a row of the page over all tenants.
type Tenant struct {
	Name, ID   string // ID: of Entra; "" if it is not known
	State      TenantState
	Table      string // that the state is of, the worst of several; "" for that of the tenant
	More       int    // tables that are in the same state
	Reason     string // in one sentence; "" if there is nothing to say
	Exporting  int    // tables, now
	Queued     bool   // it waits for a worker
	Active     int    // tables
	Newest     time.Time
	Oldest     time.Time // newest commit of the table whose newest commit is the oldest
	Next       time.Time
	Quota      *Quota
	root       string
	askQuota   func() *Quota
	longestOut time.Time // by which tenants of a state are sorted: the oldest first
}

// Root is the path of the tenant's own pages.
func (t Tenant) Root() string { return t.root }

// longestReason is the length of a reason on the page over all tenants, in characters.
const longestReason = 180

// assess is what a page of a tenant comes to. It does not change the page, whose
// tables may belong to a board.
func assess(p Page) Tenant {
	t := Tenant{ID: p.Tenant, State: TenantFresh, Exporting: len(p.Exporting), Queued: !p.Queued.IsZero(), Next: p.Next}
	found := map[TenantState][]*Table{}
	for i := range p.Tables {
		table := &p.Tables[i]
		last := table.Last()
		if table.Active {
			t.Active++
		}
		if last != nil && last.At.After(t.Newest) {
			t.Newest = last.At
		}
		if table.Active && last != nil && (t.Oldest.IsZero() || last.At.Before(t.Oldest)) {
			t.Oldest = last.At
		}
		if s, ok := tenantStateOf[table.State(p.Now)]; ok {
			found[s] = append(found[s], table)
		}
	}
	missed := p.openMiss()
	t.longestOut = t.Oldest
	about := func(s TenantState, reason func(*Table) string) {
		t.State = s
		if list := found[s]; len(list) > 0 {
			worst := slices.MinFunc(list, func(a, b *Table) int { return cmp.Or(lastAt(a).Compare(lastAt(b)), cmp.Compare(a.Name, b.Name)) })
			t.Table, t.More, t.Reason = worst.Name, len(list)-1, reason(worst)
		}
	}
	switch {
	case p.Unreadable != nil:
		t.State, t.Reason = TenantUnreadable, "the configuration cannot be read: "+p.Unreadable.Text
	case p.Ledger.Err != nil:
		t.State, t.Reason = TenantFailing, "the ledger cannot be read: "+p.Ledger.Err.Text
	case len(found[TenantFailing]) > 0:
		about(TenantFailing, func(x *Table) string { return x.Failure.Text })
	case p.Reload.Err != "":
		t.State, t.Reason = TenantFailing, "the configuration was not reloaded: "+p.Reload.Err
	case len(found[TenantLate]) > 0:
		about(TenantLate, func(x *Table) string {
			return "two scheduled times have passed since the newest commit; it is scheduled every " + figures.Span(x.Interval)
		})
	case missed != nil:
		t.State, t.Table, t.Reason = TenantMissed, missed.Table, missed.sentence(p.Now)
	case p.Wait != nil:
		t.State, t.Reason = TenantWaiting, p.Wait.Cause+", resumes "+p.Wait.Until.UTC().Format("15:04:05")
	case len(found[TenantNever]) > 0:
		about(TenantNever, func(*Table) string { return "no run has been committed yet" })
	case !p.Queued.IsZero():
		t.State, t.Reason = TenantQueued, "due since "+p.Queued.UTC().Format("15:04:05")
	case len(p.Exporting) > 0 || len(found[TenantRunning]) > 0:
		t.State, t.Reason = TenantRunning, p.running(found[TenantRunning])
	case p.Ledger.Read.IsZero():
		t.State = TenantStarting
	case t.Active == 0:
		t.State, t.Reason = TenantOff, "tvmexport init configures the default tables"
	}
	t.Reason = shorten(t.Reason)
	return t
}

// tenantStateOf is what a table makes of its tenant. Those that are missing say nothing.
var tenantStateOf = map[State]TenantState{Failed: TenantFailing, Late: TenantLate, Never: TenantNever, Running: TenantRunning}

func lastAt(t *Table) time.Time {
	if last := t.Last(); last != nil {
		return last.At
	}
	return time.Time{}
}

// missedFor is how long a missed schedule is a state of its tenant.
const missedFor = 24 * time.Hour

// openMiss is the newest missed schedule of an active table without a commit since; nil
// if there is none.
func (p Page) openMiss() *Missed {
	for i := range p.Missed {
		m := &p.Missed[i]
		t := find(p, m.Table)
		if !m.MadeUp && p.Now.Sub(m.Told) < missedFor && t != nil && t.Active && lastAt(t).Before(m.Last) {
			return m
		}
	}
	return nil
}

func (m Missed) sentence(now time.Time) string {
	if m.Count == 1 {
		return "at " + brief(now, m.First) + ": " + m.Reason
	}
	return fmt.Sprintf("%s times, %s to %s: %s", figures.Count(int64(m.Count)), brief(now, m.First), brief(now, m.Last), m.Reason)
}

// running says what is exported, and by whom if it is not this program.
func (p Page) running(list []*Table) string {
	switch {
	case len(p.Exporting) == 1:
		return "exporting " + p.Exporting[0]
	case len(p.Exporting) > 1:
		return "exporting " + tables(len(p.Exporting))
	case len(list) > 0 && list[0].HeldBy != "":
		return list[0].Name + " is exported by " + list[0].HeldBy
	}
	return ""
}

// shorten is the beginning of a text, up to the end of a word, in one line.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= longestReason {
		return text
	}
	runes := []rune(text)
	if len(runes) <= longestReason {
		return text
	}
	text = string(runes[:longestReason])
	if i := strings.LastIndexByte(text, ' '); i > longestReason/2 {
		text = text[:i]
	}
	return text + " …"
}
