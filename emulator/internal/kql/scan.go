package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// scan reads a relation.
type scan struct {
	relation Relation
	entity   entity // the table's name; the zero entity for what has none
	need     []bool
}

// newScan is a pipeline over a relation.
func newScan(r Relation, name entity) *pipeline {
	visible, hidden := r.Columns(), r.Hidden()
	p := newPipeline(&scan{relation: r, entity: name}, visible)
	for i, c := range hidden {
		p.hidden = append(p.hidden, field{name: c.Name, kind: c.Kind, ref: ref(len(visible) + i)})
	}
	p.width = len(visible) + len(hidden)
	return p
}

func (s *scan) require(need []bool) { s.need = need }

func (s *scan) run(x *execution, where []Condition, yield func(row []value.Value) error) error {
	return s.read(x, Request{Need: s.need, Where: where}, yield)
}

func (s *scan) read(x *execution, q Request, yield func(row []value.Value) error) error {
	// The meter is shared with readers of Stats, who need no exact number
	// while the scan runs.
	const step = 4096
	n := int64(0)
	defer func() { x.scanned.Add(n * q.Reads()) }()
	for row, err := range s.relation.Scan(x.ctx, q) {
		if err != nil {
			return err
		}
		if n++; n == step {
			x.scanned.Add(n * q.Reads())
			n = 0
			if err := x.ctx.Err(); err != nil {
				return err
			}
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return x.ctx.Err()
}

// literalRows are rows of expressions that read no row: print and datatable.
type literalRows struct {
	layout layout
	rows   [][]*expr
	width  int
}

func (*literalRows) require([]bool) {}

func (l *literalRows) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	f := l.layout.frame(x)
	row := make([]value.Value, l.width)
	for _, cells := range l.rows {
		for i, e := range cells {
			row[i] = e.eval(f)
		}
		if f.err != nil {
			return f.err
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}
