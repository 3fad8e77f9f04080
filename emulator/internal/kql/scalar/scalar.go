// Package scalar holds the scalar functions and operators of the Kusto query
// language as kernels: functions from values to a value, chosen once for the
// types of the arguments, with everything constant compiled beforehand.
//
// Behaviour follows https://learn.microsoft.com/kusto/query/scalar-functions
// and the pages of the single functions; where a page leaves a case open the
// package refuses it when binding, or says so at the function.
//
// Nulls: unless a function says otherwise, a null argument makes the result
// null, or the empty string where the result is a string.
//
// Functions that need the row, the table or the clock (now, ago, pack_all,
// column_ifexists, ingestion_time, toscalar, row_number, prev, ...) are not
// here; the evaluator binds them.
package scalar

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Arg is what is known of an argument when an expression is bound.
type Arg struct {
	Kind  value.Kind
	Const *value.Value // the argument's value if it is constant
}

// Kernel computes a result. args has one value per bound argument, of the
// kinds bound; the kernel does not keep the slice. An error is a failure while
// running, such as that of assert().
type Kernel func(args []value.Value) (value.Value, error)

// Bound is a function or operator bound to arguments.
type Bound struct {
	Kind value.Kind // kind of the result; for dynamic results Dynamic
	Eval Kernel
	// One is Eval of a function with one argument that cannot fail, Test that of a
	// condition on the first argument, the others being constant, that is never null.
	// Either may be nil.
	One  func(v value.Value) value.Value
	Test func(v value.Value) bool
	Cost int // rough price of one call, 1 for a comparison of numbers
	// Results are the columns of a function that has several; Eval gives an
	// array of their values then.
	Results []Result
}

// Result is a result column. Its default name is Prefix, the name of argument
// Arg, and Suffix; the name of an argument that is no plain column is empty.
type Result struct {
	Kind   value.Kind
	Prefix string
	Arg    int // -1: no argument's name
	And    int // another argument, whose name follows behind an underscore; 0 for none
	Suffix string

	// Refused is set for a column whose values are not known exactly enough: a
	// query that reads it fails.
	Refused bool
	Unnamed string // in place of the name of an argument that has none
}

// Name is the column's default name; argument names the plain columns among
// the arguments, "" for others.
func (r Result) Name(argument func(i int) string) string {
	if r.Arg < 0 {
		return r.Prefix + r.Suffix
	}
	name := r.Prefix + cmp.Or(argument(r.Arg), r.Unnamed)
	if r.And > 0 {
		name += "_" + argument(r.And)
	}
	return name + r.Suffix
}

// Function is a scalar function by name.
type Function struct {
	Name string
	// MinArgs and MaxArgs bound the number of arguments; MaxArgs < 0 is no bound.
	MinArgs, MaxArgs int
	// Volatile says that calls with equal arguments may differ (rand, new_guid):
	// such a call is not constant even if its arguments are.
	Volatile bool

	bind binder
}

// binder chooses the kernel for arguments whose number fits.
type binder func(c call) (Bound, error)

// call is a call that is being bound.
type call struct {
	name string
	args []Arg
}

// Bind chooses the kernel for the arguments. The error's text is Kusto's,
// without code, such as `tolong(): function expects 1 argument(s).`
func (f Function) Bind(args []Arg) (Bound, error) {
	n := len(args)
	switch {
	case f.MaxArgs == f.MinArgs && n != f.MinArgs:
		return Bound{}, refusef("%s(): function expects %d argument(s).", f.Name, f.MinArgs)
	case n < f.MinArgs && f.MaxArgs < 0:
		return Bound{}, refusef("%s(): function expects at least %d argument(s).", f.Name, f.MinArgs)
	case n < f.MinArgs, f.MaxArgs >= 0 && n > f.MaxArgs:
		return Bound{}, refusef("%s(): function expects [%d-%d] argument(s).", f.Name, f.MinArgs, f.MaxArgs)
	}
	return f.bind(call{name: f.Name, args: args})
}

// Lookup finds a function by its name, which is case-sensitive.
func Lookup(name string) (Function, bool) {
	f, ok := registry[name]
	return f, ok
}

// Names are the names of all functions, sorted.
func Names() []string { return slices.Sorted(maps.Keys(registry)) }

// registry is every function by name.
var registry = func() map[string]Function {
	all := make(map[string]Function, 256)
	for _, group := range [][]Function{
		conversions, conditionals, nullTests,
		numerics, rounding, bitwise,
		textual(textFunctions, textEdits, searches, regexFunctions, encodings, byteFunctions, punycodes, parsers, commandLines, networkFunctions, networkFunctions6),
		hashes,
		timeZones, dateParts, dateArithmetic, epochs, formats,
		dynamicAccess, arrays, arrayOrder, bags, sets, seriesFunctions, seriesShapes,
		sizes, asserts, generators,
	} {
		for _, f := range group {
			all[f.Name] = f
		}
	}
	return all
}()
