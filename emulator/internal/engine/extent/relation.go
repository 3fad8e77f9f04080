package extent

import (
	"context"
	"iter"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Relation is a list of extents as a table that queries read.
type Relation struct {
	Schema  []Column
	Extents []*Extent
	// Ordinals adds a last visible column, OrdinalColumn, that numbers the
	// rows of all extents together, deleted ones included.
	Ordinals bool
}

// OrdinalColumn is the name of the column that Relation.Ordinals adds.
const OrdinalColumn = "$RowOrdinal"

var hidden = []value.Column{
	{Name: kql.HiddenIngestionTime, Kind: value.DateTime},
	{Name: kql.HiddenExtentID, Kind: value.GUID},
	{Name: kql.HiddenExtentTags, Kind: value.Dynamic},
}

// Columns are the visible columns.
func (r *Relation) Columns() []value.Column {
	columns := make([]value.Column, 0, len(r.Schema)+1)
	for _, c := range r.Schema {
		columns = append(columns, value.Column{Name: c.Name, Kind: c.Kind})
	}
	if r.Ordinals {
		columns = append(columns, value.Column{Name: OrdinalColumn, Kind: value.Long})
	}
	return columns
}

// Hidden are the columns behind ingestion_time() and similar functions.
func (r *Relation) Hidden() []value.Column { return hidden }

// Scan yields the rows, extent by extent.
func (r *Relation) Scan(ctx context.Context, q kql.Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		s := newScan(r, q)
		for _, x := range r.Extents {
			more, err := s.extent(ctx, x, yield)
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

// scan is the state of one run over a relation.
type scan struct {
	columns  []Column
	need     []bool
	where    []kql.Condition
	ordinals bool
	row      []value.Value
	decoded  [][]value.Value
	buf      []byte // of a file
	plain    []byte // decompressed
	ordinal  int64
}

func newScan(r *Relation, q kql.Request) *scan {
	columns := r.Columns()
	s := &scan{columns: r.Schema, where: slices.Clone(q.Where), ordinals: r.Ordinals, need: make([]bool, len(r.Schema))}
	for i := range s.need {
		s.need[i] = q.Need == nil || i < len(q.Need) && q.Need[i]
	}
	for i, c := range s.where {
		if c.Prefixes != nil {
			s.where[i].Prefixes = kql.NewPrefixes(c.Prefixes)
		}
	}
	s.decoded = make([][]value.Value, len(r.Schema))
	s.row = make([]value.Value, 0, len(columns)+len(hidden))
	for _, c := range append(columns, hidden...) {
		s.row = append(s.row, value.Null(c.Kind))
	}
	return s
}

func (s *scan) extent(ctx context.Context, x *Extent, yield func([]value.Value, error) bool) (bool, error) {
	id, err := value.NewGUID(x.ID.String())
	if err != nil {
		return false, err
	}
	tags := make([]value.Value, len(x.Tags))
	for i, t := range x.Tags {
		tags[i] = value.NewString(t)
	}
	n := len(s.row)
	s.row[n-2], s.row[n-1] = id, value.NewArray(tags)
	for _, p := range x.parts {
		s.row[n-3] = p.ingestedOn
		places := p.places(s.columns)
		for b, blk := range p.blocks {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if s.skips(blk, p, places) {
				s.ordinal += int64(blk.rows)
				continue
			}
			var deleted []uint64
			if p.deleted != nil {
				deleted = p.deleted[b]
			}
			more, err := s.block(blk, deleted, p, places, yield)
			if !more || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// places says for each column of the table where the part has it, or -1.
func (p *part) places(columns []Column) []int {
	places := make([]int, len(columns))
	for i, c := range columns {
		places[i] = -1
		for j, id := range p.columns {
			if id == c.ID && p.kinds[j] == c.Kind {
				places[i] = j
			}
		}
	}
	return places
}

// skips says that no row of the block can meet all conditions.
func (s *scan) skips(b *block, p part, places []int) bool {
	for _, c := range s.where {
		if c.Column < 0 || c.Column >= len(places) || places[c.Column] < 0 {
			continue
		}
		at := places[c.Column]
		if b.zones[at].excludes(p.kinds[at], c) {
			return true
		}
	}
	return false
}

func (s *scan) block(b *block, deleted []uint64, p part, places []int, yield func([]value.Value, error) bool) (bool, error) {
	for i, at := range places {
		if !s.need[i] || at < 0 {
			s.decoded[i] = nil
			s.row[i] = value.Null(s.columns[i].Kind)
			continue
		}
		if cap(s.decoded[i]) < b.rows {
			s.decoded[i] = make([]value.Value, b.rows)
		}
		s.decoded[i] = s.decoded[i][:b.rows]
		data, buf, err := b.read(at, s.buf)
		s.buf = buf
		if err != nil {
			return false, err
		}
		if s.plain, err = decode(p.kinds[at], data, s.plain, s.decoded[i]); err != nil {
			return false, err
		}
	}
	for r := range b.rows {
		s.ordinal++
		if deleted != nil && deleted[r/64]&(1<<(r%64)) != 0 {
			continue
		}
		for i, column := range s.decoded {
			if column != nil {
				s.row[i] = column[r]
			}
		}
		if s.ordinals {
			s.row[len(s.columns)] = value.NewLong(s.ordinal - 1)
		}
		if !yield(s.row, nil) {
			return false, nil
		}
	}
	return true, nil
}
