package scalar

import (
	"fmt"
	"math"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// seriesShapes are statistics, filters, fits and fills of series
// (https://learn.microsoft.com/kusto/query/scalar-functions#series-processing-functions).
var seriesShapes = []Function{
	several("series_stats", params{isDynamic, isBool}, statColumns[:7], func(a []value.Value) ([]value.Value, error) {
		return seriesStats(a)[:7], nil
	}).arity(1, 2),
	fn("series_stats_dynamic", value.Dynamic, params{isDynamic, isBool}, func(a []value.Value) value.Value {
		stats := seriesStats(a)
		if stats[0].IsNull() {
			return nullAny
		}
		return bagOf(statColumns, stats)
	}).arity(1, 2),
	several("series_fit_line", params{isDynamic}, lineColumns, func(a []value.Value) ([]value.Value, error) {
		y, ok := numbersOf(a[0])
		if !ok || len(y) < 2 {
			return nil, notNumbers("series_fit_line")
		}
		return fitLine(y).values(), nil
	}),
	fallible("series_fit_line_dynamic", 1, 1, params{isDynamic}, func(a []value.Value) (value.Value, error) {
		y, ok := numbersOf(a[0])
		if !ok || len(y) < 2 {
			return value.Value{}, notNumbers("series_fit_line_dynamic")
		}
		v := fitLine(y).values()
		order := []int{1, 4, 0, 2, 3, 5} // as the service prints them
		slots := make([]value.Property, len(order))
		for i, at := range order {
			slots[i] = value.Property{Name: lineColumns[at].Suffix[1:], Value: v[at]}
		}
		return value.NewBag(slots), nil
	}),
	several("series_fit_2lines", params{isDynamic}, twoLineColumns, func(a []value.Value) ([]value.Value, error) {
		y, ok := numbersOf(a[0])
		if !ok || len(y) < 4 {
			return nil, notNumbers("series_fit_2lines")
		}
		l := fitTwoLines(y)
		v := make([]value.Value, len(twoLineColumns))
		all := l.values()
		v[0], v[2], v[3], v[4] = all[0], all[2], all[3], all[5]
		return v, nil
	}),
	fallible("series_fir", 2, 4, params{isDynamic, isDynamic, isBool}, seriesFIR),
	fallible("series_iir", 3, 3, params{isDynamic}, seriesIIR),
	custom("series_fill_const", 2, 3, bindFill(func(e []value.Value, missing func(value.Value) bool, constant value.Value) {
		for i := range e {
			if missing(e[i]) {
				e[i] = constant
			}
		}
	})),
	custom("series_fill_forward", 1, 2, bindFill(func(e []value.Value, missing func(value.Value) bool, _ value.Value) {
		for i := 1; i < len(e); i++ {
			if missing(e[i]) {
				e[i] = e[i-1]
			}
		}
	})),
	custom("series_fill_backward", 1, 2, bindFill(func(e []value.Value, missing func(value.Value) bool, _ value.Value) {
		for i := len(e) - 2; i >= 0; i-- {
			if missing(e[i]) {
				e[i] = e[i+1]
			}
		}
	})),
	fallible("series_fill_linear", 1, 1, params{isDynamic}, fillLinear),
}

// several makes a function with several results, whose names begin with its own
// and that of its first argument. It has an argument for each of p.
func several(name string, p params, results []Result, f func(a []value.Value) ([]value.Value, error)) Function {
	named := slices.Clone(results)
	for i := range named {
		named[i].Prefix = name + "_"
	}
	return custom(name, len(p), len(p), func(c call) (Bound, error) {
		if err := p.check(c); err != nil {
			return Bound{}, err
		}
		return Bound{Kind: value.Dynamic, Cost: 50, Results: named, Eval: func(a []value.Value) (value.Value, error) {
			if a[0].IsNull() {
				return nullAny, nil
			}
			v, err := f(a)
			return value.NewArray(v), err
		}}, nil
	})
}

// fallible makes a function on an array that can fail.
func fallible(name string, least, most int, p params, f Kernel) Function {
	return custom(name, least, most, func(c call) (Bound, error) {
		if err := p.check(c); err != nil {
			return Bound{}, err
		}
		return Bound{Kind: value.Dynamic, Cost: 50, Eval: func(a []value.Value) (value.Value, error) {
			if slices.ContainsFunc(a, value.Value.IsNull) {
				return nullAny, nil
			}
			return f(a)
		}}, nil
	})
}

func bagOf(names []Result, values []value.Value) value.Value {
	slots := make([]value.Property, len(values))
	for i, v := range values {
		slots[i] = value.Property{Name: names[i].Suffix[1:], Value: v}
	}
	return value.NewBag(slots)
}

var statColumns = []Result{
	{Kind: value.Real, Suffix: "_min"},
	{Kind: value.Long, Suffix: "_min_idx"},
	{Kind: value.Real, Suffix: "_max"},
	{Kind: value.Long, Suffix: "_max_idx"},
	{Kind: value.Real, Suffix: "_avg"},
	{Kind: value.Real, Suffix: "_stdev"},
	{Kind: value.Real, Suffix: "_variance"},
	{Kind: value.Real, Suffix: "_sum"},
	{Kind: value.Long, Suffix: "_len"},
}

// seriesStats is the statistics of an array; all null if an element is not
// finite, unless such elements are skipped.
func seriesStats(a []value.Value) []value.Value {
	unknown := make([]value.Value, len(statColumns))
	for i, c := range statColumns {
		unknown[i] = value.Null(c.Kind)
	}
	s, ok := seriesOf(a[0])
	if !ok || s.repeated {
		return unknown
	}
	least, most, n, sum := -1, -1, 0, 0.0
	finite := func(e value.Value) bool { return !e.IsNull() && !math.IsInf(e.Real(), 0) && !isNaN(e) }
	for i, e := range s.elements {
		if !finite(e) {
			if len(a) > 1 && a[1].Bool() {
				continue
			}
			return unknown
		}
		n++
		sum += e.Real()
		if least < 0 || e.Real() < s.elements[least].Real() {
			least = i
		}
		if most < 0 || e.Real() > s.elements[most].Real() {
			most = i
		}
	}
	if n == 0 {
		return unknown
	}
	avg, squares, seen := 0.0, 0.0, 0.0 // Welford's method, whose last digits are the service's
	for _, e := range s.elements {
		if finite(e) {
			seen++
			delta := e.Real() - avg
			avg += delta / seen
			squares += delta * (e.Real() - avg)
		}
	}
	avg = sum / float64(n)
	variance := 0.0
	if n > 1 {
		variance = squares / float64(n-1)
	}
	return []value.Value{
		value.NewReal(s.elements[least].Real()), value.NewLong(int64(least)),
		value.NewReal(s.elements[most].Real()), value.NewLong(int64(most)),
		value.NewReal(avg), value.NewReal(math.Sqrt(variance)), value.NewReal(variance),
		value.NewReal(sum), value.NewLong(int64(n)),
	}
}

// maxFilterCost limits the steps of a filter per array.
const maxFilterCost = 1 << 26

func filterCost(name string, elements, coefficients int) error {
	if coefficients > 0 && elements > maxFilterCost/coefficients {
		return fmt.Errorf("%s(): %d elements with %d coefficients are too many", name, elements, coefficients)
	}
	return nil
}

// seriesFIR is series_fir(series, filter [, normalize [, center]]).
func seriesFIR(a []value.Value) (value.Value, error) {
	x, okX := numbersOf(a[0])
	filter, okF := numbersOf(a[1])
	if !okX || !okF || len(filter) == 0 {
		return value.Value{}, notNumbers("series_fir")
	}
	if err := filterCost("series_fir", len(x), len(filter)); err != nil {
		return value.Value{}, err
	}
	negative := slices.ContainsFunc(filter, func(f float64) bool { return f < 0 })
	normalize, center := !negative, len(a) > 3 && a[3].Bool()
	if len(a) > 2 {
		normalize = a[2].Bool()
	}
	ahead := 0
	switch {
	case normalize && negative:
		return nullAny, nil
	case center && len(filter)%2 == 0:
		return value.Value{}, notNumbers("series_fir")
	case center:
		ahead = len(filter) / 2
	}
	total := 1.0
	if normalize {
		total = mean(filter) * float64(len(filter))
	}
	sx, _ := seriesOf(a[0])
	sf, _ := seriesOf(a[1])
	result := make([]value.Value, len(x))
	for i := range x {
		sum := 0.0
		for j, f := range filter {
			if at := i - j + ahead; at >= 0 && at < len(x) {
				sum += f * x[at]
			}
		}
		if result[i] = value.NewReal(sum / total); sx.whole && sf.whole && !normalize {
			result[i] = value.NewLong(int64(sum))
		}
	}
	return value.NewArray(result), nil
}

// seriesIIR is series_iir(series, numerators, denominators).
func seriesIIR(a []value.Value) (value.Value, error) {
	x, okX := numbersOf(a[0])
	up, okU := numbersOf(a[1])
	down, okD := numbersOf(a[2])
	if !okX || !okU || !okD || len(down) == 0 || down[0] == 0 {
		return value.Value{}, notNumbers("series_iir")
	}
	if err := filterCost("series_iir", len(x), len(up)+len(down)); err != nil {
		return value.Value{}, err
	}
	y := make([]float64, len(x))
	result := make([]value.Value, len(x))
	for i := range x {
		for j := 0; j < len(up) && j <= i; j++ {
			y[i] += up[j] * x[i-j]
		}
		for j := 1; j < len(down) && j <= i; j++ {
			y[i] -= down[j] * y[i-j]
		}
		y[i] /= down[0]
		result[i] = value.NewReal(y[i])
	}
	return value.NewArray(result), nil
}

// bindFill binds a function that fills elements that are missing: null, or equal
// to the last argument.
func bindFill(fill func(e []value.Value, missing func(value.Value) bool, constant value.Value)) binder {
	return func(c call) (Bound, error) {
		if err := (params{isDynamic, isScalar | isDynamic}).check(c); err != nil {
			return Bound{}, err
		}
		least := 1
		if c.name == "series_fill_const" {
			least = 2
		}
		return Bound{Kind: value.Dynamic, Cost: 30, Eval: func(a []value.Value) (value.Value, error) {
			elements, ok := a[0].Array()
			if !ok {
				return nullAny, nil
			}
			missing := value.Value.IsNull
			if len(a) > least && !a[least].IsNull() {
				placeholder := value.NewDynamic(a[least])
				missing = func(v value.Value) bool { return value.Equal(v, placeholder) }
			}
			constant := nullAny
			if least == 2 {
				constant = value.NewDynamic(a[1])
			}
			elements = slices.Clone(elements)
			fill(elements, missing, constant)
			return value.NewArray(elements), nil
		}}, nil
	}
}
