package scalar

import (
	"cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// comparison binds == != < <= > >=. Two nulls compare as null; a null and a
// value are not equal, and not ordered (null). Strings have equality only:
// Kusto refuses `<` and similar operators between strings and points to strcmp(). A bool
// equals the number 1 or 0, as hunting queries write it: IsCompliant == 0.
func comparison(op string, left, right Arg) (Bound, error) {
	l, r := left.Kind, right.Kind
	if l == value.Dynamic && r == value.Dynamic {
		return Bound{}, refuseCode(codeComparison, "Cannot compare dynamic values without explicit cast.")
	}
	equality := op == "==" || op == "!=" || op == "<>"
	switch {
	case l == value.Dynamic || r == value.Dynamic:
		return dynamicComparison(op, left, right)
	case l == value.String && r == value.String && equality:
		want := op == "=="
		return Bound{Kind: value.Bool, Cost: 2, Eval: func(a []value.Value) (value.Value, error) {
			return boolean((a[0].Text() == a[1].Text()) == want), nil
		}}, nil
	case l.IsInteger() && r.IsInteger(), l == r && (l == value.DateTime || l == value.TimeSpan):
		return integerComparison(op), nil
	case l.IsNumeric() && r.IsNumeric(), l == r && equality && (l == value.Bool || l == value.GUID):
		return generalComparison(op, noCast, noCast), nil
	case equality && l == value.Bool && r.IsNumeric():
		return generalComparison(op, boolAsLong, noCast), nil
	case equality && r == value.Bool && l.IsNumeric():
		return generalComparison(op, noCast, boolAsLong), nil
	}
	return Bound{}, refuseCode(codeComparison, "Cannot compare values of types %v and %v. Try adding explicit casts.", l, r)
}

// holds says whether an order of -1, 0 or 1 satisfies the operator.
func holds(op string, order int) bool {
	switch op {
	case "==":
		return order == 0
	case "!=", "<>":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

// ofNulls is the result when at least one side is null.
func ofNulls(op string, bothNull bool) value.Value {
	switch {
	case bothNull:
		return nullBool
	case op == "==":
		return no
	case op == "!=", op == "<>":
		return yes
	}
	return nullBool
}

// integerComparison compares the integers or ticks of both sides.
func integerComparison(op string) Bound {
	less, equal, more := boolean(holds(op, -1)), boolean(holds(op, 0)), boolean(holds(op, 1))
	one, both := ofNulls(op, false), ofNulls(op, true)
	return Bound{Kind: value.Bool, Cost: 1, Eval: func(a []value.Value) (value.Value, error) {
		x, y := a[0].IsNull(), a[1].IsNull()
		switch {
		case x && y:
			return both, nil
		case x || y:
			return one, nil
		}
		switch cmp.Compare(a[0].Int64(), a[1].Int64()) {
		case -1:
			return less, nil
		case 0:
			return equal, nil
		default:
			return more, nil
		}
	}}
}

// cast brings one side of a comparison to the other's kind.
type cast func(value.Value) value.Value

func noCast(v value.Value) value.Value { return v }

func boolAsLong(v value.Value) value.Value {
	if v.IsNull() {
		return nullLong
	}
	return value.NewLong(v.Int64())
}

// generalComparison compares by value.Compare; NaN is equal to nothing.
func generalComparison(op string, left, right cast) Bound {
	one, both := ofNulls(op, false), ofNulls(op, true)
	differ := boolean(op == "!=" || op == "<>")
	return Bound{Kind: value.Bool, Cost: 3, Eval: func(a []value.Value) (value.Value, error) {
		x, y := left(a[0]), right(a[1])
		switch {
		case x.IsNull() && y.IsNull():
			return both, nil
		case x.IsNull() || y.IsNull():
			return one, nil
		case isNaN(x) || isNaN(y):
			return differ, nil
		}
		return boolean(holds(op, value.Compare(x, y))), nil
	}}
}

func isNaN(v value.Value) bool {
	f := v.Real()
	return v.Kind() == value.Real && f != f
}

// dynamicComparison compares a dynamic with a value of another kind. The dynamic
// is converted to that kind. Compared with a number, it becomes its own kind of number.
func dynamicComparison(op string, left, right Arg) (Bound, error) {
	other := left.Kind
	if other == value.Dynamic {
		other = right.Kind
	}
	ordered := op != "==" && op != "!=" && op != "<>"
	if ordered && (other == value.String || other == value.Bool || other == value.GUID) {
		return Bound{}, refuseCode(codeComparison, "Cannot compare values of types %v and %v. Try adding explicit casts.", left.Kind, right.Kind)
	}
	convert := fromDynamic(other)
	if left.Kind == value.Dynamic {
		return generalComparison(op, convert, noCast), nil
	}
	return generalComparison(op, noCast, convert), nil
}

// fromDynamic reads a dynamic for a comparison with a value of kind k.
func fromDynamic(k value.Kind) cast {
	to := converter(value.Dynamic, k)
	return func(v value.Value) value.Value {
		if k.IsNumeric() {
			if s, ok := v.Scalar(); ok && s.Kind().IsNumeric() {
				return s
			}
		}
		return to(v)
	}
}

// between binds `x between (a .. b)`, both ends inclusive. Where x is a
// datetime and b a timespan, b counts from a
// (https://learn.microsoft.com/kusto/query/between-operator).
func between(op string, left Arg, list []Arg) (Bound, error) {
	if len(list) != 2 {
		return Bound{}, refusef("Operator '%s' expects a range of two values.", op)
	}
	low, high := list[0], list[1]
	offset := low.Kind == value.DateTime && high.Kind == value.TimeSpan && left.Kind != value.TimeSpan
	if offset {
		high = Arg{Kind: value.DateTime}
	}
	from, err := comparison(">=", left, low)
	if err != nil {
		return Bound{}, err
	}
	to, err := comparison("<=", left, high)
	if err != nil {
		return Bound{}, err
	}
	negated := op == "!between"
	return Bound{Kind: value.Bool, Cost: from.Cost + to.Cost, Eval: func(a []value.Value) (value.Value, error) {
		pair := [2]value.Value{a[0], a[1]}
		above, _ := from.Eval(pair[:])
		pair[1] = a[2]
		if offset && !a[1].IsNull() && !a[2].IsNull() {
			pair[1] = shift(a[1].Ticks(), a[2].Ticks())
		}
		below, _ := to.Eval(pair[:])
		in := both(above, below)
		if negated {
			return negate(in), nil
		}
		return in, nil
	}}, nil
}
