package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// entry is a row of the ledger as History reads it.
type entry struct {
	Now, At        time.Time
	Table, State   string
	Run, Previous  tvmexport.RunID
	Kind           tvmexport.RunKind
	Watermark      time.Time
	Rows, Bytes    int64
	Detail         []byte
	since, ordered time.Time
	full           time.Time
	fetched        tvmexport.Volume
	depth          int64
	tenant         string
}

// History implements tvmexport.Destination: one query for the runs of all
// tables, one for their partitions.
func (c *Ledger) History(ctx context.Context, tables []tvmexport.Table) (map[string]tvmexport.History, error) {
	out, stored, err := c.runsAndPlacements(ctx, tables)
	if err == nil {
		err = stored.Beyond("read ledger", "", Shape)
	}
	if err != nil {
		return nil, err
	}
	kept, err := c.policy.Handed(ctx)
	if err != nil {
		c.conn.Log.InfoContext(ctx, "kusto: retention policies cannot be read", "error", err)
	}
	for _, t := range tables {
		from, err := c.Readers(ctx, t)
		if err != nil {
			return nil, err
		}
		h := out[t.Name]
		h.Lineage, h.Retention = from.HasLineage(), kept[from.Table]
		out[t.Name] = h
	}
	lost, seen, err := c.lossesOf(ctx, tables, kept)
	if err != nil {
		return nil, err
	}
	for name, l := range lost {
		h := out[name]
		h.Losses = l
		out[name] = h
	}
	for name, rows := range seen {
		h := out[name]
		h.TableRows = rows
		out[name] = h
	}
	if err := c.readLegacy(ctx, tables, out); err != nil {
		return nil, err
	}
	if err := c.readPartitions(ctx, out); err != nil {
		return nil, err
	}
	for _, t := range tables {
		if h := out[t.Name]; t.LoadType == tvmexport.Snapshot {
			for _, p := range h.Partitions {
				h.TableRows += p.Rows
			}
			out[t.Name] = h
		}
	}
	return out, nil
}

// runsAndPlacements is runs. At the same time it reads which published tables lack runs,
// which Readers needs to know of each table.
func (c *Ledger) runsAndPlacements(ctx context.Context, tables []tvmexport.Table) (out map[string]tvmexport.History, stored tvmexport.StoredShape, err error) {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		out, stored, err = c.runs(gctx, tables)
		return err
	})
	g.Go(func() error {
		_, err := c.readMissing(gctx, tables)
		return err
	})
	return out, stored, g.Wait()
}

// runs is History without partitions, and the number of the stored shape.
func (c *Ledger) runs(ctx context.Context, tables []tvmexport.Table) (out map[string]tvmexport.History, stored tvmexport.StoredShape, err error) {
	out = make(map[string]tvmexport.History, len(tables))
	if len(tables) == 0 {
		return out, stored, nil
	}
	if err := c.visible.SeesAll(ctx, "read ledger", "", kql.RunsTable, kql.PartitionsTable); err != nil {
		return nil, stored, err
	}
	s := conn.Statement{Op: "read ledger", Text: historyText(tables)}
	rows, err := c.conn.Ask(ctx, s)
	if err != nil {
		return nil, stored, err
	}
	var found Numbers
	entries, err := conn.ReadRows(s, rows, func(r *conn.Reader) entry {
		if found.Read(r, "At") {
			return entry{}
		}
		return readEntry(r)
	})
	if err != nil {
		return nil, stored, err
	}
	stored = found.Highest()
	for _, t := range tables {
		if !slices.ContainsFunc(entries, func(e entry) bool { return e.Table == t.Name }) {
			return nil, stored, conn.RefusedError(s.Op, t.Name, errors.New("the answer of the service has no row for the table"), "")
		}
		if out[t.Name], err = history(t, entries); err != nil {
			if newer := stored.Beyond(s.Op, "", Shape); newer != nil {
				return nil, stored, newer // the better reason
			}
			return nil, stored, conn.RefusedError(s.Op, t.Name, err, "check the rows of "+kql.RunsTable)
		}
	}
	return out, stored, nil
}

// historyText asks for the numbers of the stored shape, and for the newest commit of
// each table, combined with the commits since the last full run, and for the publications based on it, both begun and
// given up. A table without any comes with an empty state, so that
// the service's clock is known for it.
//
// Of a run that is recorded as committed twice the first record counts, as for
// readers: a second record does not make an old run the newest one.
//
// Ordered is a watermark that an operator wrote: in a configuration row newer
// than the beginning of the last committed run, and equal to no watermark that
// a run has committed, since those are what the program itself copies there. Of a
// run without a watermark it copies the time at which the run began.
func historyText(tables []tvmexport.Table) string {
	names := kql.Literals(kql.Names(tables))
	return fmt.Sprintf(`let Names = datatable (Table:string) [%s];
let Known = %s
    | where Table in (%s) and State in (%s);
let Commits = Known
    | where State == %s
    | summarize arg_min(At, *) by Table, RunId;
let Full = Commits
    | where Kind == %s
    | summarize FullAt = max(At) by Table;
let Newest = Commits
    | join kind=leftouter Full on Table
    | where isnull(FullAt) or At >= FullAt
    | summarize arg_max(At, RunId, Detail), Since = min(WatermarkFrom), Open = countif(isnull(WatermarkFrom)),
        Depth = maxif(tolong(Detail.depth), Kind == %s), FullAt = max(FullAt), FetchedRows = sum(Rows), FetchedBytes = sum(Bytes) by Table
    | project Table, Base = RunId, BeganAt = coalesce(todatetime(Detail.startedAt), At), Since = iff(Open > 0, datetime(null), Since),
        Depth, FullAt, FetchedRows, FetchedBytes;
let Tenant = toscalar(%s
    | where State == %s and isnotempty(tostring(Detail.tenant))
    | summarize take_any(tostring(Detail.tenant)));
let Ordered = %s
    | extend WrittenAt = ingestion_time()
    | summarize arg_max(WrittenAt, LastRefreshedTime) by SourceTable
    | project Table = SourceTable, WrittenAt, Ordered = LastRefreshedTime
    | join kind=inner Newest on Table
    | where WrittenAt > BeganAt and isnotnull(Ordered)
    | join kind=leftanti (Commits
        | project Table, Ordered = coalesce(Watermark, todatetime(Detail.startedAt))
        | distinct Table, Ordered) on Table, Ordered
    | project Table, Ordered;
let Open = Known
    | join kind=leftouter Newest on Table
    | where (State == %s and RunId == Base) or (State != %s and Previous == Base)
    | project Table, State, RunId, Previous, At, Kind, Watermark, Rows, Bytes, Detail, Since, Depth, FullAt, FetchedRows, FetchedBytes;
union (
Names
| join kind=leftouter Open on Table
| join kind=leftouter Ordered on Table
| project Now = now(), Table, State, RunId, Previous, At, Kind, Watermark, Rows, Bytes, Detail, Since, Depth, FullAt, FetchedRows, FetchedBytes, Ordered, Tenant, Owner = "", Shape = long(null)
), (
%s
| project Now = now(), Table = "", State = "", RunId = "", Previous = "", At, Kind = "", Tenant = "", Owner, Shape
)`,
		names, kql.RunsTable, names, kql.Literals([]string{kql.CommittedState, kql.PublishingState, kql.AbandonedState}),
		kql.Literal(kql.CommittedState), kql.Literal(string(tvmexport.FullRun)), kql.Literal(string(tvmexport.FullRun)),
		kql.RunsTable, kql.Literal(kql.CommittedState), kql.ConfigurationTable, kql.Literal(kql.CommittedState), kql.Literal(kql.CommittedState), NumbersText)
}

func readEntry(r *conn.Reader) entry {
	e := entry{
		Now: r.Time("Now"), At: r.Time("At"), Table: r.Text("Table"), State: r.Text("State"),
		Run: tvmexport.RunID(r.Text("RunId")), Previous: tvmexport.RunID(r.Text("Previous")),
		Kind: tvmexport.RunKind(r.Text("Kind")), Watermark: r.Time("Watermark"),
		Rows: r.Long("Rows"), Bytes: r.Long("Bytes"), Detail: r.Document("Detail"),
		since: r.Time("Since"), depth: r.Long("Depth"), ordered: r.Time("Ordered"),
		full: r.Time("FullAt"), fetched: tvmexport.Volume{Rows: r.Long("FetchedRows"), Bytes: r.Long("FetchedBytes")},
		tenant: r.Text("Tenant"),
	}
	if e.Now.IsZero() {
		r.Fail("Now", errors.New("the service's clock is null"))
	}
	if e.State == "" { // a table without runs
		return e
	}
	r.Count("Rows")
	r.Count("Bytes")
	if e.Run == "" {
		r.Fail("RunId", errors.New("a run has no id"))
	}
	if e.At.After(e.Now.Add(clockError)) {
		r.Fail("At", fmt.Errorf("run %s is of %s, and the clock of the cluster says %s", e.Run, e.At.Format(time.RFC3339), e.Now.Format(time.RFC3339)))
	}
	return e
}

// clockError is how far apart the clocks of a cluster's nodes may be.
const clockError = time.Hour

// history makes one table's history of the entries of all.
func history(t tvmexport.Table, entries []entry) (tvmexport.History, error) {
	var h tvmexport.History
	givenUp := map[tvmexport.RunID]bool{}
	var open *entry
	for i := range entries {
		e := &entries[i]
		if e.Table != t.Name {
			continue
		}
		h.Now, h.Tenant = e.Now, e.tenant
		switch e.State {
		case kql.CommittedState:
			d, err := readCommit(e.Detail)
			if err != nil {
				return h, fmt.Errorf("the commit of run %s: %w", e.Run, err)
			}
			h.Last = &tvmexport.Committed{RunHeader: d.RunHeader, At: e.At, StateAt: d.StateAt, Watermark: e.Watermark, Rows: e.Rows, Bytes: e.Bytes}
			h.Last.ID, h.Last.Previous, h.Last.Kind = e.Run, e.Previous, e.Kind
			h.Last.Columns, h.Last.Shown = d.Columns, d.Shown
			h.Last.Unread, h.Last.Unlike = d.Unread, d.Unlike
			h.Last.Destination, h.Last.Losses, h.Last.Effect = d.Destination, d.Losses, d.Effect.effect()
			h.Last.Gap = d.Gap
			h.Since, h.Depth, h.Ordered = e.since, int(e.depth), e.ordered
			h.FullAt, h.Fetched = e.full, e.fetched
		case kql.AbandonedState:
			givenUp[e.Run] = true
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.Table != t.Name || e.State != kql.PublishingState || givenUp[e.Run] {
			continue
		}
		if open == nil || e.At.Before(open.At) || e.At.Equal(open.At) && e.Run < open.Run {
			open = e
		}
	}
	if open == nil {
		return h, nil
	}
	p, err := readPublication(open.Detail)
	if err != nil {
		return h, fmt.Errorf("the publication of run %s: %w", open.Run, err)
	}
	p.Run.Table = t
	h.Publishing = &p
	return h, nil
}

// readPublication reads the detail of a publishing row.
func readPublication(detail []byte) (tvmexport.Publication, error) {
	var p tvmexport.Publication
	if err := json.Unmarshal(detail, &p); err != nil {
		return p, fmt.Errorf("a Detail of %d bytes in %s is not one of tvmexport", len(detail), kql.RunsTable)
	}
	if p.Run.ID == "" {
		return p, fmt.Errorf("a Detail of %d bytes in %s names no run", len(detail), kql.RunsTable)
	}
	return p, nil
}

// readPartitions fills in what readers see of each partition, and the
// partitions of publications.
func (c *Ledger) readPartitions(ctx context.Context, of map[string]tvmexport.History) error {
	var tables []string
	var open []tvmexport.RunID
	for name, h := range of {
		if h.Last != nil {
			tables = append(tables, name)
		}
		if h.Publishing != nil {
			open = append(open, h.Publishing.Run.ID)
		}
	}
	if len(tables)+len(open) == 0 {
		return nil
	}
	slices.Sort(tables)
	slices.Sort(open)
	read := make(map[string]tvmexport.History, len(of))
	err := c.conn.Each(ctx, conn.Statement{Op: "read ledger", Text: partitionsText(tables, open)},
		func() { maps.Copy(read, of) },
		func(r *conn.Reader) {
			table, run := r.Text("Table"), tvmexport.RunID(r.Text("Open"))
			record := readPartition(r)
			h := read[table]
			switch {
			case run == "":
				h.Partitions = append(h.Partitions, record)
			case h.Publishing != nil && h.Publishing.Run.ID == run:
				p := *h.Publishing
				p.Partitions = append(p.Partitions, record)
				h.Publishing = &p
			}
			read[table] = h
		})
	if err == nil {
		maps.Copy(of, read)
	}
	return err
}

// partitionsText asks for the newest record of each partition of a Snapshot
// since its last full run, for the records of the last run of other tables,
// and, marked by Open, for those of publications. Each comes once, should it
// have been written twice.
func partitionsText(tables []string, open []tvmexport.RunID) string {
	names := kql.Among(tables)
	return fmt.Sprintf(`let Commits = %s
    | where Table in (%s) and State == %s
    | project Table, RunId, At, Kind, LoadType;
let Bounds = Commits
    | summarize FullAt = maxif(At, Kind == %s), LastAt = max(At) by Table;
let Visible = Commits
    | join kind=inner Bounds on Table
    | where At == LastAt or (LoadType == %s and (isnull(FullAt) or At >= FullAt))
    | project Table, RunId, At;
union (
%s
| join kind=inner Visible on Table, RunId
| summarize arg_max(At, Rows, Fingerprint) by Table, Partition, WindowFrom, WindowTo, WindowNull
| project Table, Open = "", Partition, WindowFrom, WindowTo, WindowNull, Rows, Fingerprint
), (
%s
| where RunId in (%s)
| project Table, Open = RunId, Partition, WindowFrom, WindowTo, WindowNull, Rows, Fingerprint
| distinct Table, Open, Partition, WindowFrom, WindowTo, WindowNull, Rows, Fingerprint
)
| order by Table asc, Open asc, WindowFrom asc, Partition asc`,
		kql.RunsTable, names, kql.Literal(kql.CommittedState), kql.Literal(string(tvmexport.FullRun)), kql.Literal(string(tvmexport.Snapshot)),
		kql.PartitionsTable, kql.PartitionsTable, kql.Among(open))
}
