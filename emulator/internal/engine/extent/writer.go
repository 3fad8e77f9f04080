package extent

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

const (
	rowsPerBlock  = 4096
	bytesPerBlock = 4 << 20 // of values, where rows are large
	columnSize    = 1 << 25 // bytes that no column of a block reaches

	// MaxRows is the most rows that a Writer puts into one extent.
	MaxRows = 1 << 20
)

// Writer makes extents of rows. It is for one goroutine.
type Writer struct {
	store   *Store
	columns []Column
	meta    Extent // what all extents have in common
	at      value.Value
	encode  []encoder
	rows    int // in the open block
	bytes   int
	data    []byte // of a block
	open    *segment
	done    []*Extent
}

// NewWriter makes a writer of extents with these columns and tags whose rows
// were ingested at that time and that count as created at created. With a zero
// time the rows have no time of ingestion.
func NewWriter(s *Store, columns []Column, tags []string, at, created time.Time) *Writer {
	ingested := value.Null(value.DateTime)
	if !at.IsZero() {
		ingested = value.NewDateTime(at)
	}
	w := &Writer{
		store: s, columns: columns, at: ingested,
		meta: Extent{Tags: tags, MinCreatedOn: created, MaxCreatedOn: created},
	}
	w.encode = make([]encoder, len(columns))
	for i, c := range columns {
		w.encode[i].kind = c.Kind
	}
	return w
}

// Append adds one row: a value of each column's kind, in the order of the
// columns. The row is not kept.
func (w *Writer) Append(row []value.Value) error {
	if len(row) < len(w.columns) {
		return fmt.Errorf("a row of %d values for %d columns", len(row), len(w.columns))
	}
	for i := range w.encode {
		if k := row[i].Kind(); k != w.columns[i].Kind {
			return fmt.Errorf("column %q: a value of type %v where %v is stored", w.columns[i].Name, k, w.columns[i].Kind)
		}
		w.bytes += w.encode[i].add(row[i])
	}
	w.rows++
	if w.rows == rowsPerBlock || w.bytes >= bytesPerBlock {
		if err := w.seal(); err != nil {
			return err
		}
		if w.open.rows >= MaxRows {
			w.finish()
		}
	}
	return nil
}

// Extents ends the writing; there are none if there were no rows.
func (w *Writer) Extents() ([]*Extent, error) {
	if w.rows > 0 {
		if err := w.seal(); err != nil {
			return nil, err
		}
	}
	if w.open != nil {
		w.finish()
	}
	return w.done, nil
}

// seal stores the open block.
func (w *Writer) seal() error {
	b := &block{rows: w.rows, columns: make([]span, len(w.encode)), zones: make([]zone, len(w.encode))}
	data := w.data[:0]
	for i := range w.encode {
		start := len(data)
		data = w.encode[i].flush(data)
		b.columns[i] = span{start, len(data) - start}
		b.zones[i] = w.encode[i].zone
		w.encode[i].reset()
	}
	w.data = data
	if err := w.store.keep(b, data); err != nil {
		return err
	}
	if w.open == nil {
		w.open = &segment{ingestedOn: w.at, kinds: make([]value.Kind, len(w.columns))}
		for i, c := range w.columns {
			w.open.kinds[i] = c.Kind
		}
	}
	w.open.blocks = append(w.open.blocks, b)
	w.open.rows += int64(w.rows)
	w.open.original += int64(w.bytes)
	w.open.stored += int64(len(data))
	w.rows, w.bytes = 0, 0
	return nil
}

// finish makes an extent of the open segment.
func (w *Writer) finish() {
	x := w.meta
	x.ID = uuid.New()
	ids := make([]uint64, len(w.columns))
	for i, c := range w.columns {
		ids[i] = c.ID
	}
	x.parts = []part{{segment: w.open, columns: ids}}
	w.done = append(w.done, &x)
	w.open = nil
}
