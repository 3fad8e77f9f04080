package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// spending is the detail of a row that says what an invocation has used of the
// source's quota. Times are seconds from when it was written: the clocks of
// those who write and read it differ. Earlier versions skip Endpoints, whose calls do not
// count against the quota that they know.
type spending struct {
	spent
	Endpoints map[string]spent `json:"endpoints,omitempty"`
}

// spent is what was used of one quota.
type spent struct {
	Calls  [][2]int64 `json:"calls"`            // seconds ago, calls
	Paused int64      `json:"paused,omitempty"` // seconds ahead
}

// spendingOf is usage as it is written at now.
func spendingOf(usage tvmexport.QuotaUsage, now time.Time) spending {
	d := spending{spent: spentOf(usage, now)}
	for name, own := range usage.Endpoints {
		if d.Endpoints == nil {
			d.Endpoints = make(map[string]spent, len(usage.Endpoints))
		}
		d.Endpoints[name] = spentOf(own, now)
	}
	return d
}

func spentOf(usage tvmexport.QuotaUsage, now time.Time) (s spent) {
	for _, c := range usage.Calls {
		s.Calls = append(s.Calls, [2]int64{max(0, int64(now.Sub(c.At)/time.Second)), int64(c.Calls)})
	}
	if ahead := usage.Paused.Sub(now); ahead > 0 {
		s.Paused = int64((ahead + time.Second - 1) / time.Second)
	}
	return s
}

// spentRow is the query of the row. Its column Calls has no calls of Endpoints.
func spentRow(owner string, s tvmexport.QuotaUsage, now time.Time) (string, error) {
	var total int
	for _, c := range s.Calls {
		total += c.Calls
	}
	detail, err := kql.Document(spendingOf(s, now))
	if err != nil {
		return "", conn.RefusedError("lease", "", err, "")
	}
	return fmt.Sprintf("print Table = \"\"\n| project %s", kql.Fill(kql.RunsColumns, map[string]kql.Expression{
		"Table":  {Kind: "string", Text: "Table"},
		"State":  {Kind: "string", Text: kql.Literal(kql.SpentState)},
		"At":     {Kind: "datetime", Text: "now()"},
		"Calls":  {Kind: "long", Text: fmt.Sprintf("long(%d)", total)},
		"Owner":  {Kind: "string", Text: kql.Literal(owner)},
		"Detail": {Kind: "dynamic", Text: detail},
	})), nil
}

// noteUsage appends a row with the quota that an invocation without tables has used.
func (c *Invocations) noteUsage(ctx context.Context, l tvmexport.Lease) error {
	text, err := noteText(l, time.Now())
	if err != nil {
		return err
	}
	_, err = c.conn.Command(ctx, conn.Statement{Op: "record quota", Idempotent: true, Text: text})
	return err
}

// noteText is the command of noteUsage.
func noteText(l tvmexport.Lease, now time.Time) (string, error) {
	used, err := spentRow(l.Owner, l.QuotaUsage, now)
	return fmt.Sprintf(".set-or-append %s <|\n%s\n%s", kql.RunsTable, used, understood), err
}

// QuotaUsage implements tvmexport.Destination. An invocation reads the ledger with it
// first, so that its answer has the number of the stored shape too.
func (c *Invocations) QuotaUsage(ctx context.Context, owner string) ([]tvmexport.QuotaUsage, error) {
	s := conn.Statement{Op: "read ledger", Text: usageText(owner)}
	rows, err := c.conn.Ask(ctx, s)
	if err != nil {
		return nil, err
	}
	var found Numbers
	var out []tvmexport.QuotaUsage
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		if found.Read(r, "At") {
			return struct{}{}
		}
		var d spending
		r.Fail("Detail", json.Unmarshal(r.Document("Detail"), &d))
		out = append(out, d.usage(time.Now().Add(-time.Duration(r.Long("Age"))*time.Second)))
		return struct{}{}
	})
	if err == nil {
		err = found.Highest().Beyond(s.Op, "", Shape)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// usageText is the query for what other invocations have used in the last hour, and
// for the numbers of the stored shape.
func usageText(owner string) string {
	return fmt.Sprintf(`union (
%s
| where State == %s and At > ago(1h) and Owner != %s
| summarize arg_max(At, Detail) by Owner
| project Owner, At, Age = tolong((now() - At) / 1s), Detail, Shape = long(null)
), (
%s
| project Owner, At, Age = long(null), Detail = dynamic(null), Shape
)`, kql.RunsTable, kql.Literal(kql.SpentState), kql.Literal(owner), NumbersText)
}

// usage makes times of it: it was written at then.
func (d spending) usage(then time.Time) tvmexport.QuotaUsage {
	out := d.since(then)
	for name, own := range d.Endpoints {
		if out.Endpoints == nil {
			out.Endpoints = make(map[string]tvmexport.QuotaUsage, len(d.Endpoints))
		}
		out.Endpoints[name] = own.since(then)
	}
	return out
}

func (s spent) since(then time.Time) (out tvmexport.QuotaUsage) {
	for _, c := range s.Calls {
		out.Calls = append(out.Calls, tvmexport.CallCount{At: then.Add(-time.Duration(c[0]) * time.Second), Calls: int(c[1])})
	}
	if s.Paused > 0 {
		out.Paused = then.Add(time.Duration(s.Paused) * time.Second)
	}
	return out
}
