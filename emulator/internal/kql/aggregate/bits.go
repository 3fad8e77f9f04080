package aggregate

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// bitwise combine the bits of longs; nulls are left out, and nothing is null.
var bitwise = []Aggregate{
	bitAggregate("binary_all_and", func(x, y int64) int64 { return x & y }),
	bitAggregate("binary_all_or", func(x, y int64) int64 { return x | y }),
	bitAggregate("binary_all_xor", func(x, y int64) int64 { return x ^ y }),
}

func bitAggregate(name string, join func(x, y int64) int64) Aggregate {
	return Aggregate{Name: name, MinArgs: 1, MaxArgs: 1, bind: func(c call) (Bound, error) {
		if err := c.check(0, integer, "an integer expression"); err != nil {
			return Bound{}, err
		}
		return Bound{Results: one(value.Long, name), New: func() Accumulator { return &bits{join: join} }}, nil
	}}
}

type bits struct {
	join func(x, y int64) int64
	n    int64
	any  bool
}

func (b *bits) Add(args []value.Value) error {
	switch {
	case args[0].IsNull():
	case !b.any:
		b.n, b.any = args[0].Int64(), true
	default:
		b.n = b.join(b.n, args[0].Int64())
	}
	return nil
}

func (b *bits) AppendResults(to []value.Value) []value.Value {
	if !b.any {
		return append(to, value.Null(value.Long))
	}
	return append(to, value.NewLong(b.n))
}
