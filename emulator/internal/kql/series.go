package kql

import (
	"fmt"
	"math"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// seriesSource makes arrays of the rows that summarize gives for each key and
// step of the axis (https://learn.microsoft.com/kusto/query/make-series-operator).
type seriesSource struct {
	in             *pipeline
	keys           int     // fields of in; the axis and the aggregates follow
	from, to, step *expr   // from and to are nil where they are left out
	defaults       []*expr // of the aggregates
	nonEmpty       bool
	axis           value.Kind
}

// maxSeries bounds the elements of one array.
const maxSeries = 1 << 20

// Names that no text can give, for what is bound before the rows are grouped.
const (
	seriesFrom = "$from"
	seriesStep = "$step"
	seriesAxis = "$axis"
)

func (b *binder) makeSeries(p *pipeline, n *syntax.MakeSeries, c site) (*pipeline, error) {
	s := &seriesSource{keys: len(n.By), nonEmpty: n.NonEmpty}
	axis, err := b.scalar(n.Axis.X, c)
	if err != nil {
		return nil, err
	}
	s.axis = axis.kind
	scope, err := b.seriesBounds(s, n, c.scope)
	if err != nil {
		return nil, err
	}
	b.withinBounds(s, p, axis)
	name := nameOf(n.Axis.X, c)
	if len(n.Axis.Names) > 0 {
		name = n.Axis.Names[0]
	}
	group := &syntax.Summarize{Place: n.Place, By: append(n.By[:len(n.By):len(n.By)], seriesBin(n))}
	for _, item := range n.Aggregates {
		group.Aggregates = append(group.Aggregates, item.Item)
		def := constantExpr(value.NewLong(0))
		if item.Default != nil {
			if def, err = b.independent(item.Default, c.scope, c.op); err != nil {
				return nil, err
			}
		}
		s.defaults = append(s.defaults, def)
	}
	if s.in, err = b.summarize(p, group, site{scope: scope, row: c.row, op: c.op}); err != nil {
		return nil, err
	}
	return s.pipeline(n, name)
}

// seriesBin is the key that puts a row into a step.
func seriesBin(n *syntax.MakeSeries) syntax.Item {
	ident := func(name string) syntax.Argument {
		return syntax.Argument{X: &syntax.Ident{Place: n.Place, Name: name}}
	}
	bin := &syntax.Call{Place: n.Place, Name: "bin", Args: []syntax.Argument{{X: n.Axis.X}, ident(seriesStep)}}
	if n.From != nil {
		bin.Name, bin.Args = "bin_at", append(bin.Args, ident(seriesFrom))
	}
	return syntax.Item{Place: n.Place, Names: []string{seriesAxis}, X: bin}
}

// seriesBounds binds from, to and step, and gives them names.
func (b *binder) seriesBounds(s *seriesSource, n *syntax.MakeSeries, scope *scope) (*scope, error) {
	if n.From == nil && n.To != nil {
		return nil, unsupported(n.Pos(), "'make-series' operator: to without from is not supported here.")
	}
	kind, step := s.axis, value.TimeSpan
	switch {
	case kind.IsInteger():
		kind, step = value.Long, value.Long
	case kind == value.Real:
		step = value.Real
	case kind != value.DateTime && kind != value.TimeSpan:
		return nil, unsupported(n.Axis.Pos(), "'make-series' operator: an axis of type %v is not supported here.", kind)
	}
	for _, o := range []struct {
		to   **expr
		x    syntax.Expr
		kind value.Kind
		name string
	}{{&s.from, n.From, kind, seriesFrom}, {&s.to, n.To, kind, ""}, {&s.step, n.Step, step, seriesStep}} {
		if o.x == nil {
			continue
		}
		e, err := b.independent(o.x, scope, "make-series")
		if err != nil {
			return nil, err
		}
		if e.kind != o.kind && (!e.kind.IsInteger() || !o.kind.IsNumeric()) {
			return nil, semantic(o.x.Pos(), "'make-series' operator: expected an expression of type %v, found %v", o.kind, e.kind)
		}
		l := &layout{}
		if e = converted(l, e, o.kind); e.constant == nil {
			e = l.lateExpr(e)
		}
		*o.to = e
		if o.name != "" {
			scope = scope.with(o.name, &binding{scalar: e})
		}
	}
	s.axis = kind
	return scope, nil
}

// withinBounds keeps the rows that belong to a step.
func (b *binder) withinBounds(s *seriesSource, p *pipeline, axis *expr) {
	e := &expr{kind: value.Bool, reads: axis.reads, volatile: axis.volatile, cost: axis.cost + 5}
	e.eval = func(f *frame) value.Value {
		v := axis.eval(f)
		in := !v.IsNull() && (s.from == nil || value.Compare(v, s.from.eval(f)) >= 0) && (s.to == nil || value.Compare(v, s.to.eval(f)) < 0)
		return value.NewBool(in)
	}
	p.filter(e)
}

// pipeline is over the keys, the arrays and the axis.
func (s *seriesSource) pipeline(n *syntax.MakeSeries, axis string) (*pipeline, error) {
	fields := s.in.fields
	if len(fields) != s.keys+1+len(n.Aggregates) {
		return nil, unsupported(n.Pos(), "'make-series' operator: an aggregate of several columns is not supported here.")
	}
	names := newNamer()
	var columns []value.Column
	for i, f := range fields {
		switch {
		case i == s.keys:
			continue
		case i > s.keys && !f.kind.IsNumeric():
			return nil, unsupported(n.Aggregates[i-s.keys-1].Pos(), "'make-series' operator: an aggregate of type %v is not supported here.", f.kind)
		case i > s.keys:
			f.kind = value.Dynamic
		}
		columns = append(columns, value.Column{Name: names.unique(f.name), Kind: f.kind})
	}
	if !names.declare(axis) || axis == "" {
		return nil, semantic(n.Axis.Pos(), "'make-series' operator: Column '%s' is defined more than once", axis)
	}
	return newPipeline(s, append(columns, value.Column{Name: axis, Kind: value.Dynamic})), nil
}

func (s *seriesSource) require([]bool) { s.in.finish(s.in.refs()) }

// bounds are the bounds of a run as numbers: ticks, whole numbers or reals.
type bounds struct {
	kind           value.Kind
	from, to, step value.Value
}

func (s *seriesSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	f := (&layout{}).frame(x)
	b := bounds{kind: s.axis, step: s.step.eval(f)}
	if s.from != nil {
		b.from = s.from.eval(f)
	}
	if s.to != nil {
		b.to = s.to.eval(f)
	}
	defaults := make([]value.Value, len(s.defaults))
	for i, d := range s.defaults {
		defaults[i] = value.NewDynamic(d.eval(f))
	}
	if f.err != nil {
		return f.err
	}
	if b.step.IsNull() || !(b.number(b.step) > 0) || s.from != nil && b.from.IsNull() || s.to != nil && b.to.IsNull() {
		return &Error{Kind: Runtime, Message: "'make-series' operator: from, to and step must not be null, and step must be greater than zero"}
	}
	store := rowStore{width: len(s.in.fields)}
	refs := s.in.refs()
	err := s.in.run(x, func(f *frame) error {
		row := store.add()
		for i, r := range refs {
			row[i] = f.at(r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	parts := seriesParts(store.rows, s.keys)
	if len(parts) == 0 && s.nonEmpty && s.keys == 0 && s.from != nil && s.to != nil {
		parts = []*partRows{{}}
	}
	for _, part := range parts {
		row, err := s.series(b, part.list, defaults)
		if err != nil {
			return err
		}
		if err := x.ctx.Err(); err != nil {
			return err
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// seriesParts divides rows by their first values.
func seriesParts(rows [][]value.Value, keys int) []*partRows {
	if keys == 0 {
		if len(rows) == 0 {
			return nil
		}
		return []*partRows{{rows}}
	}
	parts := []*partRows{{rows}}
	for at := range keys {
		var finer []*partRows
		for _, p := range parts {
			finer = append(finer, partitions(p.list, at)...)
		}
		parts = finer
	}
	return parts
}

// series is the row of one key.
func (s *seriesSource) series(b bounds, rows [][]value.Value, defaults []value.Value) ([]value.Value, error) {
	from, n := b.number(b.from), 0.0
	if s.from == nil {
		from = math.Inf(1)
		for _, row := range rows {
			if at := row[s.keys]; b.number(at) < from {
				from, b.from = b.number(at), at
			}
		}
	}
	if s.to != nil {
		n = math.Ceil((b.number(b.to) - from) / b.number(b.step))
	}
	for _, row := range rows {
		if s.to == nil {
			n = max(n, b.place(row[s.keys])+1)
		}
	}
	if n > maxSeries {
		return nil, &Error{Kind: Runtime, Message: fmt.Sprintf("'make-series' operator: a series of %.0f elements is longer than %d", n, maxSeries)}
	}
	length := int(max(n, 0))
	out := make([]value.Value, 0, s.keys+len(defaults)+1)
	if len(rows) > 0 {
		out = append(out, rows[0][:s.keys]...)
	}
	for i, missing := range defaults {
		list := make([]value.Value, length)
		for j := range list {
			list[j] = missing
		}
		for _, row := range rows {
			if at := int(b.place(row[s.keys])); at >= 0 && at < length {
				list[at] = value.NewDynamic(row[s.keys+1+i])
			}
		}
		out = append(out, value.NewArray(list))
	}
	axis := make([]value.Value, length)
	for i := range axis {
		axis[i] = b.at(i)
	}
	return append(out, value.NewArray(axis)), nil
}

// number is a bound as a number of ticks or of itself.
func (b bounds) number(v value.Value) float64 {
	if b.kind == value.Real {
		return v.Real()
	}
	return float64(v.Int64())
}

// place is the step that a value of the axis belongs to.
func (b bounds) place(v value.Value) float64 {
	if b.kind == value.Real {
		return math.Round((v.Real() - b.from.Real()) / b.step.Real())
	}
	return float64((v.Int64() - b.from.Int64()) / b.step.Int64())
}

// at is the value of the axis at a step.
func (b bounds) at(i int) value.Value {
	n := b.from.Int64() + int64(i)*b.step.Int64()
	switch b.kind {
	case value.Real:
		return value.NewReal(b.from.Real() + float64(i)*b.step.Real())
	case value.DateTime:
		return value.DateTimeFromTicks(n)
	case value.TimeSpan:
		return value.NewTimeSpan(n)
	}
	return value.NewLong(n)
}
