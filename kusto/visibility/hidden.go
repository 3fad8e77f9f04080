package visibility

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Policies that keep rows from those who read a table, regardless of their role.
const (
	RowSecurity    = "row_level_security"     // https://learn.microsoft.com/kusto/management/row-level-security-policy
	restrictedView = "restricted_view_access" // https://learn.microsoft.com/kusto/management/restricted-view-access-policy
)

// HidingAge is how long policies that were read are treated as those that are active.
const HidingAge = time.Minute

// hiding keeps what was last read of the policies.
type hiding struct {
	turn chan struct{} // holds one while somebody reads them, and guards last
	last Policies
}

// Policies are, by table, the active policies that hide rows.
type Policies struct {
	read       time.Time
	unreadable error           // why they are not known: any table may have one
	secured    map[string]bool // by row_level_security
	restricted map[string]bool // by restricted_view_access
}

// SeesAll is an error that names the table and the policy if rows of one of the
// tables are hidden from this client. Before that, nothing may be decided from
// rows that a query shows or does not show: a missing row would be fetched and
// published again. Tables without such a policy cost no request.
func (c *Checker) SeesAll(ctx context.Context, op, of string, tables ...string) error {
	p, err := c.ReadPolicies(ctx, op, HidingAge)
	if err != nil {
		return err
	}
	return c.SeesUnder(ctx, p, op, of, tables)
}

// SeesAllNow is seesAll with the policies as they are at this moment.
func (c *Checker) SeesAllNow(ctx context.Context, op, of string, tables ...string) error {
	p, err := c.ReadPolicies(ctx, op, 0)
	if err != nil {
		return err
	}
	return c.SeesUnder(ctx, p, op, of, tables)
}

// SeesUnder is SeesAll with the policies that were read before.
func (c *Checker) SeesUnder(ctx context.Context, p Policies, op, of string, tables []string) error {
	for _, t := range tables {
		if p.restricted[t] {
			if err := c.mayView(ctx, op, of, t); err != nil {
				return err
			}
		}
		if p.secured[t] || p.unreadable != nil {
			if err := c.CountsAll(ctx, p, op, of, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayView is an error if a table with restricted view access cannot be read.
func (c *Checker) mayView(ctx context.Context, op, of, table string) error {
	_, err := c.conn.Query(ctx, conn.Statement{Op: op, Table: of, Text: kql.Ident(table) + " | take 1 | count"})
	if err == nil || tvmexport.CauseOf(err) != tvmexport.Permission {
		return err
	}
	return HiddenError(op, of, fmt.Errorf("the policy %s of table %s prevents this sign-in from reading it", restrictedView, table),
		fmt.Sprintf("an administrator of the database runs %s, or .delete table %s policy %s",
			c.conn.AddRole("unrestrictedviewers", "aadapp=<application id>;<tenant id>"), kql.Ident(table), restrictedView))
}

// hiddenReads is how often a table must show fewer rows than its extents hold
// before they are taken for hidden.
const hiddenReads = 3

// CountsAll compares the rows that a query counts with those of the extents,
// which no policy hides, read before and after. Rows that come or go meanwhile
// are between the two.
func (c *Checker) CountsAll(ctx context.Context, p Policies, op, of, table string) error {
	var seen, held int64
	for read := range hiddenReads {
		if read > 0 {
			if err := conn.Sleep(ctx, time.Duration(read)*time.Second); err != nil {
				return err
			}
		}
		before, err := c.heldBy(ctx, op, of, table)
		if err != nil {
			if p.unreadable != nil && settledNo(err) {
				// The table is missing, which who asks says, or nothing at all
				// can be learned here.
				c.conn.Log.WarnContext(ctx, "kusto: the check for hidden rows failed", "table", table, "error", err)
				return nil
			}
			return err
		}
		if seen, err = c.SeenOf(ctx, op, of, table); err != nil {
			return err
		}
		if seen >= before {
			return nil
		}
		after, err := c.heldBy(ctx, op, of, table)
		if err != nil {
			return err
		}
		if held = min(before, after); seen >= held {
			return nil
		}
	}
	if p.unreadable != nil {
		return HiddenError(op, of, fmt.Errorf("table %s shows %d rows, and its extents hold %d; its policies cannot be read: %w", table, seen, held, p.unreadable),
			fmt.Sprintf("check .show table %s policy %s", kql.Ident(table), RowSecurity))
	}
	return HiddenError(op, of, fmt.Errorf("the policy %s of table %s hides %d of its %d rows from this sign-in", RowSecurity, table, held-seen, held),
		SecuredHint(table))
}

// HiddenError is the error for rows that a policy hides or changes.
func HiddenError(op, of string, err error, hint string) error {
	return &tvmexport.Error{Op: op, Table: of, Action: tvmexport.Stop, Cause: tvmexport.Permission, Err: err, Hint: hint}
}

// heldBy counts the rows of a table's extents without the deleted ones.
func (c *Checker) heldBy(ctx context.Context, op, of, table string) (int64, error) {
	s := conn.Statement{
		Op: op, Table: of, Idempotent: true,
		Text: fmt.Sprintf(".show table %s extents | summarize Rows = coalesce(sum(RowCount) - sum(DeletedRowCount), 0)", kql.Ident(table)),
	}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return 0, err
	}
	counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Count("Rows") })
	if err != nil {
		return 0, err
	}
	if len(counts) != 1 {
		return 0, conn.RefusedError(op, of, fmt.Errorf("the answer of the service: %d rows instead of one", len(counts)), "")
	}
	return counts[0], nil
}

// SeenOf counts the rows of a table that a query shows.
func (c *Checker) SeenOf(ctx context.Context, op, of, table string) (int64, error) {
	s := conn.Statement{Op: op, Table: of, One: true, Text: kql.Ident(table) + " | summarize Rows = count()"}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return 0, err
	}
	counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Count("Rows") })
	if err != nil {
		return 0, err
	}
	return counts[0], nil
}

// settledNo says whether the service refuses, which asking again does not change.
func settledNo(err error) bool {
	var failed *tvmexport.Error
	return errors.As(err, &failed) && failed.Action == tvmexport.Stop &&
		(failed.Cause == tvmexport.Permission || failed.Cause == tvmexport.Rejected)
}

// ReadPolicies reads which tables have a policy that hides rows, at most
// once in an age. Who may read the database may read them.
func (c *Checker) ReadPolicies(ctx context.Context, op string, age time.Duration) (Policies, error) {
	select { // not a mutex: a caller that waits for a slow answer can be cancelled
	case c.hiding.turn <- struct{}{}:
		defer func() { <-c.hiding.turn }()
	case <-ctx.Done():
		return Policies{}, context.Cause(ctx)
	}
	if last := c.hiding.last; !last.read.IsZero() && time.Since(last.read) < age {
		return last, nil
	}
	p := Policies{read: time.Now()}
	var err error
	p.secured, err = c.tablesUnder(ctx, op, RowSecurity)
	if err == nil {
		p.restricted, err = c.tablesUnder(ctx, op, restrictedView)
	}
	switch {
	case err == nil:
	case settledNo(err):
		c.conn.Log.InfoContext(ctx, "kusto: policies that hide rows cannot be read; tables are counted instead", "error", err)
		p.unreadable = err
	default:
		return p, err
	}
	c.hiding.last = p
	return p, nil
}

// First is the first of the tables that can have a policy on its rows; "" if none can.
func (p Policies) First(tables []string) string {
	for _, t := range tables {
		if p.secured[t] || p.unreadable != nil && t != kql.RunsTable && t != kql.PartitionsTable {
			return t
		}
	}
	return ""
}

// SecuredHint says what to do about a policy that does not show a table as it is.
func SecuredHint(table string) string {
	return fmt.Sprintf("an administrator changes the query of the policy so that it returns all rows unchanged to this sign-in (.show table %s policy %s), or runs .delete table %[1]s policy %[2]s", kql.Ident(table), RowSecurity)
}
