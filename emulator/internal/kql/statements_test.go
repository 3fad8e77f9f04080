package kql_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func stored(name, parameters, body string) kql.Function {
	return kql.Function{Name: name, Parameters: parameters, Body: body}
}

func functions(t *testing.T) catalog {
	return catalog{
		tables: mapOf(t, map[string]string{
			"T": "datatable(a:long, b:string)[1, 'x', 2, 'y', 3, 'z']", "Named": "datatable(raw:long)[7]", "Other.O": "datatable(o:long)[5]",
		}),
		functions: map[string]kql.Function{
			"All":     stored("All", "()", "{ T }"),
			"Above":   stored("Above", "(least:long = 1, suffix:string = '!')", "{ T | where a > least | extend b = strcat(b, suffix) }"),
			"Twice":   stored("Twice", "(n:long)", "{ n * 2 }"),
			"Pi":      stored("Pi", "", "3.14"),
			"Counted": stored("Counted", "(X:(a:long))", "{ let n = toscalar(X | count); X | extend n = n | project a, n }"),
			"Any":     stored("Any", "(X:(*), n:long)", "{ X | take n }"),
			"Named":   stored("Named", "()", "{ Named | project cooked = raw * 10 }"),
			"Loop":    stored("Loop", "(n:long)", "{ Loop(n) }"),
			"Broken":  stored("Broken", "()", "{ T | where nope == 1 }"),
			"Other.F": stored("F", "(n:long)", "{ O | extend n = n }"),
			"Other.G": stored("G", "(n:long)", "{ n + 1 }"),
		},
	}
}

func TestStatements(t *testing.T) {
	c := functions(t)
	checkAll(t, c, []queryTest{
		{"scalar let", "let a = 1; let b = a + 1; print b", `
			print_0:long
			2`},
		{"tabular let", "let s = T | where a > 1; s | where a < 3", `
			a:long b:string
			2 | y`},
		{"a column comes before a variable", "let a = 100; T | where a == 1 | project a", `
			a:long
			1`},
		{"a later let hides", "let x = 1; let y = x; let x = 2; print x, y", `
			print_0:long print_1:long
			2 | 1`},
		{"scalar function of let", "let f = (n:long, s:string = 'd') { let m = n * 2; strcat(s, m) }; T | project v = f(a), w = f(s = b, n = a) | take 1", `
			v:string w:string
			d2 | x2`},
		{"function in a function", "let f = (n:long) { n + 1 }; let g = (n:long) { f(f(n)) }; T | project g(a) | take 1", `
			Column1:long
			3`},
		{"tabular function of let", "let f = (X:(a:long), n:long) { X | where a > n }; f((T | project a), 1) | summarize sum(a)", `
			sum_a:long
			5`},
		{"view", "let v = view () { T | take 1 }; v", `
			a:long b:string
			1 | x`},
		{"stored functions", "All | count | extend p = Pi(), q = Pi, t = Twice(4)", `
			Count:long p:real q:real t:long
			3 | 3.14 | 3.14 | 8`},
		{"default arguments", "Above(2)", `
			a:long b:string
			3 | z!`},
		{"without parentheses", "Above | take 1", `
			a:long b:string
			2 | y!`},
		{"named arguments", "Above(suffix = '?', least = 2)", `
			a:long b:string
			3 | z?`},
		{"table argument", "Counted(T)", `
			a:long n:long
			1 | 3
			2 | 3
			3 | 3`},
		{"invoke", "T | where a > 1 | invoke Any(1)", `
			a:long b:string
			2 | y`},
		{"a function hides the table that it reads", "Named", `
			cooked:long
			70`},
		{"function of another database", "database('Other').F(3)", `
			o:long n:long
			5 | 3`},
		{"function of a database that a let names", "let d = 'Other'; database(d).F(3)", `
			o:long n:long
			5 | 3`},
		{"scalar function of another database", "print database('Other').G(3)", `
			print_0:long
			4`},
		{"function as an argument", "Above(Twice(1))", `
			a:long b:string
			3 | z!`},
		{"toscalar", "let most = toscalar(T | summarize max(a)); T | where a == most", `
			a:long b:string
			3 | z`},
		{"toscalar of nothing", "print isnull(toscalar(T | where a > 99 | project a))", `
			print_0:bool
			true`},
		{"materialize", "let m = materialize(T | where a > 1); union (m | count), (m | project Count = a)", `
			Count:long
			2
			2
			3`},
		{"as", "T | where a > 1 | as U | join kind=inner (U | summarize n = count() by a) on a | project a, n", `
			a:long n:long
			2 | 1
			3 | 1`},
		{"in a table", "T | where a in (T | where a > 1 | project a) and b !in~ ((T | where a == 3 | project toupper(b)))", `
			a:long b:string
			2 | y`},
		{"in a variable", "let wanted = dynamic(['x', 'z']); T | where b in (wanted) | project a", `
			a:long
			1
			3`},
		{"in a table by name", "let k = T | where a == 2 | project a; T | where a in (k) | project a", `
			a:long
			2`},
		{"has_any of a table", "print s = 'an x here' | where s has_any ((T | project b))", `
			s:string
			an x here`},
		{"table()", "table('T') | count", `
			Count:long
			3`},
		{"set is passed over", "set notruncation; T | count", `
			Count:long
			3`},
		{"two statements give two results", "T | count; print x = 1", `
			x:long
			1`},
		{"take of a variable", "let n = toscalar(print 2); T | take n | count", `
			Count:long
			2`},
		{"three-valued logic", "print t = true or bool(null), f = false and bool(null), u = isnull(true and bool(null))", `
			t:bool f:bool u:bool
			true | false | true`},
	})
}

func TestParameters(t *testing.T) {
	const query = "declare query_parameters(n:long = 5, s:string, d:datetime, b:bool = true, x:dynamic); print n, s, d, b, x.a"
	env := environment(nil)
	env.Values = map[string]string{"s": `plain "text"`, "d": "datetime(2026-01-02)", "x": `{"a":1}`}
	q, err := kql.Compile(query, env)
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range q.Statements[0].Rows(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if got, want := text(row), `5 | plain "text" | 2026-01-02T00:00:00.0000000Z | true | 1`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	env.Values["n"] = "many"
	if _, err := kql.Compile(query, env); err == nil || !strings.Contains(err.Error(), "'many' is not a value of type long") {
		t.Errorf("a long parameter takes text: %v", err)
	}
	delete(env.Values, "s")
	env.Values["n"] = "12"
	if _, err := kql.Compile(query, env); err == nil || !strings.Contains(err.Error(), "'s' has no value") {
		t.Errorf("a parameter without a value: %v", err)
	}
}

func TestParseFunctionParameters(t *testing.T) {
	got, err := kql.ParseFunctionParameters("(a:long = 1, T:(x:string), U:(*), s:string = 'q')")
	if err != nil {
		t.Fatal(err)
	}
	want := []kql.Parameter{
		{Name: "a", Kind: value.Long, Default: "1"},
		{Name: "T", Tabular: true, Columns: []value.Column{{Name: "x", Kind: value.String}}},
		{Name: "U", Tabular: true},
		{Name: "s", Kind: value.String, Default: `"q"`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var e *kql.Error
	if _, err := kql.ParseFunctionParameters("(a)"); !errors.As(err, &e) || e.Kind != kql.Syntax {
		t.Errorf("(a) gives %v", err)
	}
}

// Messages as in captures of the services; the rest in their manner.
func TestErrors(t *testing.T) {
	c := functions(t)
	tests := []struct {
		query   string
		kind    kql.ErrorKind
		code    string
		message string
		column  int
	}{
		{"EmailEvents | where x == 1", kql.Semantic, "SEM0100", "'where' operator: Failed to resolve table or column expression named 'EmailEvents'", 1},
		{"EmailEvents", kql.Semantic, "SEM0100", "Failed to resolve table or column or scalar or graph expression named 'EmailEvents'", 1},
		{"T | summarize count() by IsInteetFacing", kql.Semantic, "SEM0100", "'summarize' operator: Failed to resolve scalar expression named 'IsInteetFacing'", 26},
		{"T | summarize sum(nope)", kql.Semantic, "SEM0100", "'summarize' operator: Failed to resolve scalar expression named 'nope'", 19},
		{"T | where tolong() == 1", kql.Semantic, "SEM0219", "tolong(): function expects 1 argument(s).", 11},
		{"T | foo", kql.Syntax, "SYN0002", "Query operator expected.", 5},
		{"T | where (a", kql.Syntax, "SYN0002", "The incomplete fragment is unexpected", 13},
		{"T | where a == 'x'", kql.Semantic, "SEM0064", "Cannot compare values of types long and string. Try adding explicit casts.", 11},
		{"T | where nofunction(a)", kql.Semantic, "SEM0260", "Unknown function: 'nofunction'.", 11},
		{"T | where count() > 1", kql.Semantic, "SEM0000", "Function 'count' cannot be invoked in current context. Details: the aggregation function is only allowed in summarize", 11},
		{"T | extend n = row_number()", kql.Semantic, "SEM0000", "Function 'row_number' cannot be invoked. The row set must be serialized.", 16},
		{"T | where a", kql.Semantic, "SEM0000", "'where' operator: argument #1 expected to be a boolean expression", 11},
		{"T | project a, a", kql.Semantic, "SEM0000", "'project' operator: Column 'a' is defined more than once", 16},
		{"print d = dynamic([1]) | summarize count() by d", kql.Semantic, "SEM0000", "Summarize group key 'd' is of a 'dynamic' type. Please use an explicit cast (for example, 'summarize ... by tostring(d)') as grouping by a 'dynamic' type is not supported.", 47},
		{"T | join (T) on nope", kql.Semantic, "SEM0100", "'join' operator: Failed to resolve scalar expression named 'nope'", 17},
		{"T | evaluate narrow()", kql.Unsupported, "SEM0000", "The plugin narrow is not supported here.", 5},
		{"T | reduce by bbbbbbbbbbbbbbbbbbbbbbbbb", kql.Unsupported, "SEM0000", "The reduce operator is not supported here.", 5},
		{"T | where assert(a < 3, 'too large')", kql.Semantic, "SEM0000", "assert(): argument #1 must be a constant", 11},
		{"T | where assert(1 > 3, tostring(a))", kql.Semantic, "SEM0000", "assert(): argument #2 must be a constant", 11},
		{"let f = (n:long) { assert(n < 3, 'n') }; T | where f(a)", kql.Semantic, "SEM0000", "assert(): argument #1 must be a constant", 20},
		{"let x = nope; print 1", kql.Semantic, "SEM0100", "Failed to resolve scalar expression named 'nope'", 9},
		{"Broken", kql.Semantic, "SEM0100", "'where' operator: Failed to resolve scalar expression named 'nope'", 0},
		{"print Loop(1)", kql.Semantic, "SEM0000", "Function 'Loop': calls are nested more than 32 levels deep.", 0},
		{"Counted((T | project b))", kql.Semantic, "SEM0000", "Counted(): argument 'X' has no column 'a' of type long", 10},
		{"T | extend x = toscalar(T | where a == k)", kql.Semantic, "SEM0100", "'where' operator: Failed to resolve scalar expression named 'k'", 40},
		{"let f = (n:long) { toscalar(T | where a == n | count) }; T | extend x = f(a)", kql.Unsupported, "SEM0000", "'n' depends on a row of another table, which is not supported here.", 44},
	}
	for _, tt := range tests {
		_, err := kql.Compile(tt.query, environment(c))
		var e *kql.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, want %q", tt.query, err, tt.message)
			continue
		}
		got := kql.Error{Kind: e.Kind, Code: e.Code, Message: e.Message, Column: e.Column}
		want := kql.Error{Kind: tt.kind, Code: tt.code, Message: tt.message, Column: tt.column}
		if got != want {
			t.Errorf("%s\n got %+v\nwant %+v", tt.query, got, want)
		}
	}
}

func TestRuntimeErrors(t *testing.T) {
	c := functions(t)
	for query, want := range map[string]string{
		"range x from 1 to 3 step 0":                                                    "'range' operator: the step is zero",
		"T | where assert(1 > 3, 'too small')":                                          "assert() has failed with message: 'too small'",
		"T | where false | where assert(toscalar(T | count) > 99, 'too few')":           "assert() has failed with message: 'too few'",
		"T | summarize n = sum(iff(assert(toscalar(print 1) < 1, 'no'), 1, 0))":         "assert() has failed with message: 'no'",
		"T | where assert(1 > 3, strcat('not ', tostring(toscalar(print 1))))":          "assert() has failed with message: 'not 1'",
		"let b = false; print x = 1 | where b | where assert(b, 'failed')":              "assert() has failed with message: 'failed'",
		"let f = (n:long) { T | where assert(n > 1, 'small') }; f(1) | take 0":          "assert() has failed with message: 'small'",
		"let f = (n:long, m:long) { assert(n > 0, 'n') and m > n }; T | where f(-1, a)": "assert() has failed with message: 'n'",
	} {
		_, err := answer(c, query)
		var e *kql.Error
		if !errors.As(err, &e) || e.Kind != kql.Runtime || e.Message != want {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}

// A short text can grow without bound when its names are replaced.
func TestGrowth(t *testing.T) {
	var tables, scalars strings.Builder
	tables.WriteString("let a0 = T;")
	scalars.WriteString("let f0 = (x:long) { x };")
	for i := range 40 {
		n, m := string(rune('0'+i/10))+string(rune('0'+i%10)), string(rune('0'+(i+1)/10))+string(rune('0'+(i+1)%10))
		if i == 0 {
			n = "0"
		}
		tables.WriteString("let a" + m + " = union a" + n + ", a" + n + ";")
		scalars.WriteString("let f" + m + " = (x:long) { f" + n + "(x) + f" + n + "(x) };")
	}
	for _, query := range []string{tables.String() + "a40", scalars.String() + "T | project f40(a)"} {
		if _, err := kql.Compile(query, environment(functions(t))); err == nil || !strings.Contains(err.Error(), "complex") && !strings.Contains(err.Error(), "nested") {
			t.Errorf("%.40s...: %v, want a refusal", query, err)
		}
	}
}
