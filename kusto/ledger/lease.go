package ledger

import (
	"context"
	"errors"
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
// on one base is the guard of Publish. The same command writes the number of the
// stored shape, and nothing at all where a newer program has written a higher one.
// Without tables it only notes the quota used so far.
func (c *Invocations) Acquire(ctx context.Context, l tvmexport.Lease) (map[string]tvmexport.LeaseHolder, error) {
	if len(l.Tables) == 0 {
		return nil, c.noteUsage(ctx, l)
	}
	for _, t := range l.Tables {
		if err := conn.CheckNames(t); err != nil {
			return nil, err
		}
	}
	for round := 1; ; round++ {
		held, again, err := c.claim(ctx, l)
		if !again || round == rounds {
			return held, err
		}
	}
}

// rounds is how often leases are claimed that the answer does not show.
const rounds = 3

// claim writes and reads back once. A table that nobody holds then is one
// whose holder gave it back in between; it is claimed again. So is everything if
// the answer lacks the number of the stored shape, which the command has written.
func (c *Invocations) claim(ctx context.Context, l tvmexport.Lease) (held map[string]tvmexport.LeaseHolder, again bool, err error) {
	text, err := leaseText(l, c.version, time.Now())
	if err != nil {
		return nil, false, err
	}
	s := conn.Statement{Op: "lease", Idempotent: true, Text: text}
	if _, err := c.conn.Command(ctx, s); err != nil {
		return nil, false, err
	}
	claims, stored, err := c.claimsOf(ctx, l.Tables)
	if err == nil {
		err = stored.Beyond(s.Op, "", Shape)
	}
	if err != nil {
		return nil, false, err
	}
	if stored.Number < Shape {
		return nil, true, conn.RefusedError(s.Op, "", errors.New("the answer of the service has no row with the number of the stored shape"), "check that no policy hides rows of "+kql.RunsTable)
	}
	held, withdraw := settle(l.Owner, claims)
	var back []tvmexport.Table
	for _, t := range l.Tables {
		if withdraw[t.Name] {
			back = append(back, t)
		}
		again = again || !slices.ContainsFunc(claims, func(c claim) bool { return c.Table == t.Name })
	}
	if err = c.withdraw(ctx, l.Owner, back); err != nil {
		return held, false, err
	}
	return held, again, nil
}

// claimsOf reads the leases of the tables that are alive, and the number of the
// stored shape.
func (c *Invocations) claimsOf(ctx context.Context, tables []tvmexport.Table) (claims []claim, stored tvmexport.StoredShape, err error) {
	s := conn.Statement{Op: "lease", Text: holdersText(tables)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, stored, err
	}
	var found Numbers
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		if !found.Read(r, "Since") {
			claims = append(claims, claim{Table: r.Text("Table"), Owner: r.Text("Owner"), Since: r.Time("Since"), Until: r.Time("Until")})
		}
		return struct{}{}
	})
	return claims, found.Highest(), err
}

// withdraw gives back what another owner claimed first.
func (c *Invocations) withdraw(ctx context.Context, owner string, tables []tvmexport.Table) error {
	if len(tables) == 0 {
		return nil
	}
	_, err := c.conn.Command(ctx, conn.Statement{Op: "lease", Idempotent: true, Text: ".set-or-append " + kql.RunsTable + " <|\n" + releaseRows(owner, kql.Names(tables))})
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

// leaseText is the command that appends a lease for each table that no other
// owner holds, a row with the quota used so far, and the number of the stored shape
// where it is missing or lower.
func leaseText(l tvmexport.Lease, version string, now time.Time) (string, error) {
	names := kql.Literals(kql.Names(l.Tables))
	used, err := spentRow(l.Owner, l.QuotaUsage, now)
	if err != nil {
		return "", err
	}
	shape, err := shapeRow(version)
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
), (
%s
)
%s`,
		kql.RunsTable, live(names), kql.Literal(l.Owner), names,
		leaseColumns(kql.LeaseState, l.Owner, "now() + "+kql.Timespan(l.Term)), used, shape, understood), nil
}

// releaseRows are the rows that give leases back.
func releaseRows(owner string, names []string) string {
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

// holdersText is the query for the live leases of the tables, and for the numbers of
// the stored shape.
func holdersText(tables []tvmexport.Table) string {
	return fmt.Sprintf(`union (
%s
    | project Table, Owner, Since, Until, Shape = long(null)
), (
%s
| project Table = "", Owner, Since = At, Until = datetime(null), Shape
)`, live(kql.Literals(kql.Names(tables))), NumbersText)
}
