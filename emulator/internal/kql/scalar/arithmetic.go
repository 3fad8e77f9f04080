package scalar

import (
	"math"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// arithmetic binds + - * / %. Integers give a long, an integer and a real a
// real (https://learn.microsoft.com/kusto/query/numerical-operators); dates and
// spans combine as in https://learn.microsoft.com/kusto/query/datetime-timespan-arithmetic.
func arithmetic(op byte, left, right Arg) (Bound, error) {
	l, r := left.Kind, right.Kind
	switch {
	case l.IsInteger() && r.IsInteger():
		return Bound{Kind: value.Long, Eval: longArithmetic(op), Cost: 1}, nil
	case l.IsNumeric() && r.IsNumeric():
		if l == value.Decimal || r == value.Decimal {
			return Bound{Kind: value.Decimal, Cost: 50, Eval: strict(value.Decimal, func(a []value.Value) value.Value {
				return value.DecimalArithmetic(op, a[0], a[1])
			})}, nil
		}
		return Bound{Kind: value.Real, Eval: realArithmetic(op), Cost: 1}, nil
	}
	if b, ok := timeArithmetic(op, l, r); ok {
		return b, nil
	}
	return Bound{}, refuseCode(codeArithmetic, "Arithmetic expression cannot be carried-out between %s and %s", engineName(l), engineName(r))
}

// longArithmetic wraps on overflow. A division by zero is null, and a
// remainder is not negative.
func longArithmetic(op byte) Kernel {
	return func(a []value.Value) (value.Value, error) {
		if a[0].IsNull() || a[1].IsNull() {
			return nullLong, nil
		}
		x, y := a[0].Int64(), a[1].Int64()
		switch op {
		case '+':
			x += y
		case '-':
			x -= y
		case '*':
			x *= y
		case '/':
			if y == 0 {
				return nullLong, nil
			}
			x /= y
		default:
			if y == 0 {
				return nullLong, nil
			}
			x = modulo(x, y)
		}
		return value.NewLong(x), nil
	}
}

// modulo is the remainder in [0, |y|).
func modulo(x, y int64) int64 {
	if x %= y; x < 0 {
		if y < 0 {
			return x - y
		}
		return x + y
	}
	return x
}

func realArithmetic(op byte) Kernel {
	return func(a []value.Value) (value.Value, error) {
		if a[0].IsNull() || a[1].IsNull() {
			return nullReal, nil
		}
		x, y := a[0].Real(), a[1].Real()
		switch op {
		case '+':
			x += y
		case '-':
			x -= y
		case '*':
			x *= y
		case '/':
			x /= y
		default:
			y = math.Abs(y)
			if x = math.Mod(x, y); x < 0 {
				x += y
			}
		}
		return value.NewReal(x), nil
	}
}

// timeArithmetic binds what involves a datetime or timespan.
func timeArithmetic(op byte, l, r value.Kind) (Bound, bool) {
	const date, span = value.DateTime, value.TimeSpan
	bound := func(kind value.Kind, f func(a []value.Value) value.Value) (Bound, bool) {
		return Bound{Kind: kind, Eval: strict(kind, f), Cost: 1}, true
	}
	switch {
	case l == date && r == span && (op == '+' || op == '-'), l == span && r == date && op == '+':
		return bound(date, func(a []value.Value) value.Value {
			if op == '-' {
				return shift(a[0].Ticks(), -a[1].Ticks())
			}
			return shift(a[0].Ticks(), a[1].Ticks())
		})
	case l == date && r == date && op == '-':
		return bound(span, func(a []value.Value) value.Value {
			return value.NewTimeSpan(a[0].Ticks() - a[1].Ticks())
		})
	case l == span && r == span:
		return spanArithmetic(op, bound)
	case l == span && r.IsNumeric() && (op == '*' || op == '/'), l.IsNumeric() && r == span && op == '*':
		return bound(span, func(a []value.Value) value.Value {
			x, y := a[0], a[1]
			if r == span {
				x, y = y, x
			}
			return scale(op, x.Ticks(), y)
		})
	}
	return Bound{}, false
}

func spanArithmetic(op byte, bound func(value.Kind, func([]value.Value) value.Value) (Bound, bool)) (Bound, bool) {
	switch op {
	case '+':
		return bound(value.TimeSpan, func(a []value.Value) value.Value {
			return value.NewTimeSpan(a[0].Ticks() + a[1].Ticks())
		})
	case '-':
		return bound(value.TimeSpan, func(a []value.Value) value.Value {
			return value.NewTimeSpan(a[0].Ticks() - a[1].Ticks())
		})
	case '/':
		return bound(value.Real, func(a []value.Value) value.Value {
			return value.NewReal(float64(a[0].Ticks()) / float64(a[1].Ticks()))
		})
	case '%':
		return bound(value.TimeSpan, func(a []value.Value) value.Value {
			if a[1].Ticks() == 0 {
				return nullSpan
			}
			return value.NewTimeSpan(modulo(a[0].Ticks(), a[1].Ticks()))
		})
	}
	return Bound{}, false
}

// shift moves a datetime; outside of the years 1 to 9999, or where the sum
// overflows, it is null.
func shift(ticks, by int64) value.Value {
	moved := ticks + by
	if (moved < ticks) != (by < 0) {
		return nullTime
	}
	return value.DateTimeFromTicks(moved)
}

// scale multiplies or divides a timespan by a number.
func scale(op byte, ticks int64, by value.Value) value.Value {
	if by.Kind().IsInteger() {
		n := by.Int64()
		if op == '*' {
			return value.NewTimeSpan(ticks * n)
		}
		if n == 0 {
			return nullSpan
		}
		return value.NewTimeSpan(ticks / n)
	}
	f := float64(ticks) * by.Real()
	if op == '/' {
		f = float64(ticks) / by.Real()
	}
	if math.IsNaN(f) || f >= math.MaxInt64 || f < math.MinInt64 {
		return nullSpan
	}
	return value.NewTimeSpan(int64(math.Round(f)))
}
