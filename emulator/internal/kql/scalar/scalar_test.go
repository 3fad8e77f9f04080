package scalar_test

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Short forms for arguments.

func str(s string) value.Value      { return value.NewString(s) }
func long(n int64) value.Value      { return value.NewLong(n) }
func real(f float64) value.Value    { return value.NewReal(f) }
func dyn(json string) value.Value   { return value.DynamicJSON(json) }
func null(k value.Kind) value.Value { return value.Null(k) }

func date(t testing.TB, text string) value.Value {
	t.Helper()
	v, ok := value.ParseDateTime(text)
	if !ok {
		t.Fatalf("%q is no datetime", text)
	}
	return v
}

func span(t testing.TB, text string) value.Value {
	t.Helper()
	v, ok := value.ParseTimeSpan(text)
	if !ok {
		t.Fatalf("%q is no timespan", text)
	}
	return v
}

// arguments describes values as arguments, constant or not.
func arguments(values []value.Value, constant bool) []scalar.Arg {
	args := make([]scalar.Arg, len(values))
	for i := range values {
		args[i].Kind = values[i].Kind()
		if constant {
			args[i].Const = &values[i]
		}
	}
	return args
}

// outcome is a result as `kind:json`, or the error's text.
func outcome(b scalar.Bound, err error, values []value.Value) string {
	if err != nil {
		return "error: " + err.Error()
	}
	v, err := b.Eval(values)
	if err != nil {
		return "error: " + err.Error()
	}
	if v.Kind() != b.Kind {
		return "bound as " + b.Kind.String() + ", but is " + v.Kind().String()
	}
	return v.Kind().String() + ":" + string(v.AppendJSON(nil))
}

// called is a case: a call and its documented result.
type called struct {
	name string
	args []value.Value
	want string
}

// run checks calls with all arguments constant, and with none where the
// function allows it.
func run(t *testing.T, tests []called) {
	t.Helper()
	for _, tt := range tests {
		f, ok := scalar.Lookup(tt.name)
		if !ok {
			t.Errorf("no function %s", tt.name)
			continue
		}
		for _, constant := range []bool{true, false} {
			b, err := f.Bind(arguments(tt.args, constant))
			if !constant && err != nil && strings.Contains(err.Error(), "must be a constant") {
				continue
			}
			if got := outcome(b, err, tt.args); got != tt.want {
				t.Errorf("%s%v, constant %v:\n got %s\nwant %s", tt.name, tt.args, constant, got, tt.want)
			}
		}
	}
}

func vals(v ...value.Value) []value.Value { return v }

func TestBindChecksArguments(t *testing.T) {
	run(t, []called{
		{"tolong", nil, "error: tolong(): function expects 1 argument(s)."},
		{"strcat_delim", vals(str("a")), "error: strcat_delim(): function expects [3-64] argument(s)."},
		{"pack_array", nil, "error: pack_array(): function expects at least 1 argument(s)."},
		{"extract", vals(str("a"), long(1), long(2)), "error: extract(): argument #3 expected to be a string expression"},
		{"iff", vals(value.NewBool(true), str("a"), long(1)), "error: iff(): the types of the result arguments must be the same, found string and long. Try adding explicit casts."},
		{"assert", vals(value.NewBool(false), str("too long")), "error: assert() has failed with message: 'too long'"},
	})
	if _, ok := scalar.Lookup("ToLong"); ok {
		t.Error("names are not case-sensitive")
	}
	for _, name := range scalar.Names() {
		if f, ok := scalar.Lookup(name); !ok || f.Name != name || name == "" {
			t.Errorf("function %q is registered as %q", f.Name, name)
		}
	}
}

// TestNoPanic calls every function with every kind of value, and with nulls.
func TestNoPanic(t *testing.T) {
	guid, err := value.NewGUID("74be27de-1e4e-49d9-b579-fe0b331d3642")
	if err != nil {
		t.Fatal(err)
	}
	dec, err := value.NewDecimal("1.5")
	if err != nil {
		t.Fatal(err)
	}
	samples := [][]value.Value{
		{str("")},
		{str("a,b/c:1.2.3.4")},
		{long(-1)},
		{long(3)},
		{long(1 << 62)},
		{value.NewInt(7)},
		{real(-0.5)},
		{dec},
		{guid},
		{value.NewBool(true)},
		{date(t, "9999-12-31")},
		{date(t, "0001-01-01")},
		{span(t, "-1d")},
		{dyn(`{"a":[1,null,{"b":"c"}]}`)},
		{dyn(`[[],{},1,"x",null]`)},
		{dyn(`"text"`)},
		{dyn("null")},
	}
	for k := value.Bool; k <= value.Dynamic; k++ {
		samples = append(samples, []value.Value{null(k)})
	}
	for _, name := range scalar.Names() {
		f, _ := scalar.Lookup(name)
		if name == "range" {
			continue // large results; TestRangeBounds has its edges
		}
		for _, first := range samples {
			for _, second := range samples {
				for n := f.MinArgs; n <= max(f.MinArgs, min(f.MaxArgs, 5)); n++ {
					args := make([]value.Value, n)
					for i := range args {
						args[i] = second[0]
						if i == 0 {
							args[i] = first[0]
						}
					}
					b, err := f.Bind(arguments(args, n%2 == 0))
					if err != nil {
						continue
					}
					v, err := b.Eval(args)
					if err == nil && v.Kind() != b.Kind {
						t.Fatalf("%s%v is a %v, bound as %v", name, args, v.Kind(), b.Kind)
					}
				}
			}
		}
	}
}
