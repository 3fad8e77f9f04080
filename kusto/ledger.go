package kusto

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// entry is a row of the ledger as History reads it.
type entry struct {
	now, at       time.Time
	table, state  string
	run, previous tvmexport.RunID
	kind          tvmexport.RunKind
	watermark     time.Time
	rows, bytes   int64
	detail        []byte
}

// History implements tvmexport.Destination: one query for the runs of all
// tables, one for their partitions.
func (c *Client) History(ctx context.Context, tables []tvmexport.Table) (map[string]tvmexport.History, error) {
	out, err := c.runs(ctx, tables)
	if err != nil {
		return nil, err
	}
	return out, c.readPartitions(ctx, out)
}

// runs is History without partitions.
func (c *Client) runs(ctx context.Context, tables []tvmexport.Table) (map[string]tvmexport.History, error) {
	out := make(map[string]tvmexport.History, len(tables))
	if len(tables) == 0 {
		return out, nil
	}
	s := statement{op: "read ledger", text: historyText(tables)}
	rows, err := c.query(ctx, s)
	if err != nil {
		return nil, err
	}
	entries, err := readRows(s, rows, readEntry)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		h, err := history(t, entries)
		if err != nil {
			return nil, refused(s.op, t.Name, err, "look at the rows of "+runsTable)
		}
		out[t.Name] = h
	}
	return out, nil
}

// historyText asks for the newest commit of each table and for the
// publications upon it, begun and given up. A table without any comes with an
// empty state, so that the service's clock is known for it.
func historyText(tables []tvmexport.Table) string {
	names := literals(namesOf(tables))
	return fmt.Sprintf(`let Names = datatable (Table:string) [%s];
let Known = %s
    | where Table in (%s) and State in (%s);
let Newest = Known
    | where State == %s
    | summarize arg_max(At, RunId) by Table
    | project Table, Base = RunId;
let Open = Known
    | join kind=leftouter Newest on Table
    | where (State == %s and RunId == Base) or (State != %s and Previous == Base)
    | project Table, State, RunId, Previous, At, Kind, Watermark, Rows, Bytes, Detail;
Names
| join kind=leftouter Open on Table
| project Now = now(), Table, State, RunId, Previous, At, Kind, Watermark, Rows, Bytes, Detail`,
		names, runsTable, names, literals([]string{committed, publishing, abandoned}),
		literal(committed), literal(committed), literal(committed))
}

func namesOf(tables []tvmexport.Table) []string {
	out := make([]string, len(tables))
	for i, t := range tables {
		out[i] = t.Name
	}
	return out
}

func readEntry(r *reader) entry {
	return entry{
		now: r.time("Now"), at: r.time("At"), table: r.text("Table"), state: r.text("State"),
		run: tvmexport.RunID(r.text("RunId")), previous: tvmexport.RunID(r.text("Previous")),
		kind: tvmexport.RunKind(r.text("Kind")), watermark: r.time("Watermark"),
		rows: r.long("Rows"), bytes: r.long("Bytes"), detail: r.document("Detail"),
	}
}

// history makes one table's history of the entries of all.
func history(t tvmexport.Table, entries []entry) (tvmexport.History, error) {
	var h tvmexport.History
	givenUp := map[tvmexport.RunID]bool{}
	var open *entry
	for i := range entries {
		e := &entries[i]
		if e.table != t.Name {
			continue
		}
		h.Now = e.now
		switch e.state {
		case committed:
			h.Last = &tvmexport.Committed{
				ID: e.run, Previous: e.previous, Kind: e.kind, At: e.at,
				Watermark: e.watermark, Rows: e.rows, Bytes: e.bytes,
			}
		case abandoned:
			givenUp[e.run] = true
		}
	}
	for i := range entries {
		e := &entries[i]
		if e.table != t.Name || e.state != publishing || givenUp[e.run] {
			continue
		}
		if open == nil || e.at.Before(open.at) || e.at.Equal(open.at) && e.run < open.run {
			open = e
		}
	}
	if open == nil {
		return h, nil
	}
	p, err := readPublication(open.detail)
	if err != nil {
		return h, fmt.Errorf("the publication of run %s: %w", open.run, err)
	}
	p.Run.Table = t
	h.Publishing = &p
	return h, nil
}

// readPublication reads the detail of a publishing row.
func readPublication(detail []byte) (tvmexport.Publication, error) {
	var p tvmexport.Publication
	if err := json.Unmarshal(detail, &p); err != nil {
		return p, fmt.Errorf("read detail %.100q: %w", detail, err)
	}
	if p.Run.ID == "" {
		return p, fmt.Errorf("the detail %.100q names no run", detail)
	}
	return p, nil
}

// readPartitions fills in the partitions of the last runs and of publications.
func (c *Client) readPartitions(ctx context.Context, of map[string]tvmexport.History) error {
	var runs []tvmexport.RunID
	for _, h := range of {
		if h.Last != nil {
			runs = append(runs, h.Last.ID)
		}
		if h.Publishing != nil {
			runs = append(runs, h.Publishing.Run.ID)
		}
	}
	if len(runs) == 0 {
		return nil
	}
	slices.Sort(runs)
	s := statement{op: "read ledger", text: partitionsText(runs)}
	rows, err := c.query(ctx, s)
	if err != nil {
		return err
	}
	type line struct {
		run    tvmexport.RunID
		record tvmexport.PartitionRecord
	}
	lines, err := readRows(s, rows, func(r *reader) line {
		return line{tvmexport.RunID(r.text("RunId")), tvmexport.PartitionRecord{
			Partition: tvmexport.Partition(r.text("Partition")),
			Window:    tvmexport.Window{From: r.time("WindowFrom"), To: r.time("WindowTo"), Null: r.flag("WindowNull")},
			Rows:      r.long("Rows"),
		}}
	})
	if err != nil {
		return err
	}
	byRun := map[tvmexport.RunID][]tvmexport.PartitionRecord{}
	for _, l := range lines {
		byRun[l.run] = append(byRun[l.run], l.record)
	}
	for name, h := range of {
		if h.Last != nil {
			h.Partitions = byRun[h.Last.ID]
		}
		if h.Publishing != nil {
			h.Publishing.Partitions = byRun[h.Publishing.Run.ID]
		}
		of[name] = h
	}
	return nil
}

// partitionsText reads each record once, should one have been written twice.
func partitionsText(runs []tvmexport.RunID) string {
	return fmt.Sprintf(`%s
| where RunId in (%s)
| distinct RunId, Partition, WindowFrom, WindowTo, WindowNull, Rows
| order by RunId asc, WindowFrom asc, Partition asc`, partitionsTable, literals(runs))
}
