package scalar

import (
	"math"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// rounding are bin() and similar functions.
var rounding = []Function{
	custom("bin", 2, 2, bindBin),
	custom("floor", 2, 2, bindBin),
	custom("bin_at", 3, 3, bindBinAt),
	custom("round", 1, 2, bindRound),
	custom("ceiling", 1, 1, bindCeiling),
}

// bindBin binds bin(value, size): the multiple of size at or below the value;
// null for a size that is not positive (https://learn.microsoft.com/kusto/query/bin-function).
func bindBin(c call) (Bound, error) {
	kind, err := c.binKind()
	if err != nil {
		return Bound{}, err
	}
	return Bound{Kind: kind, Cost: 2, Eval: strict(kind, func(a []value.Value) value.Value {
		return binned(kind, a[0], a[1], value.NewLong(0))
	})}, nil
}

// bindBinAt binds bin_at(value, size, fixedPoint).
func bindBinAt(c call) (Bound, error) {
	kind, err := c.binKind()
	if err != nil {
		return Bound{}, err
	}
	if k := c.args[2].Kind; k != c.args[0].Kind && (!k.IsNumeric() || !c.args[0].Kind.IsNumeric()) {
		return Bound{}, c.refuse(2, "of type %v", c.args[0].Kind)
	}
	return Bound{Kind: kind, Cost: 2, Eval: strict(kind, func(a []value.Value) value.Value {
		return binned(kind, a[0], a[1], a[2])
	})}, nil
}

// binKind checks value and size, and is the kind of the bin.
func (c call) binKind() (value.Kind, error) {
	if err := c.check(0, isNumber|isDateTime|isTimeSpan); err != nil {
		return 0, err
	}
	v, size := c.args[0].Kind, c.args[1].Kind
	switch {
	case v == value.DateTime || v == value.TimeSpan:
		return v, c.check(1, isTimeSpan)
	case v.IsInteger() && size.IsInteger():
		return value.Long, nil
	case v.IsNumeric() && size.IsNumeric():
		return value.Real, nil
	}
	return 0, c.refuse(1, "%v", isNumber)
}

func binned(kind value.Kind, v, size, at value.Value) value.Value {
	if kind == value.Real {
		s := size.Real()
		if !(s > 0) {
			return nullReal
		}
		return value.NewReal(math.Floor((v.Real()-at.Real())/s)*s + at.Real())
	}
	s := size.Int64()
	if s <= 0 {
		return value.Null(kind)
	}
	n := v.Int64() - modulo(v.Int64()-at.Int64(), s)
	switch kind {
	case value.DateTime:
		return value.DateTimeFromTicks(n)
	case value.TimeSpan:
		return value.NewTimeSpan(n)
	}
	return value.NewLong(n)
}

// bindRound binds round(number [, precision]): halves away from zero, also
// left of the point for a negative precision.
func bindRound(c call) (Bound, error) {
	if err := (params{isNumber, isInteger}).check(c); err != nil {
		return Bound{}, err
	}
	kind := c.args[0].Kind
	if kind == value.Int {
		kind = value.Long
	}
	if kind == value.Decimal {
		kind = value.Real
	}
	return Bound{Kind: kind, Cost: 3, Eval: strict(kind, func(a []value.Value) value.Value {
		precision := int64(0)
		if len(a) == 2 {
			precision = a[1].Int64()
		}
		if kind == value.Long {
			if precision >= 0 {
				return value.NewLong(a[0].Int64())
			}
			return truncated(rounded(a[0].Real(), precision))
		}
		return value.NewReal(rounded(a[0].Real(), precision))
	})}, nil
}

func rounded(f float64, precision int64) float64 {
	if precision > 15 {
		return f
	}
	if precision < -308 {
		return 0
	}
	factor := math.Pow(10, math.Abs(float64(precision)))
	if precision < 0 {
		return math.Round(f/factor) * factor
	}
	if r := math.Round(f*factor) / factor; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return f
}

// bindCeiling binds ceiling(number): the smallest whole number at or above it,
// as a long for integers and a real otherwise.
func bindCeiling(c call) (Bound, error) {
	if err := (params{isNumber}).check(c); err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.Real, Cost: 1, Eval: strict(value.Real, func(a []value.Value) value.Value {
		return value.NewReal(math.Ceil(a[0].Real()))
	})}, nil
}
