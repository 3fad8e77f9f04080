package scalar

import (
	"math"
	"math/bits"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// numerics are the mathematical functions
// (https://learn.microsoft.com/kusto/query/scalar-functions#mathematical-functions).
var numerics = []Function{
	custom("abs", 1, 1, bindAbs),
	custom("sign", 1, 1, bindSign),
	realFn("sqrt", func(x float64) float64 { return math.Sqrt(x) }),
	realFn("exp", math.Exp),
	realFn("exp2", math.Exp2),
	realFn("exp10", func(x float64) float64 { return math.Pow(10, x) }),
	realFn("log", math.Log),
	realFn("log2", math.Log2),
	realFn("log10", log10),
	realFn("loggamma", func(x float64) float64 { l, _ := math.Lgamma(x); return l }),
	realFn("gamma", math.Gamma),
	realFn("sin", math.Sin),
	realFn("cos", math.Cos),
	realFn("tan", math.Tan),
	realFn("cot", func(x float64) float64 { return 1 / math.Tan(x) }),
	realFn("asin", math.Asin),
	realFn("acos", math.Acos),
	realFn("atan", math.Atan),
	realFn("erf", math.Erf),
	realFn("erfc", math.Erfc),
	realFn("degrees", func(x float64) float64 { return x * 180 / math.Pi }),
	realFn("radians", func(x float64) float64 { return x * math.Pi / 180 }),
	fn("atan2", value.Real, params{isNumber, isNumber}, func(a []value.Value) value.Value {
		return value.NewReal(math.Atan2(a[0].Real(), a[1].Real()))
	}),
	fn("pow", value.Real, params{isNumber, isNumber}, func(a []value.Value) value.Value {
		return value.NewReal(math.Pow(a[0].Real(), a[1].Real()))
	}),
	lenient("pi", value.Real, params{}, func([]value.Value) value.Value { return value.NewReal(math.Pi) }),
	floatTest("isnan", math.IsNaN),
	floatTest("isinf", func(x float64) bool { return math.IsInf(x, 0) }),
	floatTest("isfinite", func(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }),
}

// realFn makes a function from number to real. A result that is not defined
// for a finite argument, such as the logarithm of -1, is NaN and an overflow an
// infinity.
func realFn(name string, f func(float64) float64) Function {
	return fn(name, value.Real, params{isNumber}, func(a []value.Value) value.Value {
		return value.NewReal(f(a[0].Real()))
	})
}

// log10 is exact for the powers of ten, and within one unit in the last place
// otherwise.
func log10(x float64) float64 {
	l := math.Log10(x)
	if r := math.Round(l); math.Abs(r) <= 308 && math.Pow10(int(r)) == x {
		return r
	}
	return l
}

func floatTest(name string, f func(float64) bool) Function {
	return fn(name, value.Bool, params{isNumber}, func(a []value.Value) value.Value {
		return boolean(f(a[0].Real()))
	})
}

func bindAbs(c call) (Bound, error) {
	if err := c.check(0, isNumber|isTimeSpan); err != nil {
		return Bound{}, err
	}
	k := c.args[0].Kind
	return Bound{Kind: k, Cost: 1, Eval: strict(k, func(a []value.Value) value.Value {
		switch k {
		case value.Real:
			return value.NewReal(math.Abs(a[0].Real()))
		case value.Decimal:
			if a[0].Real() < 0 {
				return value.DecimalArithmetic('-', value.NewLong(0), a[0])
			}
			return a[0]
		}
		n := a[0].Int64()
		if n < 0 {
			n = -n
		}
		switch k {
		case value.TimeSpan:
			return value.NewTimeSpan(n)
		case value.Int:
			return toInt(value.NewLong(n))
		}
		return value.NewLong(n)
	})}, nil
}

func bindSign(c call) (Bound, error) {
	if err := c.check(0, isNumber); err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.Real, Cost: 1, Eval: strict(value.Real, func(a []value.Value) value.Value {
		return value.NewReal(float64(value.Compare(a[0], value.NewLong(0))))
	})}, nil
}

// bitwise are the functions on the bits of longs
// (https://learn.microsoft.com/kusto/query/scalar-functions#binary-functions).
var bitwise = []Function{
	longFn("binary_and", func(x, y int64) value.Value { return value.NewLong(x & y) }),
	longFn("binary_or", func(x, y int64) value.Value { return value.NewLong(x | y) }),
	longFn("binary_xor", func(x, y int64) value.Value { return value.NewLong(x ^ y) }),
	longFn("binary_shift_left", func(x, n int64) value.Value {
		if n < 0 {
			return nullLong
		}
		return value.NewLong(x << (n % 64))
	}),
	longFn("binary_shift_right", func(x, n int64) value.Value {
		if n < 0 {
			return nullLong
		}
		return value.NewLong(x >> (n % 64))
	}),
	fn("binary_not", value.Long, params{isInteger}, func(a []value.Value) value.Value {
		return value.NewLong(^a[0].Int64())
	}),
	fn("bitset_count_ones", value.Long, params{isInteger}, func(a []value.Value) value.Value {
		return value.NewLong(int64(bits.OnesCount64(uint64(a[0].Int64()))))
	}),
}

func longFn(name string, f func(x, y int64) value.Value) Function {
	return fn(name, value.Long, params{isInteger, isInteger}, func(a []value.Value) value.Value {
		return f(a[0].Int64(), a[1].Int64())
	})
}
