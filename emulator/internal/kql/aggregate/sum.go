package aggregate

import (
	"math"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

var (
	sumOf = Aggregate{Name: "sum", MinArgs: 1, MaxArgs: 1, bind: bindSum}
	avgOf = Aggregate{Name: "avg", MinArgs: 1, MaxArgs: 1, bind: bindAvg}
)

// sums: nulls are left out; the sum of nothing is 0, its average null.
var sums = []Aggregate{
	sumOf, conditional("sumif", "sumif_", sumOf),
	avgOf, conditional("avgif", "avgif_", avgOf),
}

func bindSum(c call) (Bound, error) {
	if err := c.check(0, numeric|1<<value.TimeSpan, "a numeric or timespan expression"); err != nil {
		return Bound{}, err
	}
	switch c.args[0].Kind {
	case value.Real:
		return alike(one(value.Real, "sum"), sumReal(0)), nil
	case value.Decimal:
		return alike(one(value.Decimal, "sum"), sumDecimal{value.NewLong(0).ToDecimal()}), nil
	case value.TimeSpan:
		return alike(one(value.TimeSpan, "sum"), sumSpan{}), nil
	}
	return alike(one(value.Long, "sum"), sumLong(0)), nil
}

// sumLong adds integers and wraps on overflow.
type sumLong int64

func (s *sumLong) Add(args []value.Value) error {
	*s += sumLong(args[0].Int64()) // 0 for null
	return nil
}

func (s *sumLong) AppendResults(to []value.Value) []value.Value {
	return append(to, value.NewLong(int64(*s)))
}

type sumSpan struct{ sumLong }

func (s *sumSpan) AppendResults(to []value.Value) []value.Value {
	return append(to, value.NewTimeSpan(int64(s.sumLong)))
}

type sumReal float64

func (s *sumReal) Add(args []value.Value) error {
	if !args[0].IsNull() {
		*s += sumReal(args[0].Real())
	}
	return nil
}

func (s *sumReal) AppendResults(to []value.Value) []value.Value {
	return append(to, value.NewReal(float64(*s)))
}

type sumDecimal struct{ total value.Value }

func (s *sumDecimal) Add(args []value.Value) error {
	if !args[0].IsNull() {
		s.total = value.DecimalArithmetic('+', s.total, args[0])
	}
	return nil
}

func (s *sumDecimal) AppendResults(to []value.Value) []value.Value { return append(to, s.total) }

func bindAvg(c call) (Bound, error) {
	if err := c.check(0, numeric|1<<value.TimeSpan, "a numeric or timespan expression"); err != nil {
		return Bound{}, err
	}
	kind := value.Real
	switch k := c.args[0].Kind; k {
	case value.TimeSpan, value.Decimal:
		kind = k
	}
	if kind == value.Decimal {
		return alike(one(kind, "avg"), avgDecimal{sumDecimal: sumDecimal{value.NewLong(0).ToDecimal()}}), nil
	}
	return alike(one(kind, "avg"), average{kind: kind}), nil
}

type average struct {
	sum  float64
	n    int64
	kind value.Kind
}

func (a *average) Add(args []value.Value) error {
	if !args[0].IsNull() {
		a.sum += args[0].Real()
		a.n++
	}
	return nil
}

func (a *average) AppendResults(to []value.Value) []value.Value {
	switch {
	case a.n == 0 && a.kind == value.Real:
		return append(to, value.NewReal(math.NaN())) // as recorded from the real engine
	case a.n == 0:
		return append(to, value.Null(a.kind))
	case a.kind == value.TimeSpan:
		return append(to, value.NewTimeSpan(int64(math.Round(a.sum/float64(a.n)))))
	}
	return append(to, value.NewReal(a.sum/float64(a.n)))
}

type avgDecimal struct {
	sumDecimal
	n int64
}

func (a *avgDecimal) Add(args []value.Value) error {
	if !args[0].IsNull() {
		a.n++
	}
	return a.sumDecimal.Add(args)
}

func (a *avgDecimal) AppendResults(to []value.Value) []value.Value {
	return append(to, value.DecimalArithmetic('/', a.total, value.NewLong(a.n)))
}
