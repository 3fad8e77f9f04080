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

// Status is what the destination knows of all tables.
type Status struct {
	Now    time.Time // the service's clock
	Tables []TableStatus
	Newer  error // a newer version of the program has written to the destination; nil if none has
}

// TableStatus is what the destination knows of one table.
type TableStatus struct {
	Order      tvmexport.Order
	Last       *tvmexport.Committed   // nil before the first commit
	Age        time.Duration          // since the last commit
	FullAt     time.Time              // of the newest full run's commit; zero: none
	Publishing tvmexport.RunID        // a publication that the next run will finish; "" if none
	Holder     *tvmexport.LeaseHolder // of the lease; nil if no run holds it
	Audit      *Audit                 // the last audit row; nil if none
}

// TableRows are the rows that readers see since the last commit; false where an
// earlier version of the program has committed and did not record them.
func (t TableStatus) TableRows() (rows int64, known bool) {
	switch {
	case t.Last == nil:
		return 0, true
	case t.Last.Effect != nil:
		return t.Last.Effect.TableRows, true
	}
	return t.Last.Rows, t.Last.Kind == tvmexport.LegacyRun || t.Last.Kind == tvmexport.FullRun
}

// Deltas are the committed delta runs since the newest full one; -1: not known.
func (t TableStatus) Deltas() int {
	if t.Last == nil || t.Last.Effect == nil {
		return -1
	}
	return t.Last.Effect.Deltas
}

// Audit is a row of MigrationAuditLog.
type Audit struct {
	Table  string // published; in rows of earlier versions the source table
	At     time.Time
	Status string // Success or Failed
	Reason string // of a failure
	Rows   int64  // newly published
}

// Status reads the configuration, the ledger, the leases and the audit: one query
// each for any number of tables.
func (c *Reports) Status(ctx context.Context) (Status, error) {
	orders, err := c.configuration.Orders(ctx)
	if err != nil || len(orders) == 0 {
		return Status{}, err
	}
	tables := make([]tvmexport.Table, len(orders))
	for i, o := range orders {
		tables[i] = tvmexport.Table{Name: o.Table, Destination: o.Into, LoadType: o.Load, Watermark: o.Column}
	}
	histories, stored, err := c.ledger.runs(ctx, tables)
	if err != nil {
		return Status{}, err
	}
	holders, err := c.holders(ctx, tables)
	if err != nil {
		return Status{}, err
	}
	audits, err := c.Audits(ctx)
	if err != nil {
		return Status{}, err
	}
	out := Status{Tables: make([]TableStatus, len(orders)), Newer: stored.Beyond("read ledger", "", Shape)}
	for i, o := range orders {
		h := histories[o.Table]
		t := TableStatus{Order: o, Last: h.Last, FullAt: h.FullAt}
		if h.Last != nil {
			t.Age = h.Now.Sub(h.Last.At)
		}
		if h.Publishing != nil {
			t.Publishing = h.Publishing.Run.ID
		}
		if by, ok := holders[o.Table]; ok {
			t.Holder = &by
		}
		t.Audit = auditOf(audits, o, orders, h.Last)
		out.Now, out.Tables[i] = h.Now, t
	}
	return out, nil
}

// Stored is the number of the stored shape that the ledger holds, with an error with
// the code NewerShape if this program does not understand it.
func (c *Reports) Stored(ctx context.Context) (tvmexport.StoredShape, error) {
	const op = "read ledger"
	stored, err := c.ledger.Stored(ctx, op)
	if err == nil {
		err = stored.Beyond(op, "", Shape)
	}
	return stored, err
}

// holders are the leases that are alive, by table.
func (c *Reports) holders(ctx context.Context, tables []tvmexport.Table) (map[string]tvmexport.LeaseHolder, error) {
	claims, _, err := c.invocations.claimsOf(ctx, tables)
	if err != nil {
		return nil, err
	}
	held, _ := settle("", claims)
	return held, nil
}

// auditOf is the newest audit row of an order. Rows have the name of the published
// table; those of earlier versions have that of the source table. After a change of the
// destination the name of the last one counts too, unless it is another order's now.
func auditOf(audits map[string]Audit, o tvmexport.Order, orders []tvmexport.Order, last *tvmexport.Committed) *Audit {
	names := []string{o.Into, o.Table}
	if last != nil && !slices.ContainsFunc(orders, func(other tvmexport.Order) bool { return other.Into == last.Destination }) {
		names = append(names, last.Destination)
	}
	var newest *Audit
	for _, name := range names {
		if a, ok := audits[name]; ok && (newest == nil || a.At.After(newest.At)) {
			newest = &a
		}
	}
	return newest
}

// Audits are the last audit rows, by the name that each has: that of a published table,
// or of a source table.
func (c *Reports) Audits(ctx context.Context) (map[string]Audit, error) {
	s := conn.Statement{Op: "read audit", Text: fmt.Sprintf(`%s
| summarize arg_max(Timestamp, Status, FailureReason, RecordCount) by TableName
| project TableName, Timestamp, Status, FailureReason, RecordCount`, kql.AuditTable)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	list, err := conn.ReadRows(s, rows, readAudit)
	out := make(map[string]Audit, len(list))
	for _, a := range list {
		out[a.Table] = a
	}
	return out, err
}

// AuditLog is the audit's rows, newest first, limit at most.
func (c *Reports) AuditLog(ctx context.Context, limit int) ([]Audit, error) {
	s := conn.Statement{Op: "read audit", Text: fmt.Sprintf(`%s
| top %d by Timestamp desc
| project TableName, Timestamp, Status, FailureReason, RecordCount`, kql.AuditTable, limit)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, readAudit)
}

func readAudit(r *conn.Reader) Audit {
	return Audit{
		Table: r.Text("TableName"), At: r.Time("Timestamp"), Status: r.Text("Status"),
		Reason: r.Text("FailureReason"), Rows: r.Long("RecordCount"),
	}
}
