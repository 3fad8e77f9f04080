package aggregate

import (
	"cmp"
	"math"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// weightedRanks are percentiles of values that count as often as their weight
// says (https://learn.microsoft.com/kusto/query/percentilesw-aggregation-function).
var weightedRanks = []Aggregate{
	{Name: "percentilew", MinArgs: 3, MaxArgs: 3, bind: bindWeighted(bindPercentiles)},
	{Name: "percentilesw", MinArgs: 3, MaxArgs: -1, bind: bindWeighted(bindPercentiles)},
	{Name: "percentilesw_array", MinArgs: 3, MaxArgs: -1, bind: bindWeighted(bindPercentilesArray)},
}

func bindWeighted(plain func(c call) (Bound, error)) func(c call) (Bound, error) {
	return func(c call) (Bound, error) {
		if err := c.check(1, integer, "an integer expression"); err != nil {
			return Bound{}, err
		}
		without := call{name: c.name, args: append([]scalar.Arg{c.args[0]}, c.args[2:]...)}
		b, err := plain(without)
		if err != nil {
			return Bound{}, err
		}
		wanted, err := without.percentiles()
		if err != nil {
			return Bound{}, err
		}
		_, array := b.New().(*percentilesArray)
		kind := c.args[0].Kind
		b.New = func() Accumulator { return &weighted{wanted: wanted, kind: kind, array: array} }
		return b, nil
	}
}

type weighted struct {
	values []weightedValue
	wanted []float64
	kind   value.Kind
	array  bool
}

type weightedValue struct {
	v value.Value
	n int64
}

func (w *weighted) Add(args []value.Value) error {
	if n := args[1].Int64(); !args[0].IsNull() && n > 0 {
		w.values = append(w.values, weightedValue{args[0], n})
	}
	return nil
}

func (w *weighted) AppendResults(to []value.Value) []value.Value {
	slices.SortStableFunc(w.values, func(a, b weightedValue) int { return cmp.Compare(value.Compare(a.v, b.v), 0) })
	total := 0.0
	for _, v := range w.values {
		total += float64(v.n)
	}
	results := make([]value.Value, 0, len(w.wanted))
	for _, wanted := range w.wanted {
		rank, sum, result := math.Max(1, math.Ceil(wanted/100*total)), 0.0, value.Null(w.kind)
		for _, v := range w.values {
			if sum += float64(v.n); sum >= rank {
				result = v.v
				break
			}
		}
		results = append(results, result)
	}
	switch {
	case w.array && len(w.values) == 0:
		return append(to, value.Null(value.Dynamic))
	case w.array:
		return append(to, value.NewArray(results))
	}
	return append(to, results...)
}
