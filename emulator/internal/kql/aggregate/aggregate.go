// Package aggregate holds the aggregation functions of the Kusto query
// language (https://learn.microsoft.com/kusto/query/aggregation-functions).
//
// dcount and percentile are estimates in the service; here they are exact,
// which is within the service's documented error.
package aggregate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Accumulator takes in the rows of one group.
type Accumulator interface {
	// Add takes in one row: the values of the arguments, in order. It does
	// not keep the slice.
	Add(args []value.Value) error
	// AppendResults appends one value per result column, of the kinds bound.
	// More rows may be added afterwards.
	AppendResults(to []value.Value) []value.Value
}

// Result is a result column.
type Result = scalar.Result

// Bound is an aggregate bound to arguments.
type Bound struct {
	Results []Result
	New     func() Accumulator
	Column  func() Column // of such accumulators; nil where Columns makes one of New
	First   bool          // the results are the arguments of the first row

	// Filter is the number, from 1 on, of the argument that says whether a row counts;
	// the others are not looked at where it does not. 0 is none.
	Filter int
}

// Aggregate is an aggregation function by name.
type Aggregate struct {
	Name string
	// MinArgs and MaxArgs bound the number of arguments; MaxArgs < 0 is no bound.
	MinArgs, MaxArgs int
	// Star says that * is allowed in place of arguments from position StarAt
	// on; it stands for all columns that are no group keys.
	Star   bool
	StarAt int

	bind func(c call) (Bound, error)
}

// call is a call that is being bound.
type call struct {
	name string
	args []scalar.Arg
}

// Bind chooses the accumulator for the arguments. The error is Kusto's text,
// without code.
func (a Aggregate) Bind(args []scalar.Arg) (Bound, error) {
	n := len(args)
	switch {
	case a.MinArgs == a.MaxArgs && n != a.MinArgs:
		return Bound{}, refusef("%s(): function expects %d argument(s).", a.Name, a.MinArgs)
	case n < a.MinArgs && a.MaxArgs < 0:
		return Bound{}, refusef("%s(): function expects at least %d argument(s).", a.Name, a.MinArgs)
	case n < a.MinArgs, a.MaxArgs >= 0 && n > a.MaxArgs:
		return Bound{}, refusef("%s(): function expects [%d-%d] argument(s).", a.Name, a.MinArgs, a.MaxArgs)
	}
	return a.bind(call{name: a.Name, args: args})
}

// Lookup finds an aggregate by its name, which is case-sensitive.
func Lookup(name string) (Aggregate, bool) {
	a, ok := registry[name]
	return a, ok
}

// Names are the names of all aggregates, sorted.
func Names() []string { return slices.Sorted(maps.Keys(registry)) }

var registry = func() map[string]Aggregate {
	all := map[string]Aggregate{}
	for _, group := range [][]Aggregate{counts, sums, extremes, rows, collections, distincts, bitwise, spreads, covariances, ranks, weightedRanks} {
		for _, a := range group {
			all[a.Name] = a
		}
	}
	return all
}()

// kinds is a set of kinds.
type kinds uint16

const (
	boolean  kinds = 1 << value.Bool
	integer  kinds = 1<<value.Int | 1<<value.Long
	numeric  kinds = integer | 1<<value.Real | 1<<value.Decimal
	times    kinds = 1<<value.DateTime | 1<<value.TimeSpan
	ordered  kinds = numeric | times | boolean | 1<<value.String | 1<<value.GUID
	dynamic  kinds = 1 << value.Dynamic
	anything kinds = ordered | dynamic
)

// check verifies the kind of argument i.
func (c call) check(i int, want kinds, what string) error {
	if i < len(c.args) && want&(1<<c.args[i].Kind) == 0 {
		return refusef("%s(): argument #%d expected to be %s", c.name, i+1, what)
	}
	return nil
}

// predicate verifies that argument i is a condition.
func (c call) predicate(i int) error { return c.check(i, boolean, "a boolean expression") }

// number is the constant number at i, or otherwise when it is left out.
func (c call) number(i int, otherwise float64) (float64, error) {
	if i >= len(c.args) {
		return otherwise, nil
	}
	if err := c.check(i, numeric, "a numeric constant"); err != nil {
		return 0, err
	}
	if c.args[i].Const == nil || c.args[i].Const.IsNull() {
		return 0, refusef("%s(): argument #%d must be a constant", c.name, i+1)
	}
	return c.args[i].Const.Real(), nil
}

// one is the single result of most aggregates: prefix_X.
func one(kind value.Kind, prefix string) []Result {
	return []Result{{Kind: kind, Prefix: prefix + "_", Arg: 0}}
}

// conditional is the aggregate with a predicate as second argument, made from
// the one without.
func conditional(name, prefix string, a Aggregate) Aggregate {
	return Aggregate{Name: name, MinArgs: a.MinArgs + 1, MaxArgs: a.MaxArgs + 1, bind: func(c call) (Bound, error) {
		if err := c.predicate(1); err != nil {
			return Bound{}, err
		}
		b, err := a.bind(call{name: name, args: slices.Delete(slices.Clone(c.args), 1, 2)})
		if err != nil {
			return Bound{}, err
		}
		b.Results = slices.Clone(b.Results)
		b.Results[0].Prefix = prefix
		inner := b
		b.New = func() Accumulator { return &filtered{inner.New()} }
		b.Column = func() Column { return &filteredColumn{inner.Columns()} }
		b.Filter = 2
		return b, nil
	}}
}

// filtered passes on the rows whose second argument is true.
type filtered struct{ Accumulator }

func (f *filtered) Add(args []value.Value) error {
	if !args[1].Bool() {
		return nil
	}
	return f.Accumulator.Add(args[:1])
}

func refusef(format string, args ...any) error {
	return &scalar.Error{Message: fmt.Sprintf(format, args...)}
}
