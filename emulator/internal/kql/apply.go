package kql

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// inputSource gives the rows that the run holds for it: those that a subquery
// runs over, once for each of its runs.
type inputSource struct{ need []bool }

// rowsFunc passes rows on; a row is valid until the next one.
type rowsFunc func(yield func(row []value.Value) error) error

func (s *inputSource) require(need []bool) { s.need = need }

func (s *inputSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	return x.inputs[s](yield)
}

// subquery is operators that run over rows of another pipeline, any number of
// times.
type subquery struct {
	in *inputSource
	p  *pipeline
}

// subquery binds the body of mv-apply and similar operators over columns. Operators
// that bind their source again, to learn its columns or to name it, are refused.
func (b *binder) subquery(columns []value.Column, serialized bool, body []syntax.Operator, s *scope) (*subquery, error) {
	q := &subquery{in: &inputSource{}}
	p := newPipeline(q.in, columns)
	p.serialized = serialized
	for _, o := range body {
		switch o.(type) {
		case *syntax.As, *syntax.Evaluate, *syntax.Invoke:
			return nil, unsupported(o.Pos(), "The %s operator is not supported here in a subquery.", operatorName(o))
		}
		if err := b.spend(o.Pos()); err != nil {
			return nil, err
		}
		var err error
		if p, err = b.tabularOperator(p, o, nil, s); err != nil {
			return nil, err
		}
	}
	q.p = p
	return q, nil
}

// run runs the subquery over rows.
func (q *subquery) run(x *execution, rows rowsFunc, sink func(f *frame) error) error {
	x.inputs[q.in] = rows
	return q.p.run(x, sink)
}

// applyStep runs a subquery over what each row expands to. A row that expands
// to nothing gives nothing.
type applyStep struct {
	expand *expandStep
	sub    *subquery
	from   []ref // where the frame has the columns of the subquery's input
	out    []ref // of the subquery, for the slots that its columns go to
	slots  []int
	wanted []int // places in slots that are read
}

// mvApply binds mv-apply (https://learn.microsoft.com/kusto/query/mv-apply-operator).
// The columns are those of the input that no expansion has replaced, and those
// of the subquery, which replace the former.
func (b *binder) mvApply(p *pipeline, n *syntax.MvApply, c site) error {
	fields := slices.Clone(p.fields)
	if err := b.mvExpand(p, &n.MvExpand, c); err != nil {
		return err
	}
	expand := p.steps[len(p.steps)-1].(*expandStep)
	p.steps = p.steps[:len(p.steps)-1]
	step := &applyStep{expand: expand, from: p.refs()}
	sub, err := b.subquery(p.columns(), true, n.Body, c.scope)
	if err != nil {
		return err
	}
	step.sub, step.out = sub, sub.p.refs()
	kept := slices.DeleteFunc(fields, func(f field) bool { return !slices.Contains(step.from, f.ref) })
	for _, f := range sub.p.fields {
		slot := p.lay.slot(f.kind)
		step.slots = append(step.slots, slot)
		kept = put(kept, field{name: f.name, kind: f.kind, ref: slotRef(slot)})
	}
	p.fields = kept
	p.steps = append(p.steps, step)
	return nil
}

// put replaces the field of the same name, or adds f.
func put(fields []field, f field) []field {
	if i := slices.IndexFunc(fields, func(g field) bool { return g.name == f.name }); i >= 0 {
		fields[i] = f
		return fields
	}
	return append(fields, f)
}

func (s *applyStep) prune(u *used) {
	var refs []ref
	for i, slot := range s.slots {
		if u.ext[slot] {
			s.wanted = append(s.wanted, i)
			refs = append(refs, s.out[i])
		}
	}
	s.sub.p.finish(refs)
	for i, r := range s.from {
		if s.sub.in.need[i] {
			u.mark(r)
		}
	}
	s.expand.prune(u)
}

func (s *applyStep) open(f *frame, next func() error) func() error {
	row := make([]value.Value, len(s.from))
	var yield func(row []value.Value) error
	elements := s.expand.open(f, func() error {
		for i, r := range s.from {
			if s.sub.in.need[i] {
				row[i] = f.at(r)
			}
		}
		return yield(row)
	})
	rows := func(y func(row []value.Value) error) error {
		yield = y
		return elements()
	}
	return func() error {
		if s.expand.empty(f) || f.err != nil {
			return f.err
		}
		return s.sub.run(f.x, rows, func(g *frame) error {
			for _, i := range s.wanted {
				f.ext[s.slots[i]] = g.at(s.out[i])
			}
			return next()
		})
	}
}

// maxPartitions is the limit of the legacy strategy.
const maxPartitions = 64

// partitionSource runs a subquery over the rows of each value of a column.
type partitionSource struct {
	sorted // the key in front of each row
	sub    *subquery
	out    []ref
	need   []bool
	legacy bool
}

// partition binds partition (https://learn.microsoft.com/kusto/query/partition-operator).
func (b *binder) partition(p *pipeline, n *syntax.Partition, c site) (*pipeline, error) {
	key, err := b.scalar(n.By, c)
	switch {
	case err != nil:
		return nil, err
	case !key.column:
		return nil, semantic(n.By.Pos(), "'partition' operator: the key must be a column")
	case key.kind == value.Dynamic:
		return nil, semantic(n.By.Pos(), "'partition' operator: key can't be of dynamic type")
	}
	sub, err := b.subquery(p.columns(), p.serialized, n.Body, c.scope)
	if err != nil {
		return nil, err
	}
	s := &partitionSource{sorted: sorted{&rowKeeper{in: p, refs: p.refs()}, []sortKey{{e: key}}}, sub: sub, out: sub.p.refs(), legacy: n.Legacy}
	return newPipeline(s, sub.p.columns()), nil
}

func (s *partitionSource) require(need []bool) {
	s.need = need
	var refs []ref
	for i, n := range need {
		if n {
			refs = append(refs, s.out[i])
		}
	}
	s.sub.p.finish(refs)
	s.sorted.require(s.sub.in.need)
}

func (s *partitionSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	store := rowStore{width: 1 + len(s.refs)}
	if err := s.in.run(x, func(f *frame) error { return s.fill(store.add(), f) }); err != nil {
		return err
	}
	parts := partitions(store.rows, 0)
	if s.legacy && len(parts) > maxPartitions {
		return &Error{Kind: Runtime, Message: fmt.Sprintf("'partition' operator: %d partitions are more than %d; use hint.strategy=native", len(parts), maxPartitions)}
	}
	row := make([]value.Value, len(s.out))
	for _, part := range parts {
		err := s.sub.run(x, part.rows(x, 1), func(f *frame) error {
			for i, r := range s.out {
				if s.need[i] {
					row[i] = f.at(r)
				}
			}
			return yield(row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// partRows is the rows of one key.
type partRows struct{ list [][]value.Value }

// partitions divides rows by the value at a place, in the order of their first
// appearance.
func partitions(rows [][]value.Value, at int) []*partRows {
	var parts []*partRows
	byKey := map[string]*partRows{}
	var key []byte
	for _, row := range rows {
		key = row[at].AppendKey(key[:0])
		part, ok := byKey[string(key)]
		if !ok {
			part = &partRows{}
			byKey[string(key)] = part
			parts = append(parts, part)
		}
		part.list = append(part.list, row)
	}
	return parts
}

// rows passes on what is behind the first values of each row.
func (p *partRows) rows(x *execution, behind int) rowsFunc {
	return func(yield func(row []value.Value) error) error {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		for _, row := range p.list {
			if err := yield(row[behind:]); err != nil {
				return err
			}
		}
		return nil
	}
}
