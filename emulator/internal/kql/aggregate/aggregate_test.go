package aggregate_test

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func long(n int64) value.Value      { return value.NewLong(n) }
func real(f float64) value.Value    { return value.NewReal(f) }
func str(s string) value.Value      { return value.NewString(s) }
func truth(b bool) value.Value      { return value.NewBool(b) }
func dyn(json string) value.Value   { return value.DynamicJSON(json) }
func null(k value.Kind) value.Value { return value.Null(k) }

type row = []value.Value

// summarize runs an aggregate over rows; args beyond the first row's columns
// are constants. It gives the results as JSON, and the columns' names for
// arguments called a, b, ...
func summarize(t *testing.T, name string, kinds []value.Kind, constants row, rows []row) (results, names string) {
	t.Helper()
	a, ok := aggregate.Lookup(name)
	if !ok {
		t.Fatalf("no aggregate %s", name)
	}
	var args []scalar.Arg
	for _, k := range kinds {
		args = append(args, scalar.Arg{Kind: k})
	}
	for i := range constants {
		args = append(args, scalar.Arg{Kind: constants[i].Kind(), Const: &constants[i]})
	}
	bound, err := a.Bind(args)
	if err != nil {
		return "error: " + err.Error(), ""
	}
	acc := bound.New()
	for _, r := range rows {
		if err := acc.Add(append(append(row{}, r...), constants...)); err != nil {
			return "error: " + err.Error(), ""
		}
	}
	var texts, columns []string
	for i, v := range acc.AppendResults(nil) {
		if v.Kind() != bound.Results[i].Kind {
			t.Errorf("%s: result %d is a %v, bound as %v", name, i, v.Kind(), bound.Results[i].Kind)
		}
		texts = append(texts, string(v.AppendJSON(nil)))
		columns = append(columns, bound.Results[i].Name(func(i int) string { return string(rune('a' + i)) }))
	}
	return strings.Join(texts, " "), strings.Join(columns, " ")
}

func one(values ...value.Value) []row {
	rows := make([]row, len(values))
	for i, v := range values {
		rows[i] = row{v}
	}
	return rows
}

func TestAggregates(t *testing.T) {
	const l, r, s, b, d = value.Long, value.Real, value.String, value.Bool, value.Dynamic
	numbers := one(long(1), long(2), null(l), long(4), long(2))
	chosen := []row{{long(1), truth(true)}, {long(2), truth(false)}, {long(3), null(b)}, {long(5), truth(true)}}
	tests := []struct {
		name      string
		kinds     []value.Kind
		constants row
		rows      []row
		want      string
		column    string
	}{
		{"count", nil, nil, []row{{}, {}, {}}, "3", "count_"},
		{"count", nil, nil, nil, "0", "count_"},
		{"countif", []value.Kind{b}, nil, one(truth(true), null(b), truth(false), truth(true)), "2", "countif_"},
		{"sum", []value.Kind{l}, nil, numbers, "9", "sum_a"},
		{"sum", []value.Kind{l}, nil, nil, "0", "sum_a"},
		{"sum", []value.Kind{r}, nil, one(real(0.5), null(r), real(1)), "1.5", "sum_a"},
		{"sum", []value.Kind{value.TimeSpan}, nil, one(value.NewTimeSpan(value.TicksPerDay), value.NewTimeSpan(value.TicksPerHour)), `"1.01:00:00"`, "sum_a"},
		{"sum", []value.Kind{s}, nil, nil, "error: sum(): argument #1 expected to be a numeric or timespan expression", ""},
		{"sumif", []value.Kind{l, b}, nil, chosen, "6", "sumif_a"},
		{"avg", []value.Kind{l}, nil, numbers, "2.25", "avg_a"},
		{"avg", []value.Kind{l}, nil, nil, `"NaN"`, "avg_a"},
		{"avgif", []value.Kind{l, b}, nil, chosen, "3.0", "avgif_a"},
		{"min", []value.Kind{l}, nil, numbers, "1", "min_a"},
		{"max", []value.Kind{l}, nil, numbers, "4", "max_a"},
		{"max", []value.Kind{s}, nil, one(str("b"), str("a")), `"b"`, "max_a"},
		{"min", []value.Kind{s}, nil, one(str("b"), str("a")), `"a"`, "min_a"},
		{"max", []value.Kind{value.DateTime}, nil, nil, "null", "max_a"},
		{"maxif", []value.Kind{l, b}, nil, chosen, "5", "maxif_a"},
		{"minif", []value.Kind{l, b}, nil, chosen, "1", "minif_a"},
		{"dcount", []value.Kind{l}, nil, numbers, "3", "dcount_a"},
		{"dcount", []value.Kind{s}, row{long(4)}, one(str(""), str("a"), str("A"), str("a")), "3", "dcount_a"},
		{"dcountif", []value.Kind{l, b}, nil, chosen, "2", "dcountif_a"},
		{"count_distinct", []value.Kind{d}, nil, one(dyn(`{"a":1,"b":2}`), dyn(`{"b":2,"a":1}`), dyn("null")), "1", "count_distinct_a"},
		{"count_distinctif", []value.Kind{l, b}, nil, chosen, "2", "count_distinctif_a"},
		{"make_list", []value.Kind{l}, nil, numbers, "[1,2,4,2]", "list_a"},
		{"make_list", []value.Kind{l}, row{long(2)}, numbers, "[1,2]", "list_a"},
		{"make_list", []value.Kind{l}, nil, nil, "[]", "list_a"},
		{"make_list_with_nulls", []value.Kind{l}, nil, numbers, "[1,2,null,4,2]", "list_a"},
		{"make_list_if", []value.Kind{l, b}, nil, chosen, "[1,5]", "list_a"},
		{"make_set", []value.Kind{l}, nil, numbers, "[1,2,4]", "set_a"},
		{"make_set", []value.Kind{l}, row{long(1)}, numbers, "[1]", "set_a"},
		{"make_set_if", []value.Kind{l, b}, row{long(1)}, chosen, "[1]", "set_a"},
		{"make_set", []value.Kind{l}, row{str("x")}, numbers, "error: make_set(): argument #2 expected to be a numeric constant", ""},
		{"make_bag", []value.Kind{d}, nil, one(dyn(`{"a":1}`), dyn(`{"b":2}`), dyn(`{"a":3}`), dyn("[1]")), `{"a":1,"b":2}`, "bag_a"},
		{"make_bag", []value.Kind{d}, nil, nil, `[]`, "bag_a"},
		{"take_any", []value.Kind{l}, nil, one(null(l), long(7)), "7", "a"},
		{"take_any", []value.Kind{l, s}, nil, []row{{null(l), str("x")}, {long(1), str("y")}}, `null "x"`, "a b"},
		{"take_anyif", []value.Kind{l, b}, nil, chosen[1:], "5", "a"},
		{"any", []value.Kind{s}, nil, nil, `""`, "any_a"},
		{"binary_all_xor", []value.Kind{l}, nil, one(long(6), null(l), long(3)), "5", "binary_all_xor_a"},
		{"binary_all_and", []value.Kind{l}, nil, one(long(6), long(3)), "2", "binary_all_and_a"},
		{"binary_all_or", []value.Kind{l}, nil, one(long(6), long(3)), "7", "binary_all_or_a"},
		{"binary_all_or", []value.Kind{l}, nil, nil, "null", "binary_all_or_a"},
		// https://learn.microsoft.com/kusto/query/stdev-aggregation-function: range 1..5
		{"stdev", []value.Kind{l}, nil, one(long(1), long(2), long(3), long(4), long(5)), "1.5811388300841898", "stdev_a"},
		{"variance", []value.Kind{l}, nil, one(long(1), long(2), long(3), long(4), long(5)), "2.5", "variance_a"},
		{"variancep", []value.Kind{l}, nil, one(long(1), long(2), long(3), long(4), long(5)), "2.0", "variancep_a"},
		{"variance", []value.Kind{l}, nil, nil, "0.0", "variance_a"},
		// https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method, which the page refers to
		{
			"percentiles",
			[]value.Kind{l},
			row{long(5), long(30), long(40), long(50), long(100)},
			one(long(50), long(15), long(40), long(20), long(35)),
			"15 20 20 35 50", "percentile_a_5 percentile_a_30 percentile_a_40 percentile_a_50 percentile_a_100",
		},
		{"percentile", []value.Kind{r}, row{real(99.9)}, one(real(1.5)), "1.5", "percentile_a_99_9"},
		{"percentile", []value.Kind{l}, row{long(0)}, one(long(3), long(2)), "2", "percentile_a_0"},
		{"percentile", []value.Kind{l}, row{long(101)}, nil, "error: percentile(): a percentile must be in the range [0, 100], found 101", ""},
		{"percentiles_array", []value.Kind{l}, row{dyn("[50,100]")}, one(long(1), long(2), long(3)), "[2,3]", "percentiles_a"},
		{"count", []value.Kind{l, l}, nil, nil, "error: count(): function expects [0-1] argument(s).", ""},
	}
	for _, tt := range tests {
		got, column := summarize(t, tt.name, tt.kinds, tt.constants, tt.rows)
		if got != tt.want || column != tt.column {
			t.Errorf("%s: got %s as %s, want %s as %s", tt.name, got, column, tt.want, tt.column)
		}
	}
}

// The null handling that https://learn.microsoft.com/kusto/query/arg-max-aggregation-function shows.
func TestArgMax(t *testing.T) {
	nothing := null(value.Int)
	groups := []struct {
		rows []row
		want string
	}{
		{[]row{{value.NewInt(1), str("Red")}, {nothing, str("Green")}}, `1 "Red"`},
		{[]row{{nothing, str("Yellow")}, {nothing, str("Green")}}, `null "Yellow"`},
		{[]row{{value.NewInt(1), str("Brown")}, {value.NewInt(2), str("Green")}}, `2 "Green"`},
		{nil, `null ""`},
	}
	for _, g := range groups {
		got, names := summarize(t, "arg_max", []value.Kind{value.Int, value.String}, nil, g.rows)
		if got != g.want || names != "a b" {
			t.Errorf("arg_max of %v = %s as %s, want %s", g.rows, got, names, g.want)
		}
	}
	if got, _ := summarize(t, "arg_min", []value.Kind{value.Int, value.String}, nil, []row{
		{nothing, str("none")}, {value.NewInt(2), str("two")}, {value.NewInt(1), str("one")}, {value.NewInt(1), str("other")},
	}); got != `1 "one"` {
		t.Errorf("arg_min = %s", got)
	}
}

// Rows may be added after results were taken.
func TestResultsInBetween(t *testing.T) {
	for _, name := range []string{"make_list", "make_set"} {
		a, _ := aggregate.Lookup(name)
		bound, err := a.Bind([]scalar.Arg{{Kind: value.Long}})
		if err != nil {
			t.Fatal(err)
		}
		acc := bound.New()
		for n := range int64(3) {
			if err := acc.Add(row{long(n)}); err != nil {
				t.Fatal(err)
			}
		}
		before := acc.AppendResults(nil)[0]
		if err := acc.Add(row{long(9)}); err != nil {
			t.Fatal(err)
		}
		if got := before.String(); got != "[0,1,2]" {
			t.Errorf("%s: the earlier result became %s", name, got)
		}
		if got := acc.AppendResults(nil)[0].String(); got != "[0,1,2,9]" {
			t.Errorf("%s: the later result is %s", name, got)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range aggregate.Names() {
		if a, ok := aggregate.Lookup(name); !ok || a.Name != name {
			t.Errorf("aggregate %q is registered as %q", a.Name, name)
		}
	}
	if _, ok := aggregate.Lookup("Count"); ok {
		t.Error("names are not case-sensitive")
	}
}

func BenchmarkCount(b *testing.B) {
	a, _ := aggregate.Lookup("count")
	bound, err := a.Bind(nil)
	if err != nil {
		b.Fatal(err)
	}
	acc := bound.New()
	b.ReportAllocs()
	for b.Loop() {
		_ = acc.Add(nil)
	}
}
