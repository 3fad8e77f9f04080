package aggregate

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// covariances of pairs; a pair with a null is left out. Those with a condition
// are called as those without.
var covariances = []Aggregate{
	covarianceAggregate("covariance", false, true), covarianceAggregate("covarianceif", true, true),
	covarianceAggregate("covariancep", false, false), covarianceAggregate("covariancepif", true, false),
}

func covarianceAggregate(name string, filtered, sample bool) Aggregate {
	args := 2
	if filtered {
		args = 3
	}
	return Aggregate{Name: name, MinArgs: args, MaxArgs: args, bind: func(c call) (Bound, error) {
		for i := range 2 {
			if err := c.check(i, numeric, "a numeric expression"); err != nil {
				return Bound{}, err
			}
		}
		if filtered {
			if err := c.predicate(2); err != nil {
				return Bound{}, err
			}
		}
		results := []Result{{Kind: value.Real, Prefix: name + "_", Arg: 0, And: 1}}
		return Bound{Results: results, New: func() Accumulator { return &covariance{sample: sample} }}, nil
	}}
}

// covariance follows Welford's method for pairs.
type covariance struct {
	x, y, product float64
	n             int64
	sample        bool
}

func (s *covariance) Add(args []value.Value) error {
	if args[0].IsNull() || args[1].IsNull() || len(args) > 2 && !args[2].Bool() {
		return nil
	}
	x, y := args[0].Real(), args[1].Real()
	s.n++
	dx := x - s.x
	s.x += dx / float64(s.n)
	s.y += (y - s.y) / float64(s.n)
	s.product += dx * (y - s.y)
	return nil
}

func (s *covariance) AppendResults(to []value.Value) []value.Value {
	n := s.n
	if s.sample {
		n--
	}
	if n <= 0 {
		return append(to, value.NewReal(0))
	}
	return append(to, value.NewReal(s.product/float64(n)))
}
