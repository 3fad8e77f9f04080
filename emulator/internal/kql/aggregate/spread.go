package aggregate

import (
	"math"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

var (
	stdev     = spreadAggregate("stdev", true, true)
	stdevp    = spreadAggregate("stdevp", true, false)
	variance  = spreadAggregate("variance", false, true)
	variancep = spreadAggregate("variancep", false, false)
)

// spreads: nulls are left out; the spread of fewer than two values is 0.
var spreads = []Aggregate{
	stdev, conditional("stdevif", "stdevif_", stdev), stdevp,
	variance, conditional("varianceif", "varianceif_", variance), variancep, conditional("variancepif", "variancepif_", variancep),
}

func spreadAggregate(name string, root, sample bool) Aggregate {
	return Aggregate{Name: name, MinArgs: 1, MaxArgs: 1, bind: func(c call) (Bound, error) {
		if err := c.check(0, numeric, "a numeric expression"); err != nil {
			return Bound{}, err
		}
		return Bound{Results: one(value.Real, name), New: func() Accumulator { return &spread{root: root, sample: sample} }}, nil
	}}
}

// spread follows Welford's method: mean and sum of squared differences so far.
type spread struct {
	mean, squares float64
	n             int64
	root, sample  bool
}

func (s *spread) Add(args []value.Value) error {
	if args[0].IsNull() {
		return nil
	}
	x := args[0].Real()
	s.n++
	delta := x - s.mean
	s.mean += delta / float64(s.n)
	s.squares += delta * (x - s.mean)
	return nil
}

func (s *spread) AppendResults(to []value.Value) []value.Value {
	n := s.n
	if s.sample {
		n--
	}
	result := 0.0
	if n > 0 {
		result = s.squares / float64(n)
	}
	if s.root {
		result = math.Sqrt(result)
	}
	return append(to, value.NewReal(result))
}
