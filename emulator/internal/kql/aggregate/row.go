package aggregate

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

var takeAny = Aggregate{Name: "take_any", MinArgs: 1, MaxArgs: -1, Star: true, bind: bindTakeAny("")}

// rows choose one row of the group: the first, except that a single argument
// gives a value that is not null and not empty if there is one.
var rows = []Aggregate{
	takeAny,
	{Name: "any", MinArgs: 1, MaxArgs: -1, Star: true, bind: bindTakeAny("any_")},
	conditional("take_anyif", "", Aggregate{MinArgs: 1, MaxArgs: 1, bind: bindTakeAny("")}),
	conditional("anyif", "anyif_", Aggregate{MinArgs: 1, MaxArgs: 1, bind: bindTakeAny("")}),
}

func bindTakeAny(prefix string) func(call) (Bound, error) {
	return func(c call) (Bound, error) {
		results := make([]Result, len(c.args))
		for i, a := range c.args {
			results[i] = Result{Kind: a.Kind, Prefix: prefix, Arg: i}
		}
		empty := nulls(results)
		b := alike(results, anyRow{empty: empty})
		b.First = len(results) > 1
		return b, nil
	}
}

type anyRow struct {
	row   []value.Value
	empty []value.Value
}

func (a *anyRow) Add(args []value.Value) error {
	switch {
	case a.row == nil:
		a.row = append(a.row, args...)
	case len(a.row) == 1 && isEmpty(a.row[0]):
		a.row[0] = args[0]
	}
	return nil
}

func isEmpty(v value.Value) bool {
	return v.IsNull() || v.Kind() == value.String && v.Text() == ""
}

func (a *anyRow) AppendResults(to []value.Value) []value.Value {
	if a.row == nil {
		return append(to, a.empty...)
	}
	return append(to, a.row...)
}
