package parquet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	lib "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/tvmexport/tvmexport"
)

const (
	// RowGroupBytes is the size of a row group before compression.
	RowGroupBytes = 64 << 20

	pending         = 256 // rows that are given to the library at a time
	pageBytes       = 256 << 10
	dictionaryBytes = 1 << 20 // of a column; beyond it, values are stored as they are
	columnsKey      = "tvmexport.columns"
)

// Codec compresses the pages of files. An encoder has a buffer of several megabytes, which files that
// share a codec use in turn. A codec is safe for concurrent use.
type Codec struct{ rows zstd.Codec }

// NewCodec returns a codec for files that are written together.
func NewCodec() *Codec { return &Codec{rows: zstd.Codec{Level: zstd.SpeedFastest}} }

// Writer writes rows to a file. It is not safe for concurrent use.
type Writer struct {
	columns []tvmexport.Column
	layouts []layout
	out     *counted
	file    *lib.GenericWriter[any]
	leaves  []*lib.ColumnWriter
	buffers [][]lib.Value // by column
	text    []byte        // of the texts in buffers
	group   int64         // bytes in the row group
	rows    int64
	failed  error
}

// NewWriter returns a writer of a file with these columns. Their names differ in
// more than case.
func NewWriter(w io.Writer, columns []tvmexport.Column, codec *Codec) (*Writer, error) {
	if len(columns) == 0 {
		return nil, errors.New("a file has at least one column")
	}
	o := &Writer{columns: slices.Clone(columns), out: &counted{to: w, sum: sha256.New()}}
	for _, c := range columns {
		l, ok := layouts[c.Type]
		if !ok {
			return nil, fmt.Errorf("the column %s has the type %q, which is no column type", c.Name, c.Type)
		}
		o.layouts = append(o.layouts, l)
	}
	kinds, err := json.Marshal(columns)
	if err != nil {
		return nil, err
	}
	config := &lib.WriterConfig{
		CreatedBy: "tvmexport", Compression: &codec.rows, PageBufferSize: pageBytes,
		DataPageVersion: 1, DictionaryMaxBytes: dictionaryBytes,
		KeyValueMetadata: map[string]string{columnsKey: string(kinds)},
	}
	for _, c := range columns {
		if c.Type == "dynamic" {
			config.SkipPageBounds = append(config.SkipPageBounds, []string{c.Name})
		}
	}
	err = guard(func() error {
		o.file = lib.NewGenericWriter[any](o.out, schema(columns), config)
		o.leaves = o.file.ColumnWriters()
		return nil
	})
	o.buffers = make([][]lib.Value, len(columns))
	return o, err
}

// Append adds a row: one value for each column. The texts are copied. After an
// error, the file is of no use.
func (w *Writer) Append(row []Value) error {
	if w.failed != nil {
		return w.failed
	}
	if len(row) != len(w.columns) {
		w.failed = fmt.Errorf("row %d has %d values for %d columns", w.rows+1, len(row), len(w.columns))
		return w.failed
	}
	for i, v := range row {
		l := w.layouts[i]
		if l == textLayout && v.set {
			at := len(w.text)
			w.text = append(w.text, v.text...)
			v.text = w.text[at:len(w.text):len(w.text)]
			w.group += int64(len(v.text))
		}
		w.group += 8
		w.buffers[i] = append(w.buffers[i], v.stored(l, i))
	}
	w.rows++
	if len(w.buffers[0]) >= pending || len(w.text) >= pageBytes {
		w.failed = guard(w.pass)
	}
	return w.failed
}

// pass gives the pending rows to the library.
func (w *Writer) pass() error {
	for i, leaf := range w.leaves {
		if _, err := leaf.WriteRowValues(w.buffers[i]); err != nil {
			return err
		}
		clear(w.buffers[i])
		w.buffers[i] = w.buffers[i][:0]
	}
	w.text = w.text[:0]
	if w.group >= RowGroupBytes {
		w.group = 0
		return w.file.Flush()
	}
	return nil
}

// Rows is the number of rows so far.
func (w *Writer) Rows() int64 { return w.rows }

// Bytes is the size of the file so far, without the row group that is being
// written.
func (w *Writer) Bytes() int64 { return w.out.n }

// Close writes the footer. It does not close the io.Writer.
func (w *Writer) Close() (Summary, error) {
	if w.failed != nil {
		return Summary{}, w.failed
	}
	w.failed = errors.New("the file is closed")
	err := guard(func() error {
		if err := w.pass(); err != nil {
			return err
		}
		return w.file.Close()
	})
	if err != nil {
		w.failed = err
		return Summary{}, err
	}
	s := Summary{Rows: w.rows, Bytes: w.out.n, SHA256: hex.EncodeToString(w.out.sum.Sum(nil))}
	s.Stats, err = statistics(w.columns, w.rows, w.file.File().Metadata())
	return s, err
}

// counted counts and hashes what is written.
type counted struct {
	to  io.Writer
	sum hash.Hash
	n   int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	c.sum.Write(p[:n])
	return n, err
}

// guard calls f and returns a panic of the library as an error.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the Parquet library failed: %v", r)
		}
	}()
	return f()
}
