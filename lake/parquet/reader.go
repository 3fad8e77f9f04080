package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	lib "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tvmexport/tvmexport"
)

// Reader reads a file.
type Reader struct {
	file    *lib.File
	columns []tvmexport.Column
	leaves  []int // of each column in the file; -1: the file does not have it
}

// NewReader returns a reader of the columns of a file. A column that the file does
// not have is null in each row.
func NewReader(r io.ReaderAt, size int64, columns []tvmexport.Column) (*Reader, error) {
	file, err := open(r, size)
	if err != nil {
		return nil, err
	}
	o := &Reader{file: file, columns: columns}
	if err := guard(o.match); err != nil {
		return nil, err
	}
	return o, nil
}

// match finds the columns in the file.
func (r *Reader) match() error {
	for _, c := range r.columns {
		leaf, ok := r.file.Schema().Lookup(c.Name)
		if !ok {
			r.leaves = append(r.leaves, -1)
			continue
		}
		want, known := layouts[c.Type]
		if !known || !fits(leaf.Node, want) {
			return fmt.Errorf("the column %s of the Parquet file has the type %s, which is not the one of %s", c.Name, leaf.Node, c.Type)
		}
		r.leaves = append(r.leaves, leaf.ColumnIndex)
	}
	return nil
}

// fits says whether a column of a file has a layout.
func fits(n lib.Node, l layout) bool {
	if !n.Leaf() || n.Repeated() {
		return false
	}
	t := n.Type()
	switch l {
	case boolLayout:
		return t.Kind() == lib.Boolean
	case intLayout:
		return t.Kind() == lib.Int32
	case longLayout:
		return t.Kind() == lib.Int64
	case realLayout:
		return t.Kind() == lib.Double
	case timeLayout:
		logical := t.LogicalType()
		if t.Kind() != lib.Int64 || logical == nil {
			return false
		}
		stamp, ok := logical.Value.(*format.TimestampType)
		if !ok {
			return false
		}
		_, ok = stamp.Unit.Value.(*format.MicroSeconds)
		return ok
	default:
		return t.Kind() == lib.ByteArray
	}
}

// NumRows is the number of rows.
func (r *Reader) NumRows() int64 { return r.file.NumRows() }

// Rows returns the rows, with a value for each column. A row, and its texts, are
// valid until the next one. keep decides by their statistics which row groups are
// read; nil reads all.
func (r *Reader) Rows(ctx context.Context, keep func(Group) bool) iter.Seq2[[]Value, error] {
	return func(yield func([]Value, error) bool) {
		for i, g := range r.file.RowGroups() {
			if keep != nil && !keep(Group{reader: r, index: i, Rows: g.NumRows()}) {
				continue
			}
			more, err := r.group(ctx, g, yield)
			if err != nil {
				yield(nil, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// group yields the rows of a row group.
func (r *Reader) group(ctx context.Context, g lib.RowGroup, yield func([]Value, error) bool) (more bool, err error) {
	cursors := make([]*cursor, len(r.columns))
	defer func() {
		for _, c := range cursors {
			if c != nil {
				c.close()
			}
		}
	}()
	err = guard(func() error {
		chunks := g.ColumnChunks()
		for i, leaf := range r.leaves {
			if leaf >= 0 {
				cursors[i] = &cursor{pages: chunks[leaf].Pages(), layout: layouts[r.columns[i].Type], name: r.columns[i].Name}
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	row := make([]Value, len(r.columns))
	for n := range g.NumRows() {
		if n%1024 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		for i, c := range cursors {
			if c == nil {
				continue
			}
			if row[i], err = c.next(); err != nil {
				return false, fmt.Errorf("column %s, row %d of the row group: %w", c.name, n+1, err)
			}
		}
		if !yield(row, nil) {
			return false, nil
		}
	}
	return true, nil
}

// cursor reads the values of one column.
type cursor struct {
	pages  lib.Pages
	page   lib.Page
	values lib.ValueReader
	buffer [128]lib.Value
	from   int
	to     int
	layout layout
	name   string
}

func (c *cursor) next() (Value, error) {
	if c.from == c.to {
		if err := guard(c.fill); err != nil {
			return Value{}, err
		}
	}
	v := c.buffer[c.from]
	c.from++
	return read(v, c.layout), nil
}

// fill reads values, from the next page if this one has none.
func (c *cursor) fill() error {
	for {
		if c.values == nil {
			lib.Release(c.page)
			c.page = nil
			page, err := c.pages.ReadPage()
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			c.page, c.values = page, page.Values()
		}
		n, err := c.values.ReadValues(c.buffer[:])
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil {
			c.values = nil
		}
		if n > 0 {
			c.from, c.to = 0, n
			return nil
		}
	}
}

func (c *cursor) close() {
	_ = guard(func() error { // of a broken file
		lib.Release(c.page)
		return c.pages.Close()
	})
}
