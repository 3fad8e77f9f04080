package scalar

import (
	"math"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// maxElements bounds arrays that a function makes
// (https://learn.microsoft.com/kusto/query/range-function).
const maxElements = 1 << 20

// arrays are the functions on dynamic arrays. What is no array makes the
// result null (https://learn.microsoft.com/kusto/query/scalar-functions#dynamicarray-functions).
var arrays = []Function{
	arrayFn("array_length", value.Long, params{isDynamic}, func(e []value.Value, _ []value.Value) value.Value {
		return value.NewLong(int64(len(e)))
	}),
	alias("arraylength", arrayFn("", value.Long, params{isDynamic}, func(e []value.Value, _ []value.Value) value.Value {
		return value.NewLong(int64(len(e)))
	})),
	lenient("array_concat", value.Dynamic, params{isDynamic}, func(a []value.Value) value.Value {
		var all []value.Value
		for _, v := range a {
			elements, ok := v.Array()
			if !ok && !v.IsNull() {
				return nullAny
			}
			all = append(all, elements...)
		}
		return value.NewArray(all)
	}).arity(1, 64),
	arrayFn("array_slice", value.Dynamic, params{isDynamic, isInteger, isInteger}, func(e []value.Value, a []value.Value) value.Value {
		from, to := fromEnd(a[0].Int64(), len(e)), fromEnd(a[1].Int64(), len(e))
		from, to = max(from, 0), min(to+1, len(e))
		if from >= to {
			return value.NewArray(nil)
		}
		return value.NewArray(slices.Clone(e[from:to]))
	}),
	arrayFn("array_split", value.Dynamic, params{isDynamic, isInteger | isDynamic}, splitArray),
	arrayFn("array_reverse", value.Dynamic, params{isDynamic}, func(e []value.Value, _ []value.Value) value.Value {
		e = slices.Clone(e)
		slices.Reverse(e)
		return value.NewArray(e)
	}),
	arrayFn("array_rotate_left", value.Dynamic, params{isDynamic, isInteger}, func(e []value.Value, a []value.Value) value.Value {
		return rotated(e, a[0].Int64())
	}),
	arrayFn("array_rotate_right", value.Dynamic, params{isDynamic, isInteger}, func(e []value.Value, a []value.Value) value.Value {
		return rotated(e, -a[0].Int64())
	}),
	shiftFn("array_shift_left", 1),
	shiftFn("array_shift_right", -1),
	lenient("array_index_of", value.Long, params{isDynamic, isAny, isInteger}, arrayIndexOf).arity(2, 5),
	arrayFn("array_sum", value.Real, params{isDynamic}, func(e []value.Value, _ []value.Value) value.Value {
		sum := 0.0
		for _, v := range e {
			f := Convert(v, value.Real)
			if f.IsNull() {
				return nullReal
			}
			sum += f.Real()
		}
		return value.NewReal(sum)
	}),
	fn("array_iff", value.Dynamic, params{isDynamic, isAny, isAny}, arrayIff),
	alias("array_iif", fn("", value.Dynamic, params{isDynamic, isAny, isAny}, arrayIff)),
	lenient("pack_array", value.Dynamic, params{isAny}, func(a []value.Value) value.Value {
		return value.NewArray(slices.Clone(a))
	}).arity(1, -1),
	lenient("repeat", value.Dynamic, params{isAny, isInteger}, func(a []value.Value) value.Value {
		n := a[1].Int64()
		if a[1].IsNull() || n < 0 || n > maxElements {
			return nullAny
		}
		return value.NewArray(slices.Repeat([]value.Value{value.NewDynamic(a[0])}, int(n)))
	}),
	fn("range", value.Dynamic, params{isNumber | isDateTime | isTimeSpan}, arrayRange).arity(2, 3),
	fn("zip", value.Dynamic, params{isDynamic}, zipped).arity(2, 16),
}

// arrayFn makes a function whose first argument is an array; f gets its
// elements, which it must not change, and the other arguments.
func arrayFn(name string, result value.Kind, p params, f func(elements, rest []value.Value) value.Value) Function {
	null := value.Null(result)
	return fn(name, result, p, func(a []value.Value) value.Value {
		elements, ok := a[0].Array()
		if !ok {
			return null
		}
		return f(elements, a[1:])
	})
}

// fromEnd resolves a negative index, and bounds an index to [-1, length].
func fromEnd(i int64, length int) int {
	if i < 0 {
		i += int64(length)
	}
	return int(min(max(i, -1), int64(length)))
}

// splitArray is array_split(array, index or indexes).
func splitArray(e, a []value.Value) value.Value {
	var parts []value.Value
	from := 0
	eachElement(a[0], func(v value.Value) {
		i := max(from, fromEnd(v.Int64(), len(e)))
		parts = append(parts, value.NewArray(slices.Clone(e[from:i])))
		from = i
	})
	return value.NewArray(append(parts, value.NewArray(slices.Clone(e[from:]))))
}

func rotated(e []value.Value, left int64) value.Value {
	if len(e) == 0 {
		return value.NewArray(nil)
	}
	n := int(modulo(left, int64(len(e))))
	return value.NewArray(append(slices.Clone(e[n:]), e[:n]...))
}

// shiftFn makes array_shift_left and its mirror: shift(array, count [, fill]).
func shiftFn(name string, direction int64) Function {
	return lenient(name, value.Dynamic, params{isDynamic, isInteger, isAny}, func(a []value.Value) value.Value {
		e, ok := a[0].Array()
		if !ok || a[1].IsNull() {
			return nullAny
		}
		fill := nullAny
		if len(a) == 3 {
			fill = value.NewDynamic(a[2])
		}
		shifted := make([]value.Value, len(e))
		for i := range shifted {
			shifted[i] = fill
			if from := int64(i) + a[1].Int64()*direction; from >= 0 && from < int64(len(e)) {
				shifted[i] = e[from]
			}
		}
		return value.NewArray(shifted)
	}).arity(2, 3)
}

// arrayIndexOf is array_index_of(array, value [, start [, length [, occurrence]]]).
func arrayIndexOf(a []value.Value) value.Value {
	e, ok := a[0].Array()
	if !ok {
		return nullLong
	}
	start, length, occurrence := int64(0), int64(-1), int64(1)
	for i, p := range []*int64{&start, &length, &occurrence} {
		if i+2 < len(a) {
			*p = a[i+2].Int64()
		}
	}
	if length < -1 || occurrence <= 0 {
		return nullLong
	}
	from, to := max(fromEnd(start, len(e)), 0), len(e)
	if length >= 0 {
		to = int(min(int64(from)+length, int64(len(e))))
	}
	wanted := value.NewDynamic(a[1])
	for i := from; i < to; i++ {
		if value.Equal(e[i], wanted) {
			if occurrence--; occurrence == 0 {
				return value.NewLong(int64(i))
			}
		}
	}
	return value.NewLong(-1)
}

// arrayIff is array_iff(conditions, when_true, when_false); a scalar branch
// serves every element.
func arrayIff(a []value.Value) value.Value {
	conditions, ok := a[0].Array()
	if !ok {
		return nullAny
	}
	branch := func(v value.Value, i int) value.Value {
		elements, isArray := v.Array()
		switch {
		case !isArray:
			return v
		case i < len(elements):
			return elements[i]
		}
		return nullAny
	}
	out := make([]value.Value, len(conditions))
	for i, c := range conditions {
		switch is := Convert(c, value.Bool); {
		case is.IsNull():
			out[i] = nullAny
		case is.Bool():
			out[i] = branch(a[1], i)
		default:
			out[i] = branch(a[2], i)
		}
	}
	return value.NewArray(out)
}

// arrayRange is range(start, stop [, step]): 1, or an hour for times, when the
// step is left out.
func arrayRange(a []value.Value) value.Value {
	start, stop := a[0], a[1]
	step := value.NewLong(1)
	if !start.Kind().IsNumeric() {
		step = value.NewTimeSpan(value.TicksPerHour)
	}
	if len(a) == 3 {
		step = a[2]
	}
	if start.Kind() == value.Real || stop.Kind() == value.Real || step.Kind() == value.Real {
		return realRange(start.Real(), stop.Real(), step.Real())
	}
	make := value.NewLong
	switch start.Kind() {
	case value.DateTime:
		make = value.DateTimeFromTicks
	case value.TimeSpan:
		make = value.NewTimeSpan
	}
	var elements []value.Value
	x, last, by := start.Int64(), stop.Int64(), step.Int64()
	if by == 0 {
		return nullAny
	}
	for (by > 0 && x <= last || by < 0 && x >= last) && len(elements) < maxElements {
		elements = append(elements, make(x))
		if by > 0 && x > math.MaxInt64-by || by < 0 && x < math.MinInt64-by {
			break
		}
		x += by
	}
	return value.NewArray(elements)
}

func realRange(start, stop, step float64) value.Value {
	if step == 0 || math.IsNaN(start+stop+step) {
		return nullAny
	}
	var elements []value.Value
	for i := 0; i < maxElements; i++ {
		x := start + float64(i)*step
		if step > 0 && x > stop || step < 0 && x < stop {
			break
		}
		elements = append(elements, value.NewReal(x))
	}
	return value.NewArray(elements)
}

// zipped is zip(array1, array2, ...): arrays of the elements at one place,
// null where an array is shorter.
func zipped(a []value.Value) value.Value {
	columns := make([][]value.Value, len(a))
	length := 0
	for i, v := range a {
		columns[i], _ = v.Array()
		length = max(length, len(columns[i]))
	}
	rows := make([]value.Value, length)
	for i := range rows {
		row := make([]value.Value, len(columns))
		for j, c := range columns {
			row[j] = nullAny
			if i < len(c) {
				row[j] = c[i]
			}
		}
		rows[i] = value.NewArray(row)
	}
	return value.NewArray(rows)
}
