package lake

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
)

// history implements tvmexport.Ledger.
func (l *ledger) history(ctx context.Context, tables []tvmexport.Table, c *configuration) (map[string]tvmexport.History, error) {
	out := make(map[string]tvmexport.History, len(tables))
	a, err := l.understood(ctx, "read ledger", "")
	if err != nil || len(tables) == 0 {
		return out, err
	}
	now, err := l.now(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := c.rows(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := checkName("read ledger", t.Name); err != nil {
			return nil, err
		}
		h, err := l.of(ctx, t)
		if err != nil {
			return nil, err
		}
		h.Now, h.Tenant, h.Lineage = now, a.Tenant, true
		if last := h.Last; last != nil {
			h.Ordered = orderedSince(rows, t.Name, last.StartedAt)
		}
		out[t.Name] = h
	}
	return out, nil
}

// of is the history of a table by its own files.
func (l *ledger) of(ctx context.Context, t tvmexport.Table) (h tvmexport.History, err error) {
	top, err := l.head(ctx, t.Name)
	if err != nil {
		return h, err
	}
	if r := top.last; r != nil {
		h.Last = committedOf(r)
		sum := r.after()
		h.FullAt, h.Depth, h.Fetched = sum.FullAt, sum.Depth, sum.Fetched
		if !sum.Open {
			h.Since = sum.Since
		}
		if h.Partitions, err = l.partitions(ctx, t, r, sum); err != nil {
			return h, err
		}
		if h.Losses, err = l.losses(ctx, t.Name, top.snapshot); err != nil {
			return h, err
		}
		if t.LoadType == tvmexport.Snapshot {
			for _, p := range h.Partitions {
				h.TableRows += p.Rows
			}
		} else {
			for a := range top.snapshot.Files() {
				h.TableRows += rowsIn(a)
			}
		}
	}
	open, _, err := l.run(ctx, t.Name, top.ordinal+1)
	if err != nil || open == nil || open.State == abandoned {
		return h, err
	}
	p := open.Publication
	p.Partitions, p.Effect, p.Run.Table = open.Partitions, open.Effect, t
	h.Publishing = &p
	return h, nil
}

func committedOf(r *runFile) *tvmexport.Committed {
	run, c := r.Publication.Run, r.Commit
	return &tvmexport.Committed{
		RunHeader: r.Header, At: c.At, StateAt: run.StateAt, Watermark: run.Watermark, Rows: c.Rows, Bytes: c.Bytes,
		Effect: &c.Effect, Columns: r.Columns, Shown: r.Shown, Unread: c.Unread, Unlike: c.Unlike,
		Destination: r.Destination, Losses: c.Losses, Gap: c.Gap,
	}
}

// partitions are what readers see of each partition: of a Snapshot the newest records since
// the last full run, of other tables those of the last run.
func (l *ledger) partitions(ctx context.Context, t tvmexport.Table, last *runFile, sum before) ([]tvmexport.PartitionRecord, error) {
	if t.LoadType != tvmexport.Snapshot || last.Header.Kind == tvmexport.FullRun {
		return last.Partitions, nil
	}
	type part struct {
		partition tvmexport.Partition
		window    tvmexport.Window
	}
	seen := map[part]bool{}
	var out []tvmexport.PartitionRecord
	for r := last; ; {
		for _, p := range r.Partitions {
			if at := (part{p.Partition, p.Window}); !seen[at] {
				seen[at] = true
				out = append(out, p)
			}
		}
		if r.Ordinal <= max(sum.Full, 1) {
			return out, nil
		}
		ordinal := r.Ordinal - 1
		var err error
		if r, _, err = l.run(ctx, t.Name, ordinal); err != nil {
			return nil, err
		}
		if r == nil {
			return nil, l.lost(t.Name, ordinal)
		}
	}
}

// losses are the files of a table that are gone, or have another size.
func (l *ledger) losses(ctx context.Context, table string, s *delta.Snapshot) (out tvmexport.Losses, err error) {
	sizes := make(map[string]int64, s.Len())
	prefix := table + "/"
	for i, err := range l.store.List(ctx, prefix+dataFolder+"/", "") {
		if err != nil {
			return out, err
		}
		sizes[strings.TrimPrefix(i.Name, prefix)] = i.Size
	}
	short := tvmexport.Short{Table: table, Readers: true}
	for a := range s.Files() {
		size, ok := sizes[a.Path]
		if !ok && !strings.HasPrefix(a.Path, dataFolder+"/") { // of another engine
			i, err := l.store.Stat(ctx, prefix+a.Path)
			size, ok = i.Size, err == nil
		}
		n := rowsIn(a)
		short.Recorded += n
		if !ok || size != a.Size {
			short.Gone += max(n, 1)
		}
	}
	if short.Gone > 0 {
		short.Held = max(0, short.Recorded-short.Gone)
		out.Rows, out.Short = short.Gone, []tvmexport.Short{short}
	}
	return out, nil
}

// rowsIn is the number of rows of a file, as the log has it.
func rowsIn(a delta.Add) int64 {
	var s struct {
		Rows int64 `json:"numRecords"`
	}
	_ = json.Unmarshal([]byte(a.Stats), &s) // without statistics the number is not known
	return s.Rows
}
