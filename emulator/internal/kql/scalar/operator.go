package scalar

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Operator binds a binary operator: + - * / %, == != < <= > >=, the string
// operators (=~, has, startswith_cs, matches regex and similar ones, with their
// negations), `and`, `or`. The error is a *Error, or that of a regular expression.
//
// The result of a comparison or string operator is bool; null where Kusto
// says so (https://learn.microsoft.com/kusto/query/scalar-data-types/null-values).
func Operator(op string, left, right Arg) (Bound, error) {
	switch op {
	case "+", "-", "*", "/", "%":
		return arithmetic(op[0], left, right)
	case "==", "!=", "<>", "<", "<=", ">", ">=":
		return comparison(op, left, right)
	case "and", "or":
		return logical(op, left, right)
	}
	if _, ok := textOperators[op]; ok {
		return textOperator(op, left, right)
	}
	return Bound{}, refusef("Unknown operator '%s'.", op)
}

// OperatorList binds an operator whose right side is a list: in, !in, in~,
// !in~, has_any, has_all, between and !between (a list of two). A list of one
// dynamic array stands for its elements.
func OperatorList(op string, left Arg, list []Arg) (Bound, error) {
	switch op {
	case "in", "!in", "in~", "!in~":
		return membership(op, left, list)
	case "has_any", "has_all":
		return termList(op, left, list)
	case "between", "!between":
		return between(op, left, list)
	}
	return Bound{}, refusef("Unknown operator '%s'.", op)
}

// Negate binds the unary minus.
func Negate(arg Arg) (Bound, error) {
	switch arg.Kind {
	case value.Int, value.Long:
		return Bound{Kind: value.Long, Cost: 1, Eval: strict(value.Long, func(a []value.Value) value.Value {
			return value.NewLong(-a[0].Int64())
		})}, nil
	case value.Real:
		return Bound{Kind: value.Real, Cost: 1, Eval: strict(value.Real, func(a []value.Value) value.Value {
			return value.NewReal(-a[0].Real())
		})}, nil
	case value.TimeSpan:
		return Bound{Kind: value.TimeSpan, Cost: 1, Eval: strict(value.TimeSpan, func(a []value.Value) value.Value {
			return value.NewTimeSpan(-a[0].Ticks())
		})}, nil
	case value.Decimal:
		zero := value.NewLong(0)
		return Bound{Kind: value.Decimal, Cost: 10, Eval: strict(value.Decimal, func(a []value.Value) value.Value {
			return value.DecimalArithmetic('-', zero, a[0])
		})}, nil
	}
	return Bound{}, refuseCode(codeArithmetic, "Unary minus cannot be carried-out on %s", engineName(arg.Kind))
}

// engineName is what Kusto's messages about arithmetic call a kind.
func engineName(k value.Kind) string {
	switch k {
	case value.Bool:
		return "I8"
	case value.Int:
		return "I32"
	case value.Long:
		return "I64"
	case value.Real:
		return "R64"
	case value.Decimal:
		return "Decimal"
	case value.DateTime:
		return "DateTime"
	case value.TimeSpan:
		return "TimeSpan"
	case value.String:
		return "StringBuffer"
	case value.GUID:
		return "UniqueId"
	default:
		return "Dynamic"
	}
}

// nulls of the kinds that kernels return often.
var (
	nullBool = value.Null(value.Bool)
	nullLong = value.Null(value.Long)
	nullReal = value.Null(value.Real)
	nullTime = value.Null(value.DateTime)
	nullSpan = value.Null(value.TimeSpan)
	nullAny  = value.Null(value.Dynamic)
	noText   = value.NewString("")
	yes      = value.NewBool(true)
	no       = value.NewBool(false)
)

func boolean(b bool) value.Value {
	if b {
		return yes
	}
	return no
}
