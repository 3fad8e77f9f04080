package lake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/nearest"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/parquet"
)

// Question is what rows of a table are asked for. The zero times are the newest state.
type Question struct {
	Table    string
	AsOf     time.Time
	From, To time.Time         // with From: the rows that were added and removed after From, up to To
	Where    map[string]string // by column: the value as text
}

// Row is a row of an answer. It is valid until the next one.
type Row struct {
	Change string // added or removed; "" if the question is about a state
	JSON   []byte // the record
	text   func(i int) string
}

// Text is the value of a column as text; "" for null.
func (r Row) Text(i int) string { return r.text(i) }

// Show reads rows of a table, with its columns. It reads file by file.
func (c *Client) Show(ctx context.Context, q Question) ([]tvmexport.Column, iter.Seq2[Row, error], error) {
	if err := checkName("show", q.Table); err != nil {
		return nil, nil, err
	}
	last, err := c.at(ctx, q.Table, later(q.AsOf, q.To))
	if err != nil {
		return nil, nil, err
	}
	all, err := last.Columns()
	if err != nil {
		return nil, nil, err
	}
	columns := slices.DeleteFunc(all, func(k tvmexport.Column) bool { return k.Type == "" || slices.Contains(lineage, k) })
	for name := range q.Where {
		if !slices.ContainsFunc(columns, func(k tvmexport.Column) bool { return k.Name == name }) {
			return nil, nil, noColumn(q.Table, name, columns)
		}
	}
	s := &shown{reader: c.reader, table: q.Table, columns: columns, where: q.Where}
	if q.From.IsZero() {
		return columns, s.state(ctx, last), nil
	}
	first, err := c.at(ctx, q.Table, q.From)
	if err != nil {
		return nil, nil, err
	}
	return columns, s.changes(ctx, first, last), nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func noColumn(table, name string, columns []tvmexport.Column) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	hint := "the columns are " + strings.Join(names, ", ")
	if near := nearest.Of(name, names, len(name)/3+1); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &tvmexport.Error{Op: "show", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: fmt.Errorf("the table has no column %q", name), Hint: hint}
}

// at is the version of a table at a time; the newest one for the zero time.
func (c *Client) at(ctx context.Context, table string, at time.Time) (*delta.Snapshot, error) {
	t := c.folder.table(table)
	var s *delta.Snapshot
	var err error
	if at.IsZero() {
		s, err = t.Snapshot(ctx)
	} else {
		s, err = t.AsOf(ctx, at)
	}
	if err == nil && !s.Exists() {
		err = &tvmexport.Error{
			Op: "show", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage,
			Err: fmt.Errorf("%s has no table of this name", c.folder.store.Location("")), Hint: "tvmexport status lists the tables",
		}
	}
	return s, err
}

// shown reads the rows of an answer.
type shown struct {
	*reader
	table   string
	columns []tvmexport.Column
	where   map[string]string
}

// state yields the rows of a version.
func (s *shown) state(ctx context.Context, v *delta.Snapshot) iter.Seq2[Row, error] {
	return s.rowsOf(ctx, v, slices.Collect(v.Files()), "")
}

// rowsOf yields the rows of files.
func (s *shown) rowsOf(ctx context.Context, v *delta.Snapshot, files []delta.Add, change string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		have, err := v.Columns()
		if err != nil {
			yield(Row{}, err)
			return
		}
		l, _ := layoutOf(slices.DeleteFunc(have, func(c tvmexport.Column) bool { return c.Type == "" }), s.columns)
		d := newDecoder(l, s.columns)
		for _, a := range files {
			for row, err := range s.rows(ctx, s.table, a, l.columns) {
				if err == nil && !s.holds(d, row) {
					continue
				}
				out := Row{Change: change, text: func(i int) string { return d.text(i, row) }}
				if err == nil {
					out.JSON, err = d.record(row)
				}
				if !yield(out, err) || err != nil {
					return
				}
			}
		}
	}
}

func (s *shown) holds(d *decoder, row []parquet.Value) bool {
	for i, c := range s.columns {
		if want, ok := s.where[c.Name]; ok && d.text(i, row) != want {
			return false
		}
	}
	return true
}

// text is a value as text; "" for null.
func (d *decoder) text(i int, row []parquet.Value) string {
	if d.at[i] < 0 || row[d.at[i]].IsNull() {
		return ""
	}
	v := row[d.at[i]]
	switch kind := d.source[i].Type; kind {
	case "bool", "int", "long", "real", "datetime":
		return strings.Trim(string(appendValue(nil, kind, v)), `"`)
	}
	return string(v.Text())
}

// changes yields the rows that are in one of two versions only. Files that both have are
// not read.
func (s *shown) changes(ctx context.Context, first, last *delta.Snapshot) iter.Seq2[Row, error] {
	only := func(of, not *delta.Snapshot) (out []delta.Add) {
		for a := range of.Files() {
			if _, both := not.File(a.Path); !both {
				out = append(out, a)
			}
		}
		return out
	}
	removed, added := s.rowsOf(ctx, first, only(first, last), "removed"), s.rowsOf(ctx, last, only(last, first), "added")
	return func(yield func(Row, error) bool) {
		more := map[[sha256.Size]byte]int{} // how many more equal rows the first version has
		for row, err := range removed {
			if err != nil {
				yield(Row{}, err)
				return
			}
			more[sha256.Sum256(row.JSON)]++
		}
		for row, err := range added {
			if err != nil {
				yield(Row{}, err)
				return
			}
			more[sha256.Sum256(row.JSON)]--
		}
		maps.DeleteFunc(more, func(_ [sha256.Size]byte, n int) bool { return n == 0 })
		for _, side := range []struct {
			rows iter.Seq2[Row, error]
			step int
		}{{removed, -1}, {added, 1}} {
			for row, err := range side.rows {
				if err != nil {
					yield(Row{}, err)
					return
				}
				sum := sha256.Sum256(row.JSON)
				if more[sum]*side.step >= 0 {
					continue
				}
				more[sum] += side.step
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// IsGone says that what a question needs is not there any more.
func IsGone(err error) bool { return errors.Is(err, delta.ErrGone) }
