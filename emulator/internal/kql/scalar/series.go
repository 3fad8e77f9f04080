package scalar

import (
	"fmt"
	"math"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// seriesFunctions work on arrays of numbers, element by element or as a whole
// (https://learn.microsoft.com/kusto/query/scalar-functions#series-element-wise-functions).
// An array of whole numbers gives whole numbers where the operation does.
var seriesFunctions = []Function{
	mapped("series_abs", math.Abs, func(x int64) int64 { return max(x, -x) }),
	mapped("series_sign", func(x float64) float64 { return float64(signOf(x)) }, func(x int64) int64 { return int64(signOf(float64(x))) }),
	mapped("series_floor", math.Floor, nil), mapped("series_ceiling", math.Ceil, nil),
	mapped("series_exp", math.Exp, nil), mapped("series_log", math.Log, nil),
	mapped("series_sin", math.Sin, nil), mapped("series_cos", math.Cos, nil), mapped("series_tan", math.Tan, nil),
	mapped("series_asin", math.Asin, nil), mapped("series_acos", math.Acos, nil), mapped("series_atan", math.Atan, nil),

	paired("series_add", number(func(x, y float64) float64 { return x + y }), whole(func(x, y int64) int64 { return x + y })),
	paired("series_subtract", number(func(x, y float64) float64 { return x - y }), whole(func(x, y int64) int64 { return x - y })),
	paired("series_multiply", number(func(x, y float64) float64 { return x * y }), whole(func(x, y int64) int64 { return x * y })),
	paired("series_divide", number(func(x, y float64) float64 { return x / y }), nil),
	paired("series_pow", number(math.Pow), nil),
	paired("series_equals", holdsFor("=="), nil), paired("series_not_equals", holdsFor("!="), nil),
	paired("series_less", holdsFor("<"), nil), paired("series_less_equals", holdsFor("<="), nil),
	paired("series_greater", holdsFor(">"), nil), paired("series_greater_equals", holdsFor(">="), nil),

	reduced("series_sum", 0, func(sum, x float64) float64 { return sum + x }, noChange),
	reduced("series_product", 1, func(product, x float64) float64 { return product * x }, noChange),
	reduced("series_magnitude", 0, func(sum, x float64) float64 { return sum + x*x }, math.Sqrt),
	fn("series_dot_product", value.Real, params{isDynamic | isNumber}, func(a []value.Value) value.Value {
		return overPairs(a, func(x, y []float64) float64 { return dot(x, y) })
	}).arity(2, 2),
	fn("series_cosine_similarity", value.Real, params{isDynamic, isDynamic, isNumber}, func(a []value.Value) value.Value {
		return overPairs(a[:2], func(x, y []float64) float64 {
			lengths := [2]float64{math.Sqrt(dot(x, x)), math.Sqrt(dot(y, y))}
			for i, given := range a[2:] {
				lengths[i] = given.Real()
			}
			return dot(x, y) / (lengths[0] * lengths[1])
		})
	}).arity(2, 4),
	fn("series_pearson_correlation", value.Real, params{isDynamic, isDynamic}, correlation),
}

func noChange(x float64) float64 { return x }

func signOf(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// series is the elements of an array of numbers.
type series struct {
	elements []value.Value // numbers, or null where there is none
	whole    bool          // every number is an integer
	repeated bool          // a number that stands for an array of any length
}

func (s series) at(i int) value.Value {
	switch {
	case s.repeated:
		return s.elements[0]
	case i < len(s.elements):
		return s.elements[i]
	}
	return nullAny
}

// seriesOf is false for what is neither an array nor a number.
func seriesOf(v value.Value) (series, bool) {
	s := series{whole: true}
	elements, ok := v.Array()
	if !ok {
		elements, s.repeated = []value.Value{v}, true
	}
	for _, e := range elements {
		n, ok := e.Scalar()
		if !ok {
			n = e
		}
		if !n.Kind().IsNumeric() || n.IsNull() {
			n = nullAny
		} else {
			s.whole = s.whole && n.Kind().IsInteger()
		}
		s.elements = append(s.elements, n)
	}
	return s, !s.repeated || !s.elements[0].IsNull()
}

// numbersOf is the elements of an array that holds nothing but numbers.
func numbersOf(v value.Value) (numbers []float64, ok bool) {
	s, ok := seriesOf(v)
	if !ok || s.repeated || slices.ContainsFunc(s.elements, value.Value.IsNull) {
		return nil, false
	}
	numbers = make([]float64, len(s.elements))
	for i, e := range s.elements {
		numbers[i] = e.Real()
	}
	return numbers, true
}

// mapped makes a function of each element; whole may be nil. What is no number
// gives null.
func mapped(name string, real func(float64) float64, whole func(int64) int64) Function {
	return fn(name, value.Dynamic, params{isDynamic}, func(a []value.Value) value.Value {
		s, ok := seriesOf(a[0])
		if !ok || s.repeated {
			return nullAny
		}
		result := make([]value.Value, len(s.elements))
		for i, e := range s.elements {
			switch {
			case e.IsNull():
				result[i] = nullAny
			case s.whole && whole != nil:
				result[i] = value.NewLong(whole(e.Int64()))
			default:
				result[i] = value.NewReal(real(e.Real()))
			}
		}
		return value.NewArray(result)
	})
}

// pairing makes an element of two.
type pairing func(x, y value.Value) value.Value

func number(f func(x, y float64) float64) pairing {
	return func(x, y value.Value) value.Value { return value.NewReal(f(x.Real(), y.Real())) }
}

func whole(f func(x, y int64) int64) pairing {
	return func(x, y value.Value) value.Value { return value.NewLong(f(x.Int64(), y.Int64())) }
}

func holdsFor(op string) pairing {
	return func(x, y value.Value) value.Value {
		if isNaN(x) || isNaN(y) {
			return boolean(op == "!=")
		}
		return boolean(holds(op, value.Compare(x, y)))
	}
}

// paired makes a function of the elements of two arrays; one of them may be a
// number. ofWhole is for arrays of whole numbers, nil where that makes no
// difference. Where one has no number there is null.
func paired(name string, f, ofWhole pairing) Function {
	return fn(name, value.Dynamic, params{isDynamic | isNumber}, func(a []value.Value) value.Value {
		x, okX := seriesOf(a[0])
		y, okY := seriesOf(a[1])
		if !okX || !okY || x.repeated && y.repeated {
			return nullAny
		}
		pair := f
		if ofWhole != nil && x.whole && y.whole {
			pair = ofWhole
		}
		n := 0
		for _, s := range []series{x, y} {
			if !s.repeated {
				n = max(n, len(s.elements))
			}
		}
		result := make([]value.Value, n)
		for i := range result {
			result[i] = nullAny
			if l, r := x.at(i), y.at(i); !l.IsNull() && !r.IsNull() {
				result[i] = pair(l, r)
			}
		}
		return value.NewArray(result)
	}).arity(2, 2)
}

// reduced makes a number of an array. What an element that is no number does is
// not published, and is refused.
func reduced(name string, start float64, add func(sum, x float64) float64, end func(float64) float64) Function {
	return custom(name, 1, 1, func(c call) (Bound, error) {
		if err := (params{isDynamic}).check(c); err != nil {
			return Bound{}, err
		}
		return Bound{Kind: value.Real, Cost: 20, Eval: func(a []value.Value) (value.Value, error) {
			if !a[0].IsArray() {
				return nullReal, nil
			}
			numbers, ok := numbersOf(a[0])
			if !ok {
				return value.Value{}, notNumbers(name)
			}
			sum := start
			for _, x := range numbers {
				sum = add(sum, x)
			}
			return value.NewReal(end(sum)), nil
		}}, nil
	})
}

// notNumbers is the failure of a function that takes numbers only.
func notNumbers(name string) error {
	return fmt.Errorf("%s(): an array with elements that are no numbers is not supported here", name)
}

// overPairs applies f to the elements of two arrays that are numbers in both; a
// number stands for an array of it.
func overPairs(a []value.Value, f func(x, y []float64) float64) value.Value {
	x, okX := seriesOf(a[0])
	y, okY := seriesOf(a[1])
	if !okX || !okY || x.repeated && y.repeated || len(x.elements) == 0 || len(y.elements) == 0 {
		return nullReal
	}
	n := math.MaxInt
	for _, s := range []series{x, y} {
		if !s.repeated {
			n = min(n, len(s.elements))
		}
	}
	var left, right []float64
	for i := range n {
		if l, r := x.at(i), y.at(i); !l.IsNull() && !r.IsNull() {
			left, right = append(left, l.Real()), append(right, r.Real())
		}
	}
	return value.NewReal(f(left, right))
}

func dot(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// correlation is null unless both hold the same number of numbers.
func correlation(a []value.Value) value.Value {
	x, okX := numbersOf(a[0])
	y, okY := numbersOf(a[1])
	if !okX || !okY || len(x) != len(y) || len(x) == 0 {
		return nullReal
	}
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return value.NewReal(xy / math.Sqrt(xx*yy))
}
