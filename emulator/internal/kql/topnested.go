package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// nestedSource chooses values level by level
// (https://learn.microsoft.com/kusto/query/top-nested-operator).
type nestedSource struct {
	sorted // the values of the levels in front of each row
	levels []nestedLevel
}

// nestedLevel is a level; its subquery gives the aggregate of rows.
type nestedLevel struct {
	n, others *expr // nil where they are left out
	measure   *subquery
	out       ref
	asc       bool
}

func (b *binder) topNested(p *pipeline, n *syntax.TopNested, c site) (*pipeline, error) {
	s := &nestedSource{sorted: sorted{rowKeeper: &rowKeeper{in: p, refs: p.refs()}}}
	names := newNamer()
	var columns []value.Column
	for _, level := range n.Levels {
		l := nestedLevel{asc: level.Asc}
		of, err := b.scalar(level.Of.X, c)
		if err != nil {
			return nil, err
		}
		if of.kind == value.Dynamic {
			return nil, semantic(level.Of.Pos(), "'top-nested' operator: a level can't be of dynamic type")
		}
		if level.N != nil {
			if l.n, err = b.count(level.N, c.scope, c.op); err != nil {
				return nil, err
			}
		}
		if level.Others != nil {
			if l.others, err = b.nestedOthers(n, level, of, c); err != nil {
				return nil, err
			}
		}
		if l.measure, err = b.nestedMeasure(p, level, c); err != nil {
			return nil, err
		}
		measure := l.measure.p.fields[0]
		l.out = measure.ref
		s.keys = append(s.keys, sortKey{e: of})
		s.levels = append(s.levels, l)
		name := nameOf(level.Of.X, c)
		if len(level.Of.Names) > 0 {
			name = level.Of.Names[0]
		}
		if name == "" {
			return nil, unsupported(level.Of.Pos(), "'top-nested' operator: an expression without a name is not supported here.")
		}
		name = names.unique(name)
		aggregated := "aggregated_" + name
		if len(level.By.Names) > 0 {
			aggregated = level.By.Names[0]
		}
		columns = append(columns, value.Column{Name: name, Kind: of.kind}, value.Column{Name: names.unique(aggregated), Kind: measure.kind})
	}
	out := newPipeline(s, columns)
	out.serialized = true
	return out, nil
}

func (b *binder) nestedMeasure(p *pipeline, level syntax.NestedLevel, c site) (*subquery, error) {
	item := syntax.Item{Place: level.By.Place, Names: []string{"$measure"}, X: level.By.X}
	sub, err := b.subquery(p.columns(), p.serialized, []syntax.Operator{&syntax.Summarize{Place: level.By.Place, Aggregates: []syntax.Item{item}}}, c.scope)
	if err != nil {
		return nil, err
	}
	if len(sub.p.fields) != 1 {
		return nil, semantic(level.By.Pos(), "'top-nested' operator: the aggregation has several values")
	}
	return sub, nil
}

func (b *binder) nestedOthers(n *syntax.TopNested, level syntax.NestedLevel, of *expr, c site) (*expr, error) {
	if len(n.Levels) > 1 {
		return nil, unsupported(level.Pos(), "'top-nested' operator: others of more than one level are not supported here.")
	}
	e, err := b.independent(level.Others, c.scope, c.op)
	if err == nil && e.kind != of.kind {
		err = semantic(level.Others.Pos(), "'top-nested' operator: others must be of type %v", of.kind)
	}
	return e, err
}

func (s *nestedSource) require([]bool) {
	need := make([]bool, len(s.refs))
	for _, l := range s.levels {
		l.measure.p.finish([]ref{l.out})
		for i, n := range l.measure.in.need {
			need[i] = need[i] || n
		}
	}
	s.sorted.require(need)
}

func (s *nestedSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	store := rowStore{width: len(s.keys) + len(s.refs)}
	if err := s.in.run(x, func(f *frame) error { return s.fill(store.add(), f) }); err != nil {
		return err
	}
	return s.level(x, store.rows, make([]value.Value, 0, 2*len(s.levels)), yield)
}

// level chooses among rows, which have the values in row in common.
func (s *nestedSource) level(x *execution, rows [][]value.Value, row []value.Value, yield func(row []value.Value) error) error {
	at := len(row) / 2
	if at == len(s.levels) {
		return yield(row)
	}
	l := s.levels[at]
	type choice struct {
		part    *partRows
		measure value.Value
	}
	var choices []choice
	for _, part := range partitions(rows, at) {
		measure, err := s.measure(x, l, part)
		if err != nil {
			return err
		}
		choices = append(choices, choice{part, measure})
	}
	direction := []sortKey{{desc: !l.asc, nullsFirst: false}}
	slices.SortStableFunc(choices, func(a, b choice) int {
		return order(direction, []value.Value{a.measure}, []value.Value{b.measure})
	})
	f := (&layout{}).frame(x)
	n := int64(len(choices))
	if l.n != nil {
		var err error
		if n, err = number(f, l.n); err != nil {
			return err
		}
		n = min(n, int64(len(choices)))
	}
	for _, c := range choices[:n] {
		if err := s.level(x, c.part.list, append(row, c.part.list[0][at], c.measure), yield); err != nil {
			return err
		}
	}
	if l.others == nil || n == int64(len(choices)) {
		return nil
	}
	rest := &partRows{}
	for _, c := range choices[n:] {
		rest.list = append(rest.list, c.part.list...)
	}
	measure, err := s.measure(x, l, rest)
	if err != nil {
		return err
	}
	return yield(append(row, l.others.eval(f), measure))
}

func (s *nestedSource) measure(x *execution, l nestedLevel, part *partRows) (measure value.Value, err error) {
	err = l.measure.run(x, part.rows(x, len(s.keys)), func(f *frame) error {
		measure = f.at(l.out)
		return nil
	})
	return measure, err
}
