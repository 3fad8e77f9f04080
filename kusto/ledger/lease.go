package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Acquire implements tvmexport.Destination. A lease is a row of the ledger.
// It is written where nobody else holds the table, then read back: of owners
// who wrote at the same moment the one whose row was there first has it, and
// the others withdraw. Leases spare work; what keeps two runs from publishing
// on one base is the guard of Publish.
func (c *Invocations) Acquire(ctx context.Context, l tvmexport.Lease) (map[string]tvmexport.LeaseHolder, error) {
	if len(l.Tables) == 0 {
		return nil, nil
	}
	for _, t := range l.Tables {
		if err := conn.CheckNames(t); err != nil {
			return nil, err
		}
	}
	for round := 1; ; round++ {
		held, unclaimed, err := c.claim(ctx, l)
		if err != nil || !unclaimed || round == 3 {
			return held, err
		}
	}
}

// claim writes and reads back once. A table that nobody holds then is one
// whose holder gave it back in between; it is claimed again.
func (c *Invocations) claim(ctx context.Context, l tvmexport.Lease) (held map[string]tvmexport.LeaseHolder, unclaimed bool, err error) {
	text, err := LeaseText(l, time.Now())
	if err != nil {
		return nil, false, err
	}
	s := conn.Statement{Op: "lease", Idempotent: true, Text: text}
	if _, err := c.conn.Command(ctx, s); err != nil {
		return nil, false, err
	}
	claims, err := c.claimsOf(ctx, l.Tables)
	if err != nil {
		return nil, false, err
	}
	held, withdraw := settle(l.Owner, claims)
	var back []tvmexport.Table
	for _, t := range l.Tables {
		if withdraw[t.Name] {
			back = append(back, t)
		}
		unclaimed = unclaimed || !slices.ContainsFunc(claims, func(c claim) bool { return c.Table == t.Name })
	}
	return held, unclaimed, c.withdraw(ctx, l.Owner, back)
}

// claimsOf reads the leases of the tables that are alive.
func (c *Invocations) claimsOf(ctx context.Context, tables []tvmexport.Table) ([]claim, error) {
	s := conn.Statement{Op: "lease", Text: HoldersText(tables)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) claim {
		return claim{Table: r.Text("Table"), Owner: r.Text("Owner"), Since: r.Time("Since"), Until: r.Time("Until")}
	})
}

// withdraw gives back what another owner claimed first.
func (c *Invocations) withdraw(ctx context.Context, owner string, tables []tvmexport.Table) error {
	if len(tables) == 0 {
		return nil
	}
	_, err := c.conn.Command(ctx, conn.Statement{Op: "lease", Idempotent: true, Text: ".set-or-append " + kql.RunsTable + " <|\n" + ReleaseRows(owner, kql.Names(tables))})
	return err
}

// claim is a lease that is alive.
type claim struct {
	Table, Owner string
	Since, Until time.Time
}

// settle says who else holds which table, and where owner's own claim came
// second and must be withdrawn.
func settle(owner string, claims []claim) (held map[string]tvmexport.LeaseHolder, withdraw map[string]bool) {
	first, own := map[string]claim{}, map[string]bool{}
	for _, c := range claims {
		if c.Owner == owner {
			own[c.Table] = true
		}
		best, ok := first[c.Table]
		if !ok || c.Since.Before(best.Since) || c.Since.Equal(best.Since) && c.Owner < best.Owner {
			first[c.Table] = c
		}
	}
	held, withdraw = map[string]tvmexport.LeaseHolder{}, map[string]bool{}
	for table, c := range first {
		if c.Owner == owner {
			continue
		}
		held[table] = tvmexport.LeaseHolder{Owner: c.Owner, Expires: c.Until}
		if own[table] {
			withdraw[table] = true
		}
	}
	return held, withdraw
}

// live is the query for leases that are alive: the owner's newest row is a
// lease, and one of its leases has not expired. Since is the beginning of the
// unbroken claim: the earliest row still alive. Rows are
// ordered by when they could be seen, not by when their command began.
func live(names string) string {
	return fmt.Sprintf(`%s
    | where Table in (%s) and State in (%s) and At > ago(1d)
    | extend Seen = coalesce(ingestion_time(), At)
    | summarize Taken = maxif(Seen, State == %s), Given = maxif(Seen, State == %s), Since = minif(Seen, State == %s and Expires > now()), Until = maxif(Expires, State == %s) by Table, Owner
    | where (isnull(Given) or Taken > Given) and Until > now()`,
		kql.RunsTable, names, kql.Literals([]string{kql.LeaseState, kql.ReleasedState}), kql.Literal(kql.LeaseState), kql.Literal(kql.ReleasedState), kql.Literal(kql.LeaseState), kql.Literal(kql.LeaseState))
}

// LeaseText is the command that appends a lease for each table that no other
// owner holds, and a row with the quota used so far.
func LeaseText(l tvmexport.Lease, now time.Time) (string, error) {
	names := kql.Literals(kql.Names(l.Tables))
	used, err := spentRow(l.Owner, l.QuotaUsage, now)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`.set-or-append %s <|
let Others = %s and Owner != %s;
union (
datatable (Table:string) [%s]
| join kind=leftanti Others on Table
| project %s
), (
%s
)`,
		kql.RunsTable, live(names), kql.Literal(l.Owner), names,
		leaseColumns(kql.LeaseState, l.Owner, "now() + "+kql.Timespan(l.Term)), used), nil
}

// ReleaseRows are the rows that give leases back.
func ReleaseRows(owner string, names []string) string {
	return fmt.Sprintf("datatable (Table:string) [%s]\n| project %s", kql.Literals(names), leaseColumns(kql.ReleasedState, owner, "datetime(null)"))
}

func leaseColumns(state, owner, expires string) string {
	return kql.Fill(kql.RunsColumns, map[string]kql.Expression{
		"Table":   {Kind: "string", Text: "Table"},
		"State":   {Kind: "string", Text: kql.Literal(state)},
		"At":      {Kind: "datetime", Text: "now()"},
		"Owner":   {Kind: "string", Text: kql.Literal(owner)},
		"Expires": {Kind: "datetime", Text: expires},
	})
}

// HoldersText is the query for the live leases of the tables.
func HoldersText(tables []tvmexport.Table) string {
	return live(kql.Literals(kql.Names(tables))) + "\n    | project Table, Owner, Since, Until"
}
