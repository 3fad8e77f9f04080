package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	lib "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// WriteNested writes a file of rows that are structs, with the tags of the
// library, such as a checkpoint of Delta. It does not close the io.Writer.
func WriteNested[T any](w io.Writer, rows iter.Seq[T]) (n int64, err error) {
	err = guard(func() error {
		f := lib.NewGenericWriter[T](w, &lib.WriterConfig{
			CreatedBy: "tvmexport", Compression: &zstd.Codec{Level: zstd.SpeedDefault}, PageBufferSize: pageBytes, DataPageVersion: 1,
		})
		var one [1]T
		for one[0] = range rows {
			if _, err := f.Write(one[:]); err != nil {
				return err
			}
			n++
		}
		return f.Close()
	})
	return n, err
}

// Nested reads a file with groups, lists and maps, which any writer may have made.
type Nested struct {
	file   *lib.File
	leaves map[string]nestedLeaf // by path
}

// nestedLeaf is a column of a file.
type nestedLeaf struct {
	column  int
	element int // definition level from which a value, or a null, is an element of the list or map
	most    int // definition level of a value
}

// OpenNested returns a reader of a file.
func OpenNested(r io.ReaderAt, size int64) (*Nested, error) {
	file, err := open(r, size)
	if err != nil {
		return nil, err
	}
	n := &Nested{file: file, leaves: map[string]nestedLeaf{}}
	err = guard(func() error {
		n.describe(n.file.Root(), nil, 0, -1)
		return nil
	})
	return n, err
}

// describe finds the leaves below a column. Writers name the repeated groups of
// lists and maps, and the elements of lists, differently: their names are left out.
func (n *Nested) describe(c *lib.Column, path []string, level, element int) {
	list := c.Repeated() && len(c.Columns()) == 1
	for _, below := range c.Columns() {
		l, e, p := level, element, append(path[:len(path):len(path)], below.Name())
		if list || below.Repeated() {
			p = path
		}
		if below.Repeated() || below.Optional() {
			l++
		}
		if below.Repeated() {
			e = l
		}
		if below.Leaf() {
			n.leaves[strings.Join(p, ".")] = nestedLeaf{column: below.Index(), element: e, most: l}
			continue
		}
		n.describe(below, p, l, e)
	}
}

// NumRows is the number of rows.
func (n *Nested) NumRows() int64 { return n.file.NumRows() }

// Rows returns the rows, with the values of each leaf: none for null, one, or
// those of a list. A leaf is named by its path with dots, without the names inside
// lists and the repeated groups of maps: "add.tags.key". A leaf that the file does not have has no
// values. A row is valid until the next one.
func (n *Nested) Rows(ctx context.Context, leaves []string) iter.Seq2[[][]Value, error] {
	return func(yield func([][]Value, error) bool) {
		for _, g := range n.file.RowGroups() {
			more, err := n.group(ctx, g, leaves, yield)
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

func (n *Nested) group(ctx context.Context, g lib.RowGroup, leaves []string, yield func([][]Value, error) bool) (more bool, err error) {
	cursors := make([]*nestedCursor, len(leaves))
	defer func() {
		for _, c := range cursors {
			if c != nil {
				c.close()
			}
		}
	}()
	err = guard(func() error {
		chunks := g.ColumnChunks()
		for i, name := range leaves {
			if l, ok := n.leaves[name]; ok && l.column < len(chunks) {
				cursors[i] = &nestedCursor{cursor: cursor{pages: chunks[l.column].Pages(), name: name}, leaf: l}
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	row := make([][]Value, len(leaves))
	for number := range g.NumRows() {
		if number%1024 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		for i, c := range cursors {
			if c == nil {
				continue
			}
			if row[i], err = c.row(row[i][:0]); err != nil {
				return false, fmt.Errorf("column %s, row %d of the row group: %w", c.name, number+1, err)
			}
		}
		if !yield(row, nil) {
			return false, nil
		}
	}
	return true, nil
}

// nestedCursor reads the values of one leaf, row by row.
type nestedCursor struct {
	cursor
	leaf  nestedLeaf
	ended bool
}

// row appends the values of the next row. Texts are copied: the page of a value
// may end within the row.
func (c *nestedCursor) row(values []Value) ([]Value, error) {
	for first := true; ; first = false {
		if c.from == c.to && !c.ended {
			err := guard(c.fill)
			if errors.Is(err, io.ErrUnexpectedEOF) && !first {
				c.ended = true
				return values, nil
			}
			if err != nil {
				return nil, err
			}
		}
		if c.ended {
			return nil, io.ErrUnexpectedEOF
		}
		v := c.buffer[c.from]
		if !first && v.RepetitionLevel() == 0 {
			return values, nil
		}
		c.from++
		switch level := v.DefinitionLevel(); {
		case level == c.leaf.most && !v.IsNull():
			values = append(values, scalar(v))
		case c.leaf.element >= 0 && level >= c.leaf.element:
			values = append(values, Value{})
		}
	}
}

// scalar is a value of any column.
func scalar(v lib.Value) Value {
	switch v.Kind() {
	case lib.Boolean:
		return Bool(v.Boolean())
	case lib.Int32:
		return Int(int64(v.Int32()))
	case lib.Int64:
		return Int(v.Int64())
	case lib.Double:
		return Real(v.Double())
	case lib.ByteArray:
		return Text(append([]byte(nil), v.ByteArray()...))
	}
	return Value{}
}
