package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

// lineKey identifies a row that landed, however often it was delivered.
type lineKey struct {
	batch  tvmexport.BatchID
	number int64
}

// lines are the rows of batches, each once.
func (d *Destination) lines(table string, of []tvmexport.BatchID) []Line {
	wanted := map[tvmexport.BatchID]bool{}
	for _, id := range of {
		wanted[id] = true
	}
	var out []Line
	seen := map[lineKey]bool{}
	for _, l := range d.landing[table] {
		key := lineKey{l.Batch, l.Number}
		if l.Number > 0 && wanted[l.Batch] && !seen[key] {
			seen[key] = true
			out = append(out, l)
		}
	}
	return out
}

// rowsLanded counts the rows of each batch of a table, each once.
func (d *Destination) rowsLanded(table string) map[tvmexport.BatchID]int64 {
	rows := map[tvmexport.BatchID]int64{}
	seen := map[lineKey]bool{}
	for _, l := range d.landing[table] {
		if key := (lineKey{l.Batch, l.Number}); l.Number > 0 && !seen[key] {
			seen[key] = true
			rows[l.Batch]++
		}
	}
	return rows
}

// visible are the rows that readers of a table see.
func (d *Destination) visible(table string) []Published {
	counts := map[tvmexport.RunID]bool{}
	holder := map[tvmexport.Partition]tvmexport.RunID{}
	snapshot := false
	var newest tvmexport.RunID
	for _, c := range d.commits[table] {
		snapshot = c.Run.Table.LoadType == tvmexport.Snapshot
		if c.Run.Kind == tvmexport.FullRun {
			clear(counts)
			clear(holder)
		}
		for _, r := range c.Partitions {
			holder[r.Partition] = c.Run.ID
		}
		counts[c.Run.ID] = true
		newest = c.Run.ID
	}
	var out []Published
	for _, r := range d.published[table] {
		null := strings.HasPrefix(string(r.Partition), tvmexport.NullWatermark)
		if counts[r.Run] && (!null || r.Run == newest) && (!snapshot || holder[r.Partition] == r.Run) {
			out = append(out, r)
		}
	}
	return out
}

// contents counts equal records among what readers see and what the run has published.
func (d *Destination) contents(table string, run tvmexport.Run) map[string]int {
	have := map[string]int{}
	for _, r := range d.visible(table) {
		have[r.Row]++
	}
	for _, r := range d.published[table] {
		if r.Run == run.ID {
			have[r.Row]++
		}
	}
	return have
}

// CountMissing implements tvmexport.Destination.
func (d *Destination) CountMissing(_ context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	have := d.contents(run.Table.Name, run)
	out := map[tvmexport.BatchID]int64{}
	for _, b := range late {
		for _, l := range d.lines(run.Table.Name, []tvmexport.BatchID{b.ID}) {
			if have[string(l.Row)] > 0 {
				have[string(l.Row)]--
				continue
			}
			out[b.ID]++
		}
	}
	return out, nil
}

// keys returns the keys of a record for partitions and windows: its member
// DeviceId, and its member T, or Timestamp if it has no T.
func keys(row string) (device string, at time.Time, err error) {
	var record struct {
		DeviceId     string
		T, Timestamp time.Time
	}
	if err := json.Unmarshal([]byte(row), &record); err != nil {
		return "", at, fmt.Errorf("record %s: %w", row, err)
	}
	if record.T.IsZero() {
		record.T = record.Timestamp
	}
	return record.DeviceId, record.T, nil
}

// HourlyCounts implements tvmexport.Destination.
func (d *Destination) HourlyCounts(_ context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := map[time.Time]int64{}
	for _, r := range once(d.visible(t.Name)) {
		_, at, err := keys(r.Row)
		if err != nil {
			return nil, err
		}
		if Within(w, Row{Time: at}) {
			rows[at.UTC().Truncate(time.Hour)]++
		}
	}
	var out []tvmexport.Count
	for start, n := range rows {
		out = append(out, tvmexport.Count{Start: start, Rows: n})
	}
	return out, nil
}

// State implements tvmexport.Destination.
func (d *Destination) State(ctx context.Context, q tvmexport.CountQuery) ([]tvmexport.Count, error) {
	var s Source
	var rows []Row
	d.mu.Lock()
	for _, r := range d.visible(q.Table.Name) {
		device, at, err := keys(r.Row)
		if err != nil {
			d.mu.Unlock()
			return nil, err
		}
		rows = append(rows, Row{Key: device, Time: at, JSON: r.Row})
	}
	d.mu.Unlock()
	s.Set(q.Table.Name, rows)
	counts, err := s.Count(ctx, q)
	return counts.Parts, err
}

// OrphanedBatches implements tvmexport.Destination.
func (d *Destination) OrphanedBatches(_ context.Context, tables []tvmexport.Table, of map[string]tvmexport.History, since time.Time) (map[string][]tvmexport.OrphanedBatch, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string][]tvmexport.OrphanedBatch{}
	for _, t := range tables {
		var previous tvmexport.RunID
		if last := of[t.Name].Last; last != nil {
			previous = last.ID
		}
		seen := map[tvmexport.BatchID]bool{}
		rows := d.rowsLanded(t.Name)
		for _, tail := range d.landing[t.Name] {
			if tail.Number != 0 || seen[tail.Batch] || tail.at.Before(since) || rows[tail.Batch] != *tail.Rows {
				continue
			}
			seen[tail.Batch] = true
			var m tvmexport.Manifest
			if err := json.Unmarshal(tail.Slice, &m); err != nil {
				return nil, err
			}
			if m.Header.ID == "" || len(m.Partitions) == 0 || m.Header.Previous != previous || d.pending[t.Name].Run.ID == m.Header.ID {
				continue
			}
			m.Slice.Table = t
			out[t.Name] = append(out[t.Name], tvmexport.OrphanedBatch{Header: m.Header, Batch: tvmexport.BatchInfo{
				ID: tail.Batch, Slice: m.Slice, Rows: *tail.Rows, Bytes: m.Bytes, Counts: m.Counts, Fingerprints: tvmexport.NewFingerprints(m.Fingerprints...), Unread: m.Unread,
			}})
		}
	}
	return out, nil
}

// Damage deletes n rows that readers of a table see, all of one partition.
func (d *Destination) Damage(table string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.visible(table)[0]
	d.published[table] = slices.DeleteFunc(d.published[table], func(r Published) bool {
		if r.Partition != at.Partition || r.Run != at.Run || n == 0 {
			return false
		}
		n--
		return true
	})
}
