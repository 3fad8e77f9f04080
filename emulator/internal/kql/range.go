package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// rangeSource counts from one value to another
// (https://learn.microsoft.com/kusto/query/range-operator).
type rangeSource struct {
	kind           value.Kind
	from, to, step *expr
	next           scalar.Kernel // value + step
}

func (b *binder) rangeTable(n *syntax.Range, s *scope) (*pipeline, error) {
	src := &rangeSource{}
	for _, operand := range []struct {
		to *(*expr)
		x  syntax.Expr
	}{{&src.from, n.From}, {&src.to, n.To}, {&src.step, n.Step}} {
		e, err := b.independent(operand.x, s, "range")
		if err != nil {
			return nil, err
		}
		*operand.to = e
	}
	sum, err := scalar.Operator("+", src.from.arg(), src.step.arg())
	if err != nil {
		return nil, in(n.Pos(), err)
	}
	src.kind = sum.Kind
	first := scalar.Arg{Kind: src.kind}
	if sum, err = scalar.Operator("+", first, src.step.arg()); err != nil {
		return nil, in(n.Pos(), err)
	}
	if _, err = scalar.Operator("<=", first, src.to.arg()); err != nil || src.to.kind == value.Dynamic {
		return nil, semantic(n.Pos(), "'range' operator: the types %v and %v of from and to do not fit", src.from.kind, src.to.kind)
	}
	src.next = sum.Eval
	p := newPipeline(src, []value.Column{{Name: n.Name, Kind: src.kind}})
	p.serialized = true
	return p, nil
}

func (*rangeSource) require([]bool) {}

func (s *rangeSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	f := (&layout{}).frame(x)
	at, to, step := scalar.Convert(s.from.eval(f), s.kind), s.to.eval(f), s.step.eval(f)
	if f.err != nil || at.IsNull() || to.IsNull() || step.IsNull() {
		return f.err
	}
	zero := scalar.Convert(value.NewLong(0), step.Kind())
	if step.Kind() == value.TimeSpan {
		zero = value.NewTimeSpan(0)
	}
	sign := value.Compare(step, zero)
	if sign == 0 {
		return &Error{Kind: Runtime, Message: "'range' operator: the step is zero"}
	}
	row := make([]value.Value, 1)
	for n := 0; value.Compare(at, to)*sign <= 0; n++ {
		if n%4096 == 0 {
			if err := x.ctx.Err(); err != nil {
				return err
			}
		}
		row[0] = at
		if err := yield(row); err != nil {
			return err
		}
		following, err := s.next([]value.Value{at, step})
		if err != nil {
			return runtimeError(err)
		}
		if following.IsNull() || value.Compare(following, at)*sign <= 0 {
			return nil // beyond the largest value of the type
		}
		at = following
	}
	return nil
}
