package aggregate

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// ranks are the nearest-rank percentiles: the smallest value that at least P
// percent of the values do not exceed; the 0th is the smallest
// (https://learn.microsoft.com/kusto/query/percentiles-aggregation-function).
var ranks = []Aggregate{
	{Name: "percentile", MinArgs: 2, MaxArgs: 2, bind: bindPercentiles},
	{Name: "percentiles", MinArgs: 2, MaxArgs: -1, bind: bindPercentiles},
	{Name: "percentiles_array", MinArgs: 2, MaxArgs: -1, bind: bindPercentilesArray},
}

func bindPercentiles(c call) (Bound, error) {
	wanted, err := c.percentiles()
	if err != nil {
		return Bound{}, err
	}
	results := make([]Result, len(wanted))
	for i, p := range wanted {
		suffix := "_" + strings.ReplaceAll(strconv.FormatFloat(p, 'f', -1, 64), ".", "_")
		results[i] = Result{Kind: c.args[0].Kind, Prefix: "percentile_", Arg: 0, Suffix: suffix}
	}
	kind := c.args[0].Kind
	return Bound{Results: results, New: func() Accumulator { return &percentiles{wanted: wanted, kind: kind} }}, nil
}

func bindPercentilesArray(c call) (Bound, error) {
	wanted, err := c.percentiles()
	if err != nil {
		return Bound{}, err
	}
	kind := c.args[0].Kind
	return Bound{Results: one(value.Dynamic, "percentiles"), New: func() Accumulator {
		return &percentilesArray{percentiles{wanted: wanted, kind: kind}}
	}}, nil
}

// percentiles reads the percentiles asked for: constants, or one constant
// array of numbers.
func (c call) percentiles() ([]float64, error) {
	if err := c.check(0, numeric|times, "a numeric, datetime or timespan expression"); err != nil {
		return nil, err
	}
	var wanted []float64
	if c.args[1].Const != nil && c.args[1].Const.IsArray() {
		elements, _ := c.args[1].Const.Array()
		for _, e := range elements {
			wanted = append(wanted, e.Real())
		}
	} else {
		for i := 1; i < len(c.args); i++ {
			p, err := c.number(i, 0)
			if err != nil {
				return nil, err
			}
			wanted = append(wanted, p)
		}
	}
	for _, p := range wanted {
		if !(p >= 0 && p <= 100) {
			return nil, refusef("%s(): a percentile must be in the range [0, 100], found %v", c.name, p)
		}
	}
	return wanted, nil
}

type percentiles struct {
	values []value.Value
	wanted []float64
	kind   value.Kind
}

func (p *percentiles) Add(args []value.Value) error {
	if !args[0].IsNull() {
		p.values = append(p.values, args[0])
	}
	return nil
}

func (p *percentiles) AppendResults(to []value.Value) []value.Value {
	slices.SortFunc(p.values, value.Compare)
	for _, wanted := range p.wanted {
		v := value.Null(p.kind)
		if n := len(p.values); n > 0 {
			rank := int(math.Ceil(wanted / 100 * float64(n)))
			v = p.values[min(max(rank, 1), n)-1]
		}
		to = append(to, v)
	}
	return to
}

type percentilesArray struct{ percentiles }

func (p *percentilesArray) AppendResults(to []value.Value) []value.Value {
	if len(p.values) == 0 {
		return append(to, value.Null(value.Dynamic))
	}
	return append(to, value.NewArray(p.percentiles.AppendResults(nil)))
}
