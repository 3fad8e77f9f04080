package aggregate

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

var counts = []Aggregate{
	{Name: "count", MaxArgs: 1, bind: func(c call) (Bound, error) {
		arg := len(c.args) - 1
		if arg == 0 && c.args[0].Kind == value.Bool {
			return Bound{}, refusef("count(): a condition is not supported here; countif() takes one")
		}
		return alike([]Result{{Kind: value.Long, Prefix: "count_", Arg: arg}}, count(0)), nil
	}},
	{Name: "countif", MinArgs: 1, MaxArgs: 1, bind: func(c call) (Bound, error) {
		if err := c.predicate(0); err != nil {
			return Bound{}, err
		}
		b := alike([]Result{{Kind: value.Long, Prefix: "countif_", Arg: -1}}, countIf{})
		b.Filter = 1
		return b, nil
	}},
}

type count int64

func (n *count) Add([]value.Value) error { *n++; return nil }

func (n *count) AppendResults(to []value.Value) []value.Value {
	return append(to, value.NewLong(int64(*n)))
}

type countIf struct{ count }

func (n *countIf) Add(args []value.Value) error {
	if args[0].Bool() {
		n.count++
	}
	return nil
}
