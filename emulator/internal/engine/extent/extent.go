package extent

import (
	"math/bits"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Column is a column of a table. The ID stays with the column's data: a column
// that was dropped and made again under its old name has another ID and does
// not see the old data.
type Column struct {
	ID   uint64
	Name string
	Kind value.Kind
}

// Extent is an immutable piece of a table. The functions that change
// something return another Extent.
type Extent struct {
	ID           uuid.UUID
	Tags         []string // in the order they were added; never changed
	MinCreatedOn time.Time
	MaxCreatedOn time.Time
	parts        []part
}

// part is a segment as an extent sees it.
type part struct {
	*segment
	columns []uint64   // IDs, in the order of the segment's columns
	deleted [][]uint64 // per block a bitmap of deleted rows; nil: none
}

// segment is rows that arrived together.
type segment struct {
	ingestedOn value.Value
	kinds      []value.Kind
	blocks     []*block
	rows       int64
	original   int64 // bytes before encoding
	stored     int64 // bytes as stored
}

// RowCount is the number of rows, deleted ones included.
func (x *Extent) RowCount() int64 {
	var n int64
	for _, p := range x.parts {
		n += p.rows
	}
	return n
}

// Since is the extent with only the rows that were ingested at a time or later, or whose
// time is not known. The result is for reading.
func (x *Extent) Since(at time.Time) *Extent {
	from := value.NewDateTime(at)
	y := *x
	y.parts = nil
	for _, p := range x.parts {
		if p.ingestedOn.IsNull() || p.ingestedOn.Ticks() >= from.Ticks() {
			y.parts = append(y.parts, p)
		}
	}
	return &y
}

// DeletedRowCount is the number of deleted rows.
func (x *Extent) DeletedRowCount() int64 {
	var n int
	for _, p := range x.parts {
		for _, bitmap := range p.deleted {
			for _, word := range bitmap {
				n += bits.OnesCount64(word)
			}
		}
	}
	return int64(n)
}

// OriginalSize is the size of the rows' values in bytes, as text.
func (x *Extent) OriginalSize() int64 {
	var n int64
	for _, p := range x.parts {
		n += p.original
	}
	return n
}

// CompressedSize is the size of the stored blocks in bytes.
func (x *Extent) CompressedSize() int64 {
	var n int64
	for _, p := range x.parts {
		n += p.stored
	}
	return n
}

// Blocks is the number of blocks.
func (x *Extent) Blocks() int {
	n := 0
	for _, p := range x.parts {
		n += len(p.blocks)
	}
	return n
}

// Segments is the number of segments.
func (x *Extent) Segments() int { return len(x.parts) }

// HasTag says whether one of the tags is exactly tag.
func (x *Extent) HasTag(tag string) bool { return slices.Contains(x.Tags, tag) }

// WithTags is the same extent with other tags.
func (x *Extent) WithTags(tags []string) *Extent {
	y := *x
	y.Tags = slices.Clone(tags)
	return &y
}

// Moved is the extent as it is in another table: under a new ID, and with the
// columns of from that to names as well. With a time that is not zero its rows
// count as ingested then.
func (x *Extent) Moved(id uuid.UUID, from, to []Column, ingestedOn time.Time) *Extent {
	ids := make(map[uint64]uint64, len(from))
	for _, f := range from {
		if i := slices.IndexFunc(to, func(t Column) bool { return t.Name == f.Name }); i >= 0 {
			ids[f.ID] = to[i].ID
		}
	}
	y := *x
	y.ID = id
	y.parts = slices.Clone(x.parts)
	for i := range y.parts {
		p := &y.parts[i]
		columns := make([]uint64, len(p.columns))
		for c, old := range p.columns {
			columns[c] = ids[old] // 0, which is no column, where the target has none
		}
		p.columns = columns
		if !ingestedOn.IsZero() {
			s := *p.segment
			s.ingestedOn = value.NewDateTime(ingestedOn)
			p.segment = &s
		}
	}
	if !ingestedOn.IsZero() {
		y.MinCreatedOn, y.MaxCreatedOn = ingestedOn, ingestedOn
	}
	return &y
}

// Merge joins extents of one table: all segments, the union of the tags.
func Merge(id uuid.UUID, extents []*Extent) *Extent {
	m := &Extent{ID: id}
	for _, x := range extents {
		m.parts = append(m.parts, x.parts...)
		for _, tag := range x.Tags {
			if !m.HasTag(tag) {
				m.Tags = append(m.Tags, tag)
			}
		}
		if m.MinCreatedOn.IsZero() || x.MinCreatedOn.Before(m.MinCreatedOn) {
			m.MinCreatedOn = x.MinCreatedOn
		}
		if x.MaxCreatedOn.After(m.MaxCreatedOn) {
			m.MaxCreatedOn = x.MaxCreatedOn
		}
	}
	return m
}

// Delete is the extent without the rows whose ordinals are in rows, sorted
// and counted from the extent's first row, deleted ones included.
func (x *Extent) Delete(rows []int64) *Extent {
	y := *x
	y.parts = slices.Clone(x.parts)
	var first int64
	for i := range y.parts {
		p := &y.parts[i]
		marked := make([][]uint64, len(p.blocks))
		copy(marked, p.deleted)
		for b, blk := range p.blocks {
			n := int64(blk.rows)
			var bitmap []uint64
			for len(rows) > 0 && rows[0] < first+n {
				if bitmap == nil {
					bitmap = make([]uint64, (blk.rows+63)/64)
					copy(bitmap, marked[b])
				}
				at := rows[0] - first
				bitmap[at/64] |= 1 << (at % 64)
				rows = rows[1:]
			}
			if bitmap != nil {
				marked[b] = bitmap
			}
			first += n
		}
		p.deleted = marked
	}
	return &y
}
