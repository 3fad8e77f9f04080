package lake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/parquet"
	"github.com/tvmexport/tvmexport/lake/store"
)

// reader reads the rows that readers see.
type reader struct{ *folder }

// rows are the rows of a file.
func (r *reader) rows(ctx context.Context, table string, a delta.Add, columns []tvmexport.Column) iter.Seq2[[]parquet.Value, error] {
	return func(yield func([]parquet.Value, error) bool) {
		name := r.table(table).File(a.Path)
		broken := func(err error) error {
			if errors.Is(err, store.ErrNotFound) {
				err = fmt.Errorf("%w: a file that holds its rows was removed: %w", delta.ErrGone, err)
			}
			return r.fail("read", name, table, err)
		}
		info, err := r.store.Stat(ctx, name)
		if err == nil && info.Size != a.Size {
			err = fmt.Errorf("the file has %d bytes, and the log says %d", info.Size, a.Size)
		}
		var f *parquet.Reader
		if err == nil {
			f, err = parquet.NewReader(store.NewReaderAt(ctx, r.store, info), info.Size, columns)
		}
		if err != nil {
			yield(nil, broken(err))
			return
		}
		for row, err := range f.Rows(ctx, nil) {
			if err != nil {
				yield(nil, broken(err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// records are the rows of a version of a table, as records with these columns of the source.
func (r *reader) records(ctx context.Context, table string, s *delta.Snapshot, source []tvmexport.Column) (*decoder, iter.Seq2[[]parquet.Value, error], error) {
	have, err := s.Columns()
	if err != nil {
		return nil, nil, r.fail("read", table, table, err)
	}
	have = slices.DeleteFunc(slices.Clone(have), func(c tvmexport.Column) bool { return c.Type == "" })
	l, _ := layoutOf(have, source)
	d := newDecoder(l, source)
	return d, func(yield func([]parquet.Value, error) bool) {
		for a := range s.Files() {
			for row, err := range r.rows(ctx, table, a, l.columns) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}, nil
}

// state implements tvmexport.StateCounter.
func (r *reader) state(ctx context.Context, q tvmexport.CountQuery) ([]tvmexport.Count, error) {
	t := q.Table
	if err := checkName("count published rows", t.Name); err != nil {
		return nil, err
	}
	if err := countable(q); err != nil {
		return nil, err
	}
	s, err := r.snapshot(ctx, t.Name)
	if err != nil || !s.Exists() {
		return nil, err
	}
	columns := tvmexport.NameableColumns(t.Columns)
	d, rows, err := r.records(ctx, t.Name, s, columns)
	if err != nil {
		return nil, err
	}
	hasher := fingerprint.NewHasher(t.FingerprintColumns(), "")
	key := keyOf(t)
	var out []tvmexport.Count
	type part struct {
		partition tvmexport.Partition
		start     time.Time
	}
	at := map[part]int{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		when, _ := d.moment(t.Watermark, row)
		if t.Watermark != "" && t.Watermark != tvmexport.IngestionTime && !within(q.Window, when) && !(q.Nulls && when.IsZero()) {
			continue
		}
		record, err := d.record(row)
		if err != nil {
			return nil, r.fail("count published rows", t.Name, t.Name, err)
		}
		p := part{partition: q.Within}
		if q.Bin > 0 {
			p.start = floor(when, q.Bin)
		} else {
			k, err := key(record)
			if err != nil {
				return nil, r.fail("count published rows", t.Name, t.Name, err)
			}
			if !asked(q, k) {
				continue
			}
			p.partition = tvmexport.Of(k, q.Within.Depth()+q.Depth)
		}
		i, ok := at[p]
		if !ok {
			i = len(out)
			at[p] = i
			out = append(out, tvmexport.Count{Partition: p.partition, Start: p.start, Fingerprint: tvmexport.EmptyFingerprint})
		}
		out[i].Rows++
		if q.Fingerprints {
			digest, err := hasher.Row(record)
			if err != nil {
				return nil, r.fail("count published rows", t.Name, t.Name, err)
			}
			out[i].Fingerprint = out[i].Fingerprint.Add(digest.Fingerprint())
		}
	}
	if !q.Fingerprints {
		for i := range out {
			out[i].Fingerprint = tvmexport.Fingerprint{}
		}
	}
	return out, nil
}

// floor is the beginning of the step that holds a time; the zero time for no time.
func floor(at time.Time, step time.Duration) time.Time {
	if at.IsZero() {
		return at
	}
	return at.UTC().Truncate(step)
}

// within says whether a window holds a time. Rows without a time are in the zero window only.
func within(w tvmexport.Window, at time.Time) bool {
	if w == (tvmexport.Window{}) {
		return true
	}
	if w.Null || at.IsZero() {
		return w.Null && at.IsZero()
	}
	return (w.From.IsZero() || at.After(w.From)) && (w.To.IsZero() || !at.After(w.To))
}

// countable is an error if the parts of a query cannot be determined in published rows.
func countable(q tvmexport.CountQuery) error {
	_, hashed := q.Within.RowHash()
	for _, p := range q.Only {
		_, too := p.RowHash()
		hashed = hashed || too
	}
	why := ""
	switch {
	case hashed:
		why = "published rows are not counted by the hash of rows"
	case q.Bin > 0 && (q.Within != tvmexport.AllPartitions || len(q.Only) > 0):
		why = "published rows are counted by the watermark or by partition, not by both"
	default:
		return nil
	}
	return &tvmexport.Error{Op: "count published rows", Table: q.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: errors.New(why)}
}

// asked says whether a query is about rows with a key.
func asked(q tvmexport.CountQuery, key string) bool {
	return q.Within.Contains(key) &&
		(len(q.Only) == 0 || slices.ContainsFunc(q.Only, func(p tvmexport.Partition) bool { return p.Contains(key) }))
}

// hourlyCounts implements tvmexport.LateRowCounter.
func (r *reader) hourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	if err := checkName("count published rows", t.Name); err != nil {
		return nil, err
	}
	s, err := r.snapshot(ctx, t.Name)
	if err != nil || !s.Exists() {
		return nil, err
	}
	d, rows, err := r.records(ctx, t.Name, s, []tvmexport.Column{{Name: t.Watermark, Type: "datetime"}})
	if err != nil {
		return nil, err
	}
	hours := map[time.Time]int64{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		if at, ok := d.moment(t.Watermark, row); ok && within(w, at) {
			hours[floor(at, time.Hour)]++
		}
	}
	var out []tvmexport.Count
	for start, n := range hours {
		out = append(out, tvmexport.Count{Start: start, Rows: n})
	}
	slices.SortFunc(out, func(a, b tvmexport.Count) int { return a.Start.Compare(b.Start) })
	return out, nil
}

// hidden says whether published rows do not show the key of the partitions.
func hidden(t tvmexport.Table) bool { return t.KeyVisibility() != "" || t.Key.IsRow() }

// joined is the text of a key that is made of several columns.
func joined(parts []string) string { return strings.Join(parts, fingerprint.Separator) }
