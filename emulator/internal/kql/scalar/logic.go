package scalar

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// logical binds `and` and `or` with three values: false and null is false,
// true or null is true (https://learn.microsoft.com/kusto/query/logical-operators).
// A dynamic counts as tobool() of it.
func logical(op string, left, right Arg) (Bound, error) {
	for _, k := range []value.Kind{left.Kind, right.Kind} {
		if k != value.Bool && k != value.Dynamic {
			return Bound{}, refusef("Operator '%s' expects boolean operands, found %v.", op, k)
		}
	}
	l, r := converter(left.Kind, value.Bool), converter(right.Kind, value.Bool)
	join := both
	if op == "or" {
		join = either
	}
	if left.Kind == value.Bool && right.Kind == value.Bool {
		return Bound{Kind: value.Bool, Cost: 1, Eval: func(a []value.Value) (value.Value, error) {
			return join(a[0], a[1]), nil
		}}, nil
	}
	return Bound{Kind: value.Bool, Cost: 2, Eval: func(a []value.Value) (value.Value, error) {
		return join(l(a[0]), r(a[1])), nil
	}}, nil
}

// both is the three-valued and.
func both(x, y value.Value) value.Value {
	switch {
	case !x.IsNull() && !x.Bool(), !y.IsNull() && !y.Bool():
		return no
	case x.IsNull() || y.IsNull():
		return nullBool
	}
	return yes
}

// either is the three-valued or.
func either(x, y value.Value) value.Value {
	switch {
	case x.Bool() || y.Bool():
		return yes
	case x.IsNull() || y.IsNull():
		return nullBool
	}
	return no
}

// negate is the three-valued not.
func negate(x value.Value) value.Value {
	if x.IsNull() {
		return nullBool
	}
	return boolean(!x.Bool())
}
