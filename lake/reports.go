package lake

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Reports reads the state of tables, their runs and the audit.
type Reports struct {
	ledger        *ledger
	invocations   *invocations
	configuration *configuration
}

// Reports returns what people ask about.
func (c *Client) Reports() *Reports {
	return &Reports{ledger: c.ledger, invocations: c.invocations, configuration: c.configuration}
}

// TableStatus is what the folder says of one table.
type TableStatus struct {
	Order      tvmexport.Order
	Last       *tvmexport.Committed   // nil before the first commit
	FullAt     time.Time              // of the newest full run's commit; zero: none
	Publishing tvmexport.RunID        // a publication that the next run will finish; "" if none
	Holder     *tvmexport.LeaseHolder // of the lease; nil if no run holds it
	Audit      *Audit                 // the last audit row; nil if none
}

// Audit is a row of MigrationAuditLog.
type Audit struct {
	Table  string // as configured in DestinationTable
	At     time.Time
	Status string
	Reason string
	Rows   int64
}

// Status reads the state of each configured table. newer is an error if a newer version of the
// program has written to the folder.
func (r *Reports) Status(ctx context.Context) (list []TableStatus, now time.Time, newer, err error) {
	orders, err := r.configuration.orders(ctx)
	if err != nil {
		return nil, now, nil, err
	}
	if _, newer = r.ledger.understood(ctx, "read ledger", ""); newer != nil && tvmexport.CodeOf(newer) != tvmexport.NewerShape {
		return nil, now, nil, newer
	}
	if now, err = r.ledger.now(ctx); err != nil {
		return nil, now, nil, err
	}
	audits, err := r.AuditLog(ctx, 0)
	if err != nil {
		return nil, now, nil, err
	}
	for _, o := range orders {
		s := TableStatus{Order: o}
		if tvmexport.CheckIdentifier("table", o.Table) == nil {
			if err := r.read(ctx, &s, now); err != nil {
				return nil, now, nil, err
			}
		}
		if i := slices.IndexFunc(audits, func(a Audit) bool { return a.Table == o.Into || a.Table == o.Table }); i >= 0 {
			s.Audit = &audits[i]
		}
		list = append(list, s)
	}
	return list, now, newer, nil
}

// read reads the runs of a table, and who exports it.
func (r *Reports) read(ctx context.Context, s *TableStatus, now time.Time) error {
	h, err := r.ledger.head(ctx, s.Order.Table)
	if err != nil {
		return err
	}
	if h.last != nil {
		s.Last, s.FullAt = committedOf(h.last), h.last.after().FullAt
	}
	open, _, err := r.ledger.run(ctx, s.Order.Table, h.ordinal+1)
	if err != nil {
		return err
	}
	if open != nil && open.State != abandoned {
		s.Publishing = open.Header.ID
	}
	var l lease
	_, _, err = r.ledger.read(ctx, controlName("leases", s.Order.Table+".json"), &l)
	if err == nil && l.Expires.After(now) && !r.invocations.locks.dead(ctx, l.Owner, l.Host) {
		s.Holder = &tvmexport.LeaseHolder{Owner: l.Owner, Expires: l.Expires}
	}
	return err
}

// AuditLog returns the rows of the audit, newest first, limit at most; 0 is all.
func (r *Reports) AuditLog(ctx context.Context, limit int) ([]Audit, error) {
	s, err := r.ledger.snapshot(ctx, AuditTable)
	if err != nil || !s.Exists() {
		return nil, err
	}
	var out []Audit
	for row, err := range r.ledger.allRows(ctx, AuditTable, s, auditColumns) {
		if err != nil {
			return nil, err
		}
		a := Audit{Table: string(row[0].Text()), Status: string(row[2].Text()), Reason: string(row[3].Text()), Rows: row[4].Int()}
		if !row[1].IsNull() {
			a.At = row[1].Time()
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b Audit) int { return b.At.Compare(a.At) })
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out, nil
}

// Run is a run of a table: a committed one, or one that an invocation says to have failed.
type Run struct {
	Table     string
	ID        tvmexport.RunID
	Previous  tvmexport.RunID
	Owner     string
	Kind      tvmexport.RunKind
	Load      tvmexport.LoadType
	Committed bool
	Began, At time.Time
	From      time.Time
	Watermark time.Time
	Rows      int64
	Bytes     int64
	Calls     int64
	Took      time.Duration
	Reason    string
	Effect    *tvmexport.Effect
}

// Runs returns the newest runs of each table, newest first, and the time by the clock of the store.
func (r *Reports) Runs(ctx context.Context, perTable int) (now time.Time, out []Run, err error) {
	if now, err = r.ledger.now(ctx); err != nil {
		return now, nil, err
	}
	rows, err := r.configuration.rows(ctx)
	if err != nil {
		return now, nil, err
	}
	ended, err := r.invocations.all(ctx)
	if err != nil {
		return now, nil, err
	}
	for table := range newest(rows) {
		if tvmexport.CheckIdentifier("table", table) != nil {
			continue
		}
		list, err := r.runsOf(ctx, table, perTable, ended)
		if err != nil {
			return now, nil, err
		}
		out = append(out, list...)
	}
	slices.SortStableFunc(out, func(a, b Run) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Table, b.Table)) })
	return now, out, nil
}

func (r *Reports) runsOf(ctx context.Context, table string, most int, ended []invocation) (out []Run, err error) {
	h, err := r.ledger.head(ctx, table)
	if err != nil {
		return nil, err
	}
	counted := map[tvmexport.RunID]bool{}
	for f, ordinal := h.last, h.ordinal; f != nil && f.Commit != nil && len(out) < most; {
		run, c := f.Publication.Run, f.Commit
		out = append(out, Run{
			Table: table, ID: f.Header.ID, Previous: f.Header.Previous, Owner: c.Owner, Kind: f.Header.Kind, Load: f.LoadType, Committed: true,
			Began: f.Header.StartedAt, At: c.At, From: run.Window.From, Watermark: run.Watermark, Rows: c.Rows, Bytes: c.Bytes, Calls: int64(c.Calls),
			Took: c.Effect.Took, Effect: &c.Effect,
		})
		counted[f.Header.ID] = true
		if ordinal--; ordinal == 0 {
			break
		}
		if f, _, err = r.ledger.run(ctx, table, ordinal); err != nil {
			return nil, err
		}
	}
	for _, i := range ended {
		for _, o := range i.Outcomes {
			if o.Table == table && o.Err != "" && !counted[o.Run] {
				out = append(out, Run{Table: table, ID: o.Run, Owner: i.Owner, Began: o.Began, At: o.At, Took: o.Took, Reason: o.Err})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Run) int { return b.At.Compare(a.At) })
	return out[:min(len(out), most)], nil
}

// Record is all that the folder says of a committed run, and of one that publishes. It is zero for a run
// that is not there.
func (r *Reports) Record(ctx context.Context, table string, id tvmexport.RunID) (run Run, state string, detail json.RawMessage, parts []tvmexport.PartitionRecord, err error) {
	if err := checkName("read ledger", table); err != nil {
		return run, "", nil, nil, err
	}
	h, err := r.ledger.head(ctx, table)
	if err != nil {
		return run, "", nil, nil, err
	}
	for ordinal := h.ordinal + 1; ordinal > 0; ordinal-- {
		f, _, err := r.ledger.run(ctx, table, ordinal)
		if err != nil {
			return run, "", nil, nil, err
		}
		if f == nil || f.Header.ID != id {
			continue
		}
		run = Run{Table: table, ID: id, At: f.Header.StartedAt, Rows: f.Publication.Rows, Bytes: f.Publication.Bytes, Calls: int64(f.Publication.Calls)}
		if state = "publishing"; f.Commit != nil && ordinal <= h.ordinal {
			state = "committed"
			run.At, run.Rows, run.Bytes, run.Calls, run.Owner = f.Commit.At, f.Commit.Rows, f.Commit.Bytes, int64(f.Commit.Calls), f.Commit.Owner
		}
		detail, err = json.Marshal(f.Header)
		return run, state, detail, f.Partitions, err
	}
	return run, "", nil, nil, nil
}
