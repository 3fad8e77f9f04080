package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// window binds a function that looks at other rows
// (https://learn.microsoft.com/kusto/query/window-functions): a step of its
// own computes it.
func (b *binder) window(n *syntax.Call, c site) (*expr, error) {
	p := c.row.pipe
	if p == nil || !p.serialized {
		return nil, semantic(n.Pos(), "Function '%s' cannot be invoked. The row set must be serialized.", n.Name)
	}
	args, err := b.arguments(n, c)
	if err != nil {
		return nil, err
	}
	var kind value.Kind
	var s step
	slot := len(p.lay.ext)
	switch n.Name {
	case "row_number":
		kind = value.Long
		s, err = rowNumber(n, args, slot)
	case "row_cumsum":
		s, kind, err = rowSum(n, args, slot)
	case "row_rank_dense", "row_rank_min":
		kind = value.Long
		s, err = rowRank(n, args, slot)
	case "row_window_session":
		kind = value.DateTime
		s, err = rowSession(n, args, slot)
	default:
		s, kind, err = neighbour(n, args, slot)
	}
	if err != nil {
		return nil, err
	}
	p.lay.slot(kind)
	p.steps = append(p.steps, s)
	e := columnExpr(field{kind: kind, ref: slotRef(slot)})
	e.column = false
	return e, nil
}

// windowStep is a step that computes one slot.
type windowStep struct {
	slot int
	args []*expr
	skip bool
}

func (s *windowStep) prune(u *used) {
	if s.skip = !u.ext[s.slot]; s.skip {
		return
	}
	for _, a := range s.args {
		u.mark(a.reads...)
	}
}

// numberStep is row_number([start [, restart]]).
type numberStep struct {
	windowStep
	start, restart *expr
}

func rowNumber(n *syntax.Call, args []*expr, slot int) (step, error) {
	if err := argumentCount(n, 0, 2); err != nil {
		return nil, err
	}
	s := &numberStep{windowStep: windowStep{slot: slot, args: args}, start: constantExpr(value.NewLong(1)), restart: constantExpr(value.NewBool(false))}
	if len(args) > 0 {
		s.start = args[0]
		if !s.start.kind.IsInteger() || s.start.constant == nil {
			return nil, semantic(n.Pos(), "row_number(): argument #1 must be a constant integer")
		}
	}
	if len(args) > 1 {
		if s.restart = args[1]; s.restart.kind != value.Bool {
			return nil, semantic(n.Pos(), "row_number(): argument #2 expected to be a boolean expression")
		}
	}
	return s, nil
}

func (s *numberStep) open(f *frame, next func() error) func() error {
	if s.skip {
		return next
	}
	start := s.start.constant.Int64()
	row := start
	return func() error {
		if s.restart.constant == nil {
			if again, err := isTrue(f, s.restart.eval); err != nil {
				return err
			} else if again {
				row = start
			}
		}
		f.ext[s.slot] = value.NewLong(row)
		row++
		return next()
	}
}

// sumStep is row_cumsum(term [, restart]).
type sumStep struct {
	windowStep
	zero value.Value
	add  scalar.Kernel
}

func rowSum(n *syntax.Call, args []*expr, slot int) (step, value.Kind, error) {
	if err := argumentCount(n, 1, 2); err != nil {
		return nil, 0, err
	}
	kind := args[0].kind
	if !kind.IsNumeric() && kind != value.TimeSpan {
		return nil, 0, semantic(n.Pos(), "row_cumsum(): argument #1 expected to be a numeric or timespan expression")
	}
	if len(args) > 1 && args[1].kind != value.Bool {
		return nil, 0, semantic(n.Pos(), "row_cumsum(): argument #2 expected to be a boolean expression")
	}
	add, err := scalar.Operator("+", scalar.Arg{Kind: kind}, args[0].arg())
	if err != nil {
		return nil, 0, in(n.Pos(), err)
	}
	if add.Kind != kind { // int sums are long
		kind = add.Kind
		if add, err = scalar.Operator("+", scalar.Arg{Kind: kind}, args[0].arg()); err != nil {
			return nil, 0, in(n.Pos(), err)
		}
	}
	zero := value.NewTimeSpan(0)
	if kind != value.TimeSpan {
		zero = scalar.Convert(value.NewLong(0), kind)
	}
	return &sumStep{windowStep: windowStep{slot: slot, args: args}, zero: zero, add: add.Eval}, kind, nil
}

func (s *sumStep) open(f *frame, next func() error) func() error {
	if s.skip {
		return next
	}
	sum := s.zero
	operands := make([]value.Value, 2)
	return func() error {
		if len(s.args) > 1 {
			if again, err := isTrue(f, s.args[1].eval); err != nil {
				return err
			} else if again {
				sum = s.zero
			}
		}
		v := s.args[0].eval(f)
		if f.err != nil {
			return f.err
		}
		if !v.IsNull() {
			operands[0], operands[1] = sum, v
			total, err := s.add(operands)
			if err != nil {
				return runtimeError(err)
			}
			sum = total
		}
		f.ext[s.slot] = sum
		return next()
	}
}
