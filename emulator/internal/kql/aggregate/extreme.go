package aggregate

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

var (
	minOf = Aggregate{Name: "min", MinArgs: 1, MaxArgs: 1, bind: bindExtreme("min", -1)}
	maxOf = Aggregate{Name: "max", MinArgs: 1, MaxArgs: 1, bind: bindExtreme("max", 1)}
)

// extremes: nulls are left out; the extreme of nothing is null.
var extremes = []Aggregate{
	minOf, conditional("minif", "minif_", minOf),
	maxOf, conditional("maxif", "maxif_", maxOf),
	argExtreme("arg_min", -1), argExtreme("argmin", -1),
	argExtreme("arg_max", 1), argExtreme("argmax", 1),
}

func bindExtreme(prefix string, sign int) func(call) (Bound, error) {
	return func(c call) (Bound, error) {
		if err := c.check(0, ordered, "a scalar expression of a simple type"); err != nil {
			return Bound{}, err
		}
		kind := c.args[0].Kind
		switch kind {
		case value.Int, value.Long, value.DateTime, value.TimeSpan, value.Bool:
			return alike(one(kind, prefix), extremeWhole{kind: kind, sign: int8(sign)}), nil
		}
		return alike(one(kind, prefix), extreme{best: value.Null(kind), sign: int8(sign)}), nil
	}
}

// extreme keeps the greatest value, or the smallest for a negative sign.
type extreme struct {
	best value.Value
	sign int8
	any  bool
}

func (e *extreme) Add(args []value.Value) error {
	if v := args[0]; !v.IsNull() && (!e.any || value.Compare(v, e.best)*int(e.sign) > 0) {
		e.best, e.any = v, true
	}
	return nil
}

func (e *extreme) AppendResults(to []value.Value) []value.Value { return append(to, e.best) }

// extremeWhole is extreme for kinds whose values are compared by value.Value.Int64. It
// is small and holds nothing that the garbage collector looks at.
type extremeWhole struct {
	best int64
	kind value.Kind
	sign int8
	any  bool
}

func (e *extremeWhole) Add(args []value.Value) error {
	if args[0].IsNull() {
		return nil
	}
	if n := args[0].Int64(); !e.any || n > e.best == (e.sign > 0) && n != e.best {
		e.best, e.any = n, true
	}
	return nil
}

func (e *extremeWhole) AppendResults(to []value.Value) []value.Value {
	if !e.any {
		return append(to, value.Null(e.kind))
	}
	return append(to, value.FromBits(e.kind, e.best))
}

// argExtreme makes arg_max and arg_min: the row where the first argument is
// extreme, the first such row of several. Rows where it is null count only if
// there are no others
// (https://learn.microsoft.com/kusto/query/arg-max-aggregation-function).
func argExtreme(name string, sign int) Aggregate {
	return Aggregate{Name: name, MinArgs: 1, MaxArgs: -1, Star: true, StarAt: 1, bind: func(c call) (Bound, error) {
		if err := c.check(0, ordered, "a scalar expression of a simple type"); err != nil {
			return Bound{}, err
		}
		results := make([]Result, len(c.args))
		for i, a := range c.args {
			results[i] = Result{Kind: a.Kind, Arg: i}
		}
		empty := nulls(results)
		return alike(results, extremeRow{empty: empty, sign: sign}), nil
	}}
}

// nulls is a row of nulls of the results' kinds.
func nulls(results []Result) []value.Value {
	row := make([]value.Value, len(results))
	for i, r := range results {
		row[i] = value.Null(r.Kind)
	}
	return row
}

type extremeRow struct {
	row   []value.Value // nil before the first row
	empty []value.Value // result of no rows
	sign  int
}

func (e *extremeRow) Add(args []value.Value) error {
	switch {
	case e.row == nil:
		e.row = make([]value.Value, len(args))
	case args[0].IsNull():
		return nil
	case !e.row[0].IsNull() && value.Compare(args[0], e.row[0])*e.sign <= 0:
		return nil
	}
	copy(e.row, args)
	return nil
}

func (e *extremeRow) AppendResults(to []value.Value) []value.Value {
	if e.row == nil {
		return append(to, e.empty...)
	}
	return append(to, e.row...)
}
