package kusto

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Acquire implements tvmexport.Destination. A lease is a row of the ledger.
// It is written where nobody else holds the table, then read back: of owners
// who wrote at the same moment the earliest has it, by the service's clock,
// and the others withdraw. Leases spare work; what keeps two runs from
// publishing on one base is the guard of Publish.
func (c *Client) Acquire(ctx context.Context, owner string, tables []tvmexport.Table, term time.Duration) (map[string]tvmexport.Holder, error) {
	if len(tables) == 0 {
		return nil, nil
	}
	for _, t := range tables {
		if err := checkNames(t); err != nil {
			return nil, err
		}
	}
	for round := 1; ; round++ {
		held, unclaimed, err := c.claim(ctx, owner, tables, term)
		if err != nil || !unclaimed || round == 3 {
			return held, err
		}
	}
}

// claim writes and reads back once. A table that nobody holds then is one
// whose holder gave it back in between; it is claimed again.
func (c *Client) claim(ctx context.Context, owner string, tables []tvmexport.Table, term time.Duration) (held map[string]tvmexport.Holder, unclaimed bool, err error) {
	s := statement{op: "lease", again: true, text: leaseText(owner, tables, term)}
	if _, err := c.command(ctx, s); err != nil {
		return nil, false, err
	}
	claims, err := c.claimsOf(ctx, tables)
	if err != nil {
		return nil, false, err
	}
	held, withdraw := settle(owner, claims)
	var back []tvmexport.Table
	for _, t := range tables {
		if withdraw[t.Name] {
			back = append(back, t)
		}
		unclaimed = unclaimed || !slices.ContainsFunc(claims, func(c claim) bool { return c.table == t.Name })
	}
	return held, unclaimed, c.Release(ctx, owner, back)
}

// claimsOf reads the leases of the tables that are alive.
func (c *Client) claimsOf(ctx context.Context, tables []tvmexport.Table) ([]claim, error) {
	s := statement{op: "lease", text: holdersText(tables)}
	rows, err := c.query(ctx, s)
	if err != nil {
		return nil, err
	}
	return readRows(s, rows, func(r *reader) claim {
		return claim{table: r.text("Table"), owner: r.text("Owner"), since: r.time("Since"), until: r.time("Until")}
	})
}

// Release implements tvmexport.Destination.
func (c *Client) Release(ctx context.Context, owner string, tables []tvmexport.Table) error {
	if len(tables) == 0 {
		return nil
	}
	_, err := c.command(ctx, statement{op: "lease", again: true, text: releaseText(owner, tables)})
	return err
}

// claim is a lease that is alive.
type claim struct {
	table, owner string
	since, until time.Time
}

// settle says who else holds which table, and where owner's own claim came
// second and must be withdrawn.
func settle(owner string, claims []claim) (held map[string]tvmexport.Holder, withdraw map[string]bool) {
	first, own := map[string]claim{}, map[string]bool{}
	for _, c := range claims {
		if c.owner == owner {
			own[c.table] = true
		}
		best, ok := first[c.table]
		if !ok || c.since.Before(best.since) || c.since.Equal(best.since) && c.owner < best.owner {
			first[c.table] = c
		}
	}
	held, withdraw = map[string]tvmexport.Holder{}, map[string]bool{}
	for table, c := range first {
		if c.owner == owner {
			continue
		}
		held[table] = tvmexport.Holder{Owner: c.owner, Expires: c.until}
		if own[table] {
			withdraw[table] = true
		}
	}
	return held, withdraw
}

// live is the query for leases that are alive: the owner's newest row is a
// lease, and one of its leases has not expired. Since is the beginning of the
// unbroken claim, as far as it matters: the earliest row still alive.
func live(names string) string {
	return fmt.Sprintf(`%s
    | where Table in (%s) and State in (%s) and At > ago(1d)
    | summarize arg_max(At, State), Since = minif(At, State == %s and Expires > now()), Until = maxif(Expires, State == %s) by Table, Owner
    | where State == %s and Until > now()`,
		runsTable, names, literals([]string{leased, released}), literal(leased), literal(leased), literal(leased))
}

func leaseText(owner string, tables []tvmexport.Table, term time.Duration) string {
	names := literals(namesOf(tables))
	return fmt.Sprintf(`.set-or-append %s <|
let Others = %s and Owner != %s;
datatable (Table:string) [%s]
| join kind=leftanti Others on Table
| project %s`,
		runsTable, live(names), literal(owner), names,
		leaseColumns(leased, owner, "now() + "+timespan(term)))
}

func releaseText(owner string, tables []tvmexport.Table) string {
	return fmt.Sprintf(`.set-or-append %s <|
datatable (Table:string) [%s]
| project %s`, runsTable, literals(namesOf(tables)), leaseColumns(released, owner, "datetime(null)"))
}

func leaseColumns(state, owner, expires string) string {
	return fill(runsColumns, map[string]expression{
		"Table":   {"string", "Table"},
		"State":   {"string", literal(state)},
		"At":      {"datetime", "now()"},
		"Owner":   {"string", literal(owner)},
		"Expires": {"datetime", expires},
	})
}

func holdersText(tables []tvmexport.Table) string {
	return live(literals(namesOf(tables))) + "\n    | project Table, Owner, Since, Until"
}
