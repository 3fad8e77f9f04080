package scalar_test

import (
	"errors"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

type operated struct {
	left  value.Value
	op    string
	right value.Value
	want  string
}

func operate(t *testing.T, tests []operated) {
	t.Helper()
	for _, tt := range tests {
		for _, constant := range []bool{true, false} {
			values := vals(tt.left, tt.right)
			args := arguments(values, constant)
			b, err := scalar.Operator(tt.op, args[0], args[1])
			if got := outcome(b, err, values); got != tt.want {
				t.Errorf("%v %s %v, constant %v: got %s, want %s", tt.left, tt.op, tt.right, constant, got, tt.want)
			}
		}
	}
}

// https://learn.microsoft.com/kusto/query/numerical-operators
func TestArithmetic(t *testing.T) {
	operate(t, []operated{
		{value.NewInt(1), "+", value.NewInt(2), "long:3"},
		{long(1), "/", long(2), "long:0"},
		{real(1), "/", long(2), "real:0.5"},
		{long(1), "/", real(2), "real:0.5"},
		{long(14), "%", long(12), "long:2"},
		{long(-14), "%", long(12), "long:10"},
		{long(14), "%", long(-12), "long:2"},
		{long(-14), "%", long(-12), "long:10"},
		{real(-1.5), "%", long(1), "real:0.5"},
		{long(1), "/", long(0), "long:null"},
		{long(1), "%", long(0), "long:null"},
		{real(1), "/", real(0), `real:"Infinity"`},
		{null(value.Int), "+", long(10), "long:null"},
		{null(value.Real), "*", long(10), "real:null"},
		{long(5), "-", long(7), "long:-2"},
		{span(t, "1d"), "/", span(t, "1s"), "real:86400.0"},
		{long(1440), "*", span(t, "00:01:00"), `timespan:"1.00:00:00"`},
		{span(t, "1d"), "/", long(2), `timespan:"12:00:00"`},
		{span(t, "1d"), "*", real(1.5), `timespan:"1.12:00:00"`},
		{span(t, "1d"), "-", span(t, "1h"), `timespan:"23:00:00"`},
		{date(t, "1997-06-25"), "-", date(t, "1910-06-11"), `timespan:"31791.00:00:00"`},
		{date(t, "1910-06-11"), "+", span(t, "1d"), `datetime:"1910-06-12T00:00:00.0000000Z"`},
		{span(t, "1d"), "+", date(t, "1910-06-11"), `datetime:"1910-06-12T00:00:00.0000000Z"`},
		{date(t, "1910-06-11"), "-", span(t, "1d"), `datetime:"1910-06-10T00:00:00.0000000Z"`},
		{date(t, "0001-01-01"), "-", span(t, "1d"), `datetime:null`},
		{date(t, "1910-06-11"), "-", str("x"), "error: Arithmetic expression cannot be carried-out between DateTime and StringBuffer"},
		{str("a"), "+", str("b"), "error: Arithmetic expression cannot be carried-out between StringBuffer and StringBuffer"},
	})
}

// https://learn.microsoft.com/kusto/query/scalar-data-types/null-values
func TestComparison(t *testing.T) {
	nothing := null(value.Int)
	operate(t, []operated{
		{value.NewInt(5), ">", value.NewInt(3), "bool:true"},
		{nothing, ">", value.NewInt(3), "bool:null"},
		{value.NewInt(5), "==", nothing, "bool:false"},
		{value.NewInt(5), "!=", nothing, "bool:true"},
		{nothing, "==", nothing, "bool:null"},
		{nothing, "!=", nothing, "bool:null"},
		{nothing, "<=", nothing, "bool:null"},
		{long(9007199254740993), "==", real(9007199254740992), "bool:false"},
		{long(1), "<", real(1.5), "bool:true"},
		{real(nan()), "==", real(nan()), "bool:false"},
		{real(nan()), "!=", real(1), "bool:true"},
		{str("aBc"), "==", str("aBc"), "bool:true"},
		{str("abc"), "!=", str("ABC"), "bool:true"},
		{str(""), "==", str(""), "bool:true"},
		{str("a"), "<", str("b"), "error: Cannot compare values of types string and string. Try adding explicit casts."},
		{str("1"), "==", long(1), "error: Cannot compare values of types string and long. Try adding explicit casts."},
		{str("2020-01-01"), ">", date(t, "2020-01-01"), "error: Cannot compare values of types string and datetime. Try adding explicit casts."},
		{date(t, "2020-01-02"), ">=", date(t, "2020-01-01"), "bool:true"},
		{span(t, "60m"), "==", span(t, "1h"), "bool:true"},
		{value.NewBool(true), "==", value.NewBool(true), "bool:true"},
		{value.NewBool(true), "==", long(1), "bool:true"},
		{value.NewBool(true), "==", long(2), "bool:false"},
		{value.NewBool(false), "==", value.NewInt(0), "bool:true"},
		{long(0), "!=", value.NewBool(true), "bool:true"},
		{real(1), "==", value.NewBool(true), "bool:true"},
		{null(value.Bool), "==", long(0), "bool:false"},
		{null(value.Bool), "!=", long(0), "bool:true"},
		{value.NewBool(true), ">", long(0), "error: Cannot compare values of types bool and long. Try adding explicit casts."},
		{value.NewBool(true), "==", str("1"), "error: Cannot compare values of types bool and string. Try adding explicit casts."},
		{dyn("[1]"), "==", dyn("[1]"), "error: Cannot compare dynamic values without explicit cast."},
		{dyn(`"x"`), "==", str("x"), "bool:true"},
		{dyn(`5.5`), ">", long(5), "bool:true"},
		{long(5), "<", dyn(`5.5`), "bool:true"},
		{dyn(`"7"`), "==", long(7), "bool:true"},
		{dyn(`"x"`), "==", long(7), "bool:false"},
		{dyn(`"2020-01-01"`), "==", date(t, "2020-01-01"), "bool:true"},
	})
}

func nan() float64 { z := 0.0; return z / z }

func TestLogic(t *testing.T) {
	yes, no, unknown := value.NewBool(true), value.NewBool(false), null(value.Bool)
	operate(t, []operated{
		{yes, "and", unknown, "bool:null"},
		{no, "and", unknown, "bool:false"},
		{unknown, "and", no, "bool:false"},
		{yes, "or", unknown, "bool:true"},
		{unknown, "or", yes, "bool:true"},
		{no, "or", unknown, "bool:null"},
		{no, "or", no, "bool:false"},
		{yes, "and", dyn("true"), "bool:true"},
		{long(1), "and", yes, "error: Operator 'and' expects boolean operands, found long."},
	})
}

// https://learn.microsoft.com/kusto/query/datatypes-string-operators
func TestTextOperators(t *testing.T) {
	const terms = "Kusto: ad67d136-c1db-4f9f-88ef-d94f3b6b0b5a;KustoExplorerQueryRun"
	operate(t, []operated{
		{str("abc"), "=~", str("ABC"), "bool:true"},
		{str("aBc"), "!~", str("xyz"), "bool:true"},
		{str("FabriKam"), "contains", str("BRik"), "bool:true"},
		{str("Fabrikam"), "!contains", str("xyz"), "bool:true"},
		{str("FabriKam"), "contains_cs", str("Kam"), "bool:true"},
		{str("Fabrikam"), "!contains_cs", str("Kam"), "bool:true"},
		{str("Fabrikam"), "endswith", str("Kam"), "bool:true"},
		{str("Fabrikam"), "!endswith", str("brik"), "bool:true"},
		{str("Fabrikam"), "endswith_cs", str("kam"), "bool:true"},
		{str("Fabrikam"), "!endswith_cs", str("brik"), "bool:true"},
		{str("North America"), "has", str("america"), "bool:true"},
		{str("North America"), "!has", str("amer"), "bool:true"},
		{str("North America"), "has_cs", str("America"), "bool:true"},
		{str("North America"), "!has_cs", str("amer"), "bool:true"},
		{str("North America"), "hasprefix", str("ame"), "bool:true"},
		{str("North America"), "!hasprefix", str("mer"), "bool:true"},
		{str("North America"), "hasprefix_cs", str("Ame"), "bool:true"},
		{str("North America"), "!hasprefix_cs", str("CA"), "bool:true"},
		{str("North America"), "hassuffix", str("ica"), "bool:true"},
		{str("North America"), "!hassuffix", str("americ"), "bool:true"},
		{str("North America"), "hassuffix_cs", str("ica"), "bool:true"},
		{str("North America"), "!hassuffix_cs", str("icA"), "bool:true"},
		{str("Fabrikam"), "startswith", str("fab"), "bool:true"},
		{str("Fabrikam"), "!startswith", str("kam"), "bool:true"},
		{str("Fabrikam"), "startswith_cs", str("Fab"), "bool:true"},
		{str("Fabrikam"), "!startswith_cs", str("fab"), "bool:true"},
		{str("Fabrikam"), "matches regex", str("b.*k"), "bool:true"},
		{str(terms), "has", str("88EF"), "bool:true"},
		{str(terms), "has", str("c1db-4f9f"), "bool:true"},
		{str(terms), "has", str("c1db-4f9"), "bool:false"},
		{str(terms), "has", str("KustoExplorer"), "bool:false"},
		{str(terms), "has", str("Kusto:"), "bool:true"},
		{str("xa a"), "has", str("a"), "bool:true"},
		{str("naïve"), "has", str("ve"), "bool:false"},
		{str("anything"), "has", str(""), "bool:true"},
		{dyn(`{"name":"North America"}`), "has", str("america"), "bool:true"},
		{long(1), "has", str("1"), "error: 'has' operator: argument #1 expected to be a string expression"},
	})
}

func TestErrorCodes(t *testing.T) {
	for _, tt := range []struct {
		left  value.Kind
		op    string
		right value.Kind
		code  string
	}{
		{value.String, "<", value.String, "SEM0064"},
		{value.DateTime, "+", value.String, "SEM0001"},
		{value.Long, "has", value.String, ""},
	} {
		_, err := scalar.Operator(tt.op, scalar.Arg{Kind: tt.left}, scalar.Arg{Kind: tt.right})
		var refused *scalar.Error
		if !errors.As(err, &refused) || refused.Code != tt.code {
			t.Errorf("%v %s %v: %#v, want code %q", tt.left, tt.op, tt.right, err, tt.code)
		}
	}
}

type listed struct {
	left value.Value
	op   string
	list []value.Value
	want string
}

func TestLists(t *testing.T) {
	day := date(t, "2020-01-15")
	tests := []listed{
		{str("bc"), "in", vals(str("123"), str("345"), str("abc")), "bool:false"},
		{str("abc"), "in", vals(str("123"), str("345"), str("abc")), "bool:true"},
		{str("abc"), "!in", vals(str("bca")), "bool:true"},
		{str("Abc"), "in~", vals(str("aBC")), "bool:true"},
		{str("bCa"), "!in~", vals(str("Abc"), str("XYZ")), "bool:true"},
		{str("x"), "in", vals(dyn(`["x","y"]`)), "bool:true"},
		{long(2), "in", vals(dyn(`[1,2]`)), "bool:true"},
		{value.NewInt(2), "in", vals(long(2), long(3)), "bool:true"},
		{null(value.Long), "in", vals(long(2)), "bool:false"},
		{day, "in", vals(date(t, "2020-01-15")), "bool:true"},
		{dyn(`"x"`), "in", vals(str("x")), "bool:true"},
		{str("a"), "in", vals(long(1)), "error: Cannot compare values of types string and long. Try adding explicit casts."},
		{str("North America"), "has_any", vals(str("south"), str("north")), "bool:true"},
		{str("North America"), "has_any", vals(dyn(`["south","nor"]`)), "bool:false"},
		{str("North and South America"), "has_all", vals(str("south"), str("north")), "bool:true"},
		{str("North America"), "has_all", vals(str("south"), str("north")), "bool:false"},
		{long(1), "between", vals(long(1), long(10)), "bool:true"},
		{long(10), "between", vals(long(1), long(10)), "bool:true"},
		{long(11), "between", vals(long(1), long(10)), "bool:false"},
		{long(11), "!between", vals(long(1), long(10)), "bool:true"},
		{null(value.Long), "between", vals(long(1), long(10)), "bool:null"},
		{day, "between", vals(date(t, "2020-01-14"), span(t, "1d")), "bool:true"},
		{day, "between", vals(date(t, "2020-01-13"), span(t, "1d")), "bool:false"},
	}
	for _, tt := range tests {
		for _, constant := range []bool{true, false} {
			values := append(vals(tt.left), tt.list...)
			args := arguments(values, constant)
			b, err := scalar.OperatorList(tt.op, args[0], args[1:])
			if got := outcome(b, err, values); got != tt.want {
				t.Errorf("%v %s %v, constant %v: got %s, want %s", tt.left, tt.op, tt.list, constant, got, tt.want)
			}
		}
	}
}

func TestNegateAndAccess(t *testing.T) {
	for _, tt := range []struct {
		v    value.Value
		want string
	}{
		{value.NewInt(5), "long:-5"},
		{real(0.5), "real:-0.5"},
		{span(t, "1d"), `timespan:"-1.00:00:00"`},
		{null(value.Long), "long:null"},
		{str("a"), "error: Unary minus cannot be carried-out on StringBuffer"},
	} {
		b, err := scalar.Negate(scalar.Arg{Kind: tt.v.Kind()})
		if got := outcome(b, err, vals(tt.v)); got != tt.want {
			t.Errorf("-%v = %s, want %s", tt.v, got, tt.want)
		}
	}
	for _, tt := range []struct {
		base, key value.Value
		want      string
	}{
		{dyn(`{"a":[1,2]}`), str("a"), "dynamic:[1,2]"},
		{dyn(`[1,2]`), long(-1), "dynamic:2"},
		{dyn(`[1,2]`), long(2), "dynamic:null"},
		{dyn(`{"a":1}`), dyn(`"a"`), "dynamic:1"},
		{dyn(`{"a":1}`), long(0), "dynamic:null"},
		{str("x"), str("a"), "error: Cannot apply a path to an expression of type string."},
	} {
		b, err := scalar.Access(scalar.Arg{Kind: tt.base.Kind()}, scalar.Arg{Kind: tt.key.Kind()})
		if got := outcome(b, err, vals(tt.base, tt.key)); got != tt.want {
			t.Errorf("%v[%v] = %s, want %s", tt.base, tt.key, got, tt.want)
		}
	}
}
