package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// errInterrupted is what the audit says of a run that could not say it itself.
var errInterrupted = errors.New("the run was interrupted: its process terminated unexpectedly; the next run reuses the landed batches")

// PendingAudits implements tvmexport.Destination. The rows of a table are what the
// invocation has committed, regardless of its own report.
func (c *Invocations) PendingAudits(ctx context.Context, owner string) ([]tvmexport.InvocationEnd, error) {
	s := conn.Statement{Op: "read ledger", Text: unauditedText(owner)}
	rows, err := c.conn.Ask(ctx, s)
	if err != nil {
		return nil, err
	}
	type line struct {
		owner   string
		outcome tvmexport.Outcome
	}
	lines, err := conn.ReadRows(s, rows, func(r *conn.Reader) line {
		o := tvmexport.Outcome{
			Table: r.Text("Table"), Run: tvmexport.RunID(r.Text("RunId")), Rows: r.Long("Committed"),
			At: time.Now().Add(-time.Duration(r.Long("Age")) * time.Second),
		}
		switch {
		case r.Text("State") == kql.EndedState:
			var said struct{ Status, Reason string }
			r.Fail("Detail", json.Unmarshal(r.Document("Detail"), &said))
			if said.Status != Succeeded {
				o.Err = errors.New(said.Reason)
			}
		case r.Long("Commits") == 0:
			o.Err = errInterrupted
		}
		return line{r.Text("Owner"), o}
	})
	if err != nil {
		return nil, err
	}
	var out []tvmexport.InvocationEnd
	for _, l := range lines {
		if n := len(out); n == 0 || out[n-1].Owner != l.owner {
			out = append(out, tvmexport.InvocationEnd{Owner: l.owner})
		}
		last := &out[len(out)-1]
		last.Outcomes = append(last.Outcomes, l.outcome)
	}
	return out, nil
}

// unauditedText asks for the invocations that have ended but have no audited row. An
// invocation has ended if it reported its end, or if its leases have expired or are
// gone: rows that it committed name it too. Rows taken over from another exporter
// are of no invocation, and neither are commits of the first versions of the program,
// which name no owner. A table whose lease was given back before the end of its
// invocation was not exported under it; the first versions gave back all leases and
// wrote the audit themselves. Age is how long ago the run of a table ended.
func unauditedText(owner string) string {
	return fmt.Sprintf(`let Recent = %s
    | where At > ago(30d) and State in (%s) and isnotempty(Owner) and Owner != %s and Kind != %s;
let Written = Recent
    | where State == %s
    | distinct Owner;
let Over = Recent
    | where State in (%s)
    | summarize Until = maxif(Expires, State == %s), Released = countif(State == %s and Table == ""), LastAt = max(At) by Owner
    | where (Released > 0 or isnull(Until) or Until <= now()) and Owner !in (Written)
    | project Owner, LastAt;
let Ended = Recent
    | where State == %s or State == %s and Table == ""
    | distinct Owner;
let GivenBack = Recent
    | where State in (%s) and Table != "" and Owner !in (Ended)
    | summarize arg_max(At, State) by Table, Owner
    | where State == %s
    | project Table, Owner;
let Done = Recent
    | where State == %s
    | summarize Committed = sum(Rows), Commits = count(), CommittedAt = max(At) by Table, Owner;
Recent
| where State in (%s)
| extend Rank = case(State == %s, 2, State == %s, 1, 0)
| summarize arg_max(Rank, State, RunId, Detail) by Table, Owner
| join kind=inner Over on Owner
| join kind=leftanti GivenBack on Table, Owner
| join kind=leftouter Done on Table, Owner
| project Owner, Table, State, RunId, Detail, Age = tolong((now() - coalesce(CommittedAt, LastAt)) / 1s), Committed = coalesce(Committed, 0), Commits = coalesce(Commits, 0)
| order by Owner asc, Table asc`,
		kql.RunsTable, kql.Literals([]string{kql.LeaseState, kql.ReleasedState, kql.EndedState, kql.AuditedState, kql.CommittedState}), kql.Literal(owner), kql.Literal(string(tvmexport.LegacyRun)),
		kql.Literal(kql.AuditedState), kql.Literals([]string{kql.LeaseState, kql.ReleasedState, kql.EndedState, kql.CommittedState}), kql.Literal(kql.LeaseState), kql.Literal(kql.ReleasedState),
		kql.Literal(kql.EndedState), kql.Literal(kql.ReleasedState), kql.Literals([]string{kql.LeaseState, kql.ReleasedState}), kql.Literal(kql.ReleasedState),
		kql.Literal(kql.CommittedState), kql.Literals([]string{kql.LeaseState, kql.EndedState, kql.CommittedState}), kql.Literal(kql.EndedState), kql.Literal(kql.CommittedState))
}
