package scalar

import (
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// class is a set of kinds that a parameter takes.
type class uint16

const (
	isBool     class = 1 << value.Bool
	isInteger  class = 1<<value.Int | 1<<value.Long
	isNumber   class = isInteger | 1<<value.Real | 1<<value.Decimal
	isDateTime class = 1 << value.DateTime
	isTimeSpan class = 1 << value.TimeSpan
	isString   class = 1 << value.String
	isGUID     class = 1 << value.GUID
	isDynamic  class = 1 << value.Dynamic
	isScalar   class = isBool | isNumber | isDateTime | isTimeSpan | isString | isGUID
	isAny      class = isScalar | isDynamic
)

func (c class) has(k value.Kind) bool { return c&(1<<k) != 0 }

// classNames are what Kusto's messages call the classes.
var classNames = map[class]string{
	isBool:                             "a boolean expression",
	isInteger:                          "an integer expression",
	isNumber:                           "a numeric expression",
	isDateTime:                         "a datetime expression",
	isTimeSpan:                         "a timespan expression",
	isString:                           "a string expression",
	isGUID:                             "a guid expression",
	isDynamic:                          "a dynamic expression",
	isScalar:                           "a scalar expression of a simple type",
	isNumber | isTimeSpan:              "a numeric or timespan expression",
	isDateTime | isTimeSpan:            "a datetime or timespan expression",
	isNumber | isDateTime | isTimeSpan: "a numeric, datetime or timespan expression",
}

func (c class) String() string {
	if name, ok := classNames[c]; ok {
		return name
	}
	var kinds []string
	for k := value.Bool; k <= value.Dynamic; k++ {
		if c.has(k) {
			kinds = append(kinds, k.String())
		}
	}
	return "an expression of type " + strings.Join(kinds, ", ")
}

// check verifies the argument at i.
func (c call) check(i int, want class) error {
	if want.has(c.args[i].Kind) {
		return nil
	}
	return c.refuse(i, "%v", want)
}

// refuse is the error that argument i is not what was expected.
func (c call) refuse(i int, format string, args ...any) error {
	return refusef("%s(): argument #%d expected to be %s", c.name, i+1, fmt.Sprintf(format, args...))
}

// constant is the value of argument i, which must be constant.
func (c call) constant(i int) (value.Value, error) {
	if c.args[i].Const == nil {
		return value.Value{}, refusef("%s(): argument #%d must be a constant", c.name, i+1)
	}
	return *c.args[i].Const, nil
}

// known is the value of argument i if it is constant and not null.
func (c call) known(i int) (value.Value, bool) {
	if i >= len(c.args) || c.args[i].Const == nil || c.args[i].Const.IsNull() {
		return value.Value{}, false
	}
	return *c.args[i].Const, true
}

// params are the classes of parameters; the last one stands for all further
// arguments.
type params []class

func (p params) check(c call) error {
	for i := range c.args {
		if err := c.check(i, p[min(i, len(p)-1)]); err != nil {
			return err
		}
	}
	return nil
}

// fn makes a function whose result has one kind, and which is null (or empty) when an
// argument is null. It has an argument for each of p; arity gives it other numbers.
func fn(name string, result value.Kind, p params, f func(args []value.Value) value.Value) Function {
	return typed(name, result, p, strict(result, f))
}

// lenient is fn for a function that sees nulls.
func lenient(name string, result value.Kind, p params, f func(args []value.Value) value.Value) Function {
	return typed(name, result, p, total(f))
}

func typed(name string, result value.Kind, p params, k Kernel) Function {
	return custom(name, len(p), len(p), func(c call) (Bound, error) {
		if err := p.check(c); err != nil {
			return Bound{}, err
		}
		return Bound{Kind: result, Eval: k, Cost: 5}, nil
	})
}

// arity is f for other numbers of arguments; -1 is no upper limit.
func (f Function) arity(least, most int) Function {
	f.MinArgs, f.MaxArgs = least, most
	return f
}

// custom makes a function that binds itself.
func custom(name string, least, most int, bind binder) Function {
	return Function{Name: name, MinArgs: least, MaxArgs: most, bind: bind}
}

// alias is f under another name.
func alias(name string, f Function) Function {
	f.Name = name
	return f
}

// strict makes a kernel that is null when an argument is null.
func strict(result value.Kind, f func(args []value.Value) value.Value) Kernel {
	null := value.Null(result)
	return func(args []value.Value) (value.Value, error) {
		for i := range args {
			if args[i].IsNull() {
				return null, nil
			}
		}
		return f(args), nil
	}
}

// total makes a kernel of a function that cannot fail.
func total(f func(args []value.Value) value.Value) Kernel {
	return func(args []value.Value) (value.Value, error) { return f(args), nil }
}

// one binds a function of one argument that cannot fail.
func one(result value.Kind, cost int, f func(v value.Value) value.Value) Bound {
	return Bound{Kind: result, Cost: cost, One: f, Eval: func(args []value.Value) (value.Value, error) { return f(args[0]), nil }}
}

// tested binds a condition on the first of the arguments.
func tested(cost int, f func(v value.Value) bool) Bound {
	return Bound{Kind: value.Bool, Cost: cost, Test: f, Eval: func(args []value.Value) (value.Value, error) { return boolean(f(args[0])), nil }}
}

// commonKind returns the kind to which values of the given kinds are converted
// when one result has to hold any of them. Callers that need one kind refuse
// Dynamic together with others.
func commonKind(kinds ...value.Kind) (value.Kind, bool) {
	common := kinds[0]
	for _, k := range kinds[1:] {
		switch {
		case k == common:
		case k.IsNumeric() && common.IsNumeric():
			common = max(common, k) // int < long < real < decimal
		default:
			return 0, false
		}
	}
	return common, true
}
