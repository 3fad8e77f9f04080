package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/serve/schedule"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

// shownRuns is how many runs of each table the status page knows.
const shownRuns = 60

// fleetRuns is how many runs of each table are read for the overview of a fleet: the page
// of a tenant reads the others when it is opened. A failed run may follow the newest
// commit, which the schedule needs.
const fleetRuns = 5

// ledger is what the database says of the tables, with times by our clock.
type ledgerState struct {
	status kusto.Status
	runs   []kusto.RunRecord
	behind time.Duration // of the database's clock behind ours
}

// readLedger reads the state of each table and its newest runs.
func (s *service) readLedger(ctx context.Context, runs int) (ledgerState, error) {
	if s.shares != nil {
		if err := s.shares.reads.Enter(ctx); err != nil {
			return ledgerState{}, err
		}
		defer s.shares.reads.Leave()
	}
	s.use.RLock()
	defer s.use.RUnlock()
	x, giveBack, err := s.borrow(ctx, s.set)
	if err != nil {
		return ledgerState{}, err
	}
	defer giveBack()
	var l ledgerState
	if l.status, err = x.Reports().Status(ctx); err != nil {
		return ledgerState{}, err
	}
	var now time.Time
	if now, l.runs, err = x.Reports().Runs(ctx, runs); err == nil && !now.IsZero() {
		l.behind = time.Since(now)
	}
	return l, err
}

// tables reads the ledger for the page, the metrics and the schedule.
func (s *service) tables(ctx context.Context) ([]schedule.Known, error) {
	runs := shownRuns
	if s.shares != nil {
		runs = fleetRuns
	}
	ledger, err := s.readLedger(ctx, runs)
	s.mu.Lock()
	s.unread, s.hasRead = err, s.hasRead || err == nil
	s.mu.Unlock()
	s.metrics.LedgerRead(err == nil)
	if err != nil {
		s.board.Tables(nil, err)
		s.log.ErrorContext(ctx, "the ledger cannot be read", "error", oneLine(err.Error()))
		return nil, err
	}
	list, known := ledger.shown()
	for _, t := range list {
		s.count(t, wiring.Owner()+" ")
	}
	for _, st := range ledger.status.Tables {
		if rows, known := st.TableRows(); known && st.Last != nil {
			s.metrics.Rows(st.Order.Table, rows)
		}
	}
	s.board.Tables(list, nil)
	s.unknownSchedules(ctx, ledger.status)
	return known, nil
}

// shown makes the tables of the page, and the input of the schedule for active tables.
func (l ledgerState) shown() ([]statuspage.Table, []schedule.Known) {
	var list []statuspage.Table
	var known []schedule.Known
	ours := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Add(l.behind)
	}
	me := wiring.Owner() + " "
	for _, st := range l.status.Tables {
		name := st.Order.Table
		t := statuspage.Table{Name: name, Into: st.Order.Into, Load: string(st.Order.Load), Active: st.Order.Active}
		t.Rows, t.RowsKnown = st.TableRows()
		t.FullAt, t.Deltas = ours(st.FullAt), st.Deltas()
		if st.Holder != nil && !strings.HasPrefix(st.Holder.Owner, me) {
			t.HeldBy = st.Holder.Owner
		}
		var last time.Time
		for _, r := range l.runs {
			if r.Table != name {
				continue
			}
			shown := statuspage.Run{
				Table: name, ID: string(r.Run), Previous: string(r.Previous), Owner: r.Owner, Kind: string(r.Kind), Load: string(r.Load),
				Committed: r.Committed, Began: ours(r.Began), At: ours(r.At), From: r.From, Watermark: r.Watermark,
				Changed: r.Rows, Bytes: r.Bytes, Calls: r.Calls, Took: r.Took,
			}
			if e := r.Effect; e != nil {
				shown.Rows, shown.Growth, shown.RowsKnown = e.TableRows, e.Growth, true
			}
			if !r.Committed {
				shown.Failure = statuspage.ProblemOfText(r.Reason, shown.At)
			} else if last.IsZero() {
				if last = shown.Began; last.IsZero() {
					last = shown.At
				}
			}
			t.Runs = append(t.Runs, shown)
		}
		if st.Order.Err != nil {
			t.Failure = statuspage.ProblemOf(st.Order.Err, time.Now())
		}
		if last.IsZero() && st.Last != nil { // more runs have failed since than were read
			last = ours(st.Last.At)
		}
		list = append(list, t)
		if st.Order.Active {
			known = append(known, schedule.Known{Name: name, Last: last})
		}
	}
	return list, known
}

// count tells the metrics what the ledger shows of a table.
func (s *service) count(t statuspage.Table, me string) {
	s.metrics.Table(t.Name)
	for _, r := range slices.Backward(t.Runs) {
		if !r.Committed {
			continue
		}
		if strings.HasPrefix(r.Owner, me) && r.At.After(s.began) {
			s.metrics.Commit(t.Name, tvmexport.RunID(r.ID), r.Changed, r.At)
		}
		s.metrics.Known(t.Name, r.Changed, r.At)
	}
}

// unknownSchedules tells of schedules that no table has.
func (s *service) unknownSchedules(ctx context.Context, status kusto.Status) {
	for table := range s.set.timetable.Own {
		if !slices.ContainsFunc(status.Tables, func(t kusto.TableStatus) bool { return t.Order.Table == table }) && !s.warned[table] {
			s.warned[table] = true
			s.log.WarnContext(ctx, "serve.schedules names a table that is not in MigrationConfiguration", "table", table)
		}
	}
}

// recordTime bounds how long a reader waits for the ledger.
const recordTime = 30 * time.Second

// record reads all that the ledger holds of one run.
func (s *service) record(ctx context.Context, table, run string) (statuspage.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	s.use.RLock()
	defer s.use.RUnlock()
	x, giveBack, err := s.borrow(ctx, s.set)
	if err != nil {
		return statuspage.Record{}, err
	}
	defer giveBack()
	rows, parts, err := x.Reports().Record(ctx, table, tvmexport.RunID(run))
	var out statuspage.Record
	for _, r := range rows {
		detail := string(r.Detail)
		if detail == "null" {
			detail = ""
		}
		out.Rows = append(out.Rows, statuspage.RecordRow{State: r.State, At: r.At, Rows: r.Rows, Bytes: r.Bytes, Calls: r.Calls, Owner: r.Owner, Detail: detail})
	}
	for _, p := range parts {
		line := statuspage.RecordPartition{Name: partitionName(p.Partition), Rows: p.Rows, Fingerprint: p.Fingerprint.String()}
		if p.Window != (tvmexport.Window{}) {
			line.Window = windowName(p.Window)
		}
		out.Partitions = append(out.Partitions, line)
	}
	return out, err
}

func partitionName(p tvmexport.Partition) string {
	if p == tvmexport.AllPartitions {
		return "all rows"
	}
	return string(p)
}

func windowName(w tvmexport.Window) string {
	if w.Null {
		return "rows without a watermark"
	}
	return w.From.UTC().Format(time.RFC3339) + " to " + w.To.UTC().Format(time.RFC3339)
}
