package syntax_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

func TestParseQuery(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"where", "T | where A == 1 and B has 'x' or not(C)", `(T | where (((A == 1) and (B has "x")) or not(C)))`},
		{"arithmetic binds tighter", "print 1 + 2 * -3 - x % 4", `(print ((1 + (2 * (-3))) - (x % 4)))`},
		{"order binds tighter than equality", "print a < b == c", `(print ((a < b) == c))`},
		{"list operators", "T | where a !in~ ('x', \"y\") and b in (T2 | project c) and d has_any (e)", `(T | where ((a !in~ ("x", "y")) and (b in ((T2 | project c))) and (d has_any (e))))`},
		{"between", "T | where n between (1 .. 10000)", `(T | where (n between (1 .. 10000)))`},
		{"not between", "T | where t !between (ago(1d)..now())", `(T | where (t !between (ago(timespan(1.00:00:00)) .. now())))`},
		{"regex", "T | where a matches regex @'\\d+\\.'", `(T | where (a matches regex "\\d+\\."))`},
		{"paths", "print a.b['c d'][0].d, ['x y'].z", `(print a.b["c d"][0].d, ["x y"].z)`},
		{"bracketed member", "print a.['b c']", `(print a.["b c"])`},
		{"strings", `print 'a"b', "c'd", @'e\f''g', h'secret', "\u00e9\n"`, `(print "a\"b", "c'd", "e\\f'g", "secret", "é\n")`},
		{"joined strings", `print "a" 'b'`, `(print "ab")`},
		{"text blocks", "print ```a\nb```, ~~~c~~~", `(print "a\nb", "c")`},
		{"numbers", "print 1, 0x1F, 1.5, 1e3, long(-7), int(3), real(nan), decimal(1.5)", `(print 1, 31, real(1.5), real(1000), long(-7), int(3), real(NaN), decimal(1.5))`},
		{"timespans", "print 1d, 2.5h, 10ms, 1tick, time(1.02:03:04)", `(print timespan(1.00:00:00), timespan(02:30:00), timespan(00:00:00.0100000), timespan(00:00:00.0000001), timespan(1.02:03:04))`},
		{"datetimes", "print datetime(2026-01-02T03:04:05.1234567Z), datetime(null)", `(print datetime(2026-01-02T03:04:05.1234567Z), datetime(null))`},
		{"dynamics", `print dynamic({"a":[1,'x',null]}), dynamic (null), dynamic([datetime(2026-01-02), -1.5])`, `(print dynamic({"a":[1,"x",null]}), dynamic(null), dynamic(["2026-01-02T00:00:00.0000000Z",-1.5]))`},
		{"comments", "T // one | two\n| count // three", `(T | count)`},
		{"projections", "T | project a, b = c + 1, (d, e) = f() | project-away x*, y | project-rename n = o | project-reorder b asc, *", `(T | project a, b = (c + 1), (d, e) = f() | project-away x*, y | project-rename n = o | project-reorder b asc, *)`},
		{"summarize", "T | summarize hint.strategy=shuffle count(), x = dcount(a) by bin(t, 1h), b", `(T | summarize count(), x = dcount(a) by bin(t, timespan(01:00:00)), b)`},
		{"summarize keys", "T | summarize by a", `(T | summarize by a)`},
		{"star argument", "T | summarize arg_max(t, *) by k", `(T | summarize arg_max(t, *) by k)`},
		{"order", "T | order by a asc nulls last, b | top 3 by c desc nulls first", `(T | sort by a asc nulls last, b desc | top 3 by c desc nulls first)`},
		{"join", "T | join kind = leftouter hint.strategy=broadcast (U | take 1) on A, $left.b == $right.c", `(T | join kind=leftouter ((U | take 1)) on A, ($left.b == $right.c))`},
		{"lookup", "T | lookup U on A", `(T | lookup (U) on A)`},
		{"union", "union kind=inner withsource=S isfuzzy=true (T | count), U*, database('d').V", `(union kind=inner withsource=S isfuzzy=true (T | count), U*, database("d").V)`},
		{"union behind a pipe", "T | union U, V", `(T | union U, V)`},
		{"parse-kv", "T | parse-kv a as (b:long, ['c d']:string) with (pair_delimiter=',', kv_delimiter='=', quote='()', escape='%')", `(T | parse-kv a as (b:long, ["c d"]:string) with (pair_delimiter=",", kv_delimiter="=", quote="()", escape="%"))`},
		{"search", "search kind=case_sensitive in (T, U*) 'a' and b:'c*' or d > 1", `(search kind=case_sensitive in (T, U*) (("a" and (b : "c*")) or (d > 1)))`},
		{"find", "find withsource=S in (T, U*) where a == 1 and 'x' project a:string, ['b c']", `find withsource=S in (T, U*) where ((a == 1) and "x") project a:string, ["b c"]`},
		{"find in all tables", "find * has 'x' and b:'y' project-smart | count", `(find where ((* has "x") and (b : "y")) | count)`},
		{"fork", "T | fork a=(where b > 1 | count) (take 2)", `(T | fork a = (where (b > 1) | count) (take 2))`},
		{"facet", "T | facet by a, ['b c'] with (take 1)", `(T | facet by a, ["b c"] with (take 1))`},
		{"top-hitters", "T | top-hitters 2 of n=a by s=b*2 | top-hitters 1 of n", `(T | top-hitters (2) of n = a by s = (b * 2) | top-hitters (1) of n)`},
		{"mv-apply", "T | mv-apply with_itemindex=i a = b to typeof(long) limit 5 on (where a > 1 | count)", `(T | mv-apply with_itemindex=i a = b to typeof(long) limit 5 on (where (a > 1) | count))`},
		{"partition", "T | partition hint.strategy=native by a (take 1)", `(T | partition hint.strategy=native by a (take 1))`},
		{"make-series", "T | make-series kind=nonempty a=sum(b) default=-1, count() on t from 1 to 9 step 2 by c", `(T | make-series kind=nonempty a = sum(b) default = ((-1)), count() on t from 1 to 9 step 2 by c)`},
		{"top-nested", "T | top-nested 2 of a with others='o' by max(b) asc, top-nested of c by d=count()", `(T | top-nested (2) of a with others = ("o") by max(b) asc, top-nested of c by d = count())`},
		{"scan", "T | scan with_match_id=m declare (c:long=0) with (step s output=none: a > s.a => c = 1; step u: true;)", `(T | scan with_match_id=m declare (c:long = 0) with (step s output=none: (a > s.a) => c = 1; step u output=all: true; ))`},
		{"mv-expand", "T | mv-expand kind=array with_itemindex=i a = b to typeof(long), c limit 5", `(T | mv-expand kind=array with_itemindex=i a = b to typeof(long), c limit 5)`},
		{"parse", "T | parse kind=regex flags=Ui a with * 'x=' b:long ',' c *", `(T | parse kind=regex flags=Ui a with * "x=" b:long "," c *)`},
		{"let", "let a = 1; let f = (x:long, T:(y:string), d:string = 'z') { let k = x; T | where n > k }; f(a, U)", `let a = 1; let f = (x:long, T:(y:string), d:string = "z") { let k = x; (T | where (n > k)) }; f(a, U)`},
		{"view", "let v = view () { T }; v", `let v = view () { T }; v`},
		{"let of a parenthesis", "let s = (T | take 1); s", `let s = (T | take 1); s`},
		{"datatable", "datatable(a:long, b:string) [1, 'x', 2, 'y']", `datatable(a:long, b:string) [1, "x", 2, "y" ]`},
		{"datatable of one string", "datatable(a:string) ['x']", `datatable(a:string) ["x" ]`},
		{"range", "range x from 1 to 10 step 2 | count", `((range x from 1 to 10 step 2) | count)`},
		{"declare", "declare query_parameters(a:long, b:string = 'x'); set notruncation; set query_datetimescope_to = datetime(2026-01-01); print a", `declare query_parameters(a:long, b:string = "x"); set notruncation; set query_datetimescope_to = datetime(2026-01-01T00:00:00.0000000Z); (print a)`},
		{"evaluate", "T | evaluate bag_unpack(d, 'p_') : (*, p_a:string)", `(T | evaluate bag_unpack(d, "p_") : (*, p_a:string))`},
		{"render and others", "T | as hint.materialized=true X | serialize n = row_number() | sample 3 | sample-distinct 2 of a | invoke f(1) | getschema | consume | render timechart with (title='x')", `(T | as hint.materialized=true X | serialize n = row_number() | sample 3 | sample-distinct 2 of a | invoke f(1) | getschema | consume | render table)`},
		{"macro-expand", "macro-expand kind=outer isfuzzy=true Tenants as X (let n = 1; X.T | where a == X.$current_database) | count", `((macro-expand kind=outer isfuzzy=true Tenants as X (let n = 1; (X.T | where (a == X.$current_database)))) | count)`},
		{"entity groups", "let G = entity_group [cluster('c').database('d'), database('e')]; union (macro-expand entity_group [database('f')] as X (X.T)), (print macro - expand)", `let G = entity_group [cluster("c").database("d"), database("e")]; (union (macro-expand entity_group [database("f")] as X (X.T)), (print (macro - expand)))`},
		{"empty statements", ";; T ;", `T`},
		{"function of a database", "database('d').f(1)", `database("d").f(1)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := syntax.ParseQuery(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got := syntax.Text(q)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			again(t, got)
		})
	}
}

// again parses a printed query and prints it again.
func again(t *testing.T, text string) {
	t.Helper()
	q, err := syntax.ParseQuery(text)
	if err != nil {
		t.Fatalf("what was printed does not parse: %v\n%s", err, text)
	}
	if diff := cmp.Diff(text, syntax.Text(q)); diff != "" {
		t.Errorf("printed, parsed and printed again (-first +second):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		text, want string
		offset     int
	}{
		{"T | foo", "Query operator expected.", 4},
		{"print datetime (2026-01-02)", "A recognition error occurred.", 15},
		{"T | ", "Query operator expected.", 4},
		{"(0 % 0); (union 0)", "A recognition error occurred.", 16},
		{"T | where", "The incomplete fragment is unexpected", 9},
		{"T | where a ==", "The incomplete fragment is unexpected", 14},
		{"T | project a b", "A recognition error occurred.", 14},
		{"T where a", "A recognition error occurred.", 2},
		{"T | where (a", "The incomplete fragment is unexpected", 12},
		{"print 'a", "The string literal is not terminated.", 6},
		{"T | where a == datetime(x)", "datetime(x) is not a valid literal.", 15},
		{"T | join kind=sideways (U) on A", "'sideways' is not a kind of join that is allowed here.", 14},
		{"datatable(a:text)[1]", "Type 'text' is not known.", 12},
		{"let f = (x:long) { T", "The incomplete fragment is unexpected", 20},
		{strings.Repeat("(", 500), "The query is nested more than 200 levels deep.", 200},
	}
	for _, tt := range tests {
		_, err := syntax.ParseQuery(tt.text)
		var e *syntax.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: error %v, want %q", tt.text, err, tt.want)
			continue
		}
		if e.Message != tt.want || e.Offset != tt.offset || e.Unsupported {
			t.Errorf("%q: %q at %d, want %q at %d", tt.text, e.Message, e.Offset, tt.want, tt.offset)
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, text := range []string{
		"T | reduce by b", "find in (T) where a == 1 project a, pack_all()", "externaldata(a:string)['x']", "T | partition by a { U }", "T | graph-match (a) where true",
		"macro-expand X in G (X.T)", "macro-expand G (X.T)", "macro-expand best_effort=true G as X (X.T)", "macro-expand entity_group('G') as X (X.T)",
	} {
		_, err := syntax.ParseQuery(text)
		var e *syntax.Error
		if !errors.As(err, &e) || !e.Unsupported || !strings.Contains(e.Message, "not supported") {
			t.Errorf("%q: %v, want a refusal", text, err)
		}
	}
}

func TestParseParameters(t *testing.T) {
	got, err := syntax.ParseParameters("(a:long, b:string = 'x', T:(*), U:(c:datetime, d:dynamic))")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[0].Name != "a" || got[1].Default == nil || !got[2].Tabular || len(got[3].Columns) != 2 {
		t.Errorf("parameters are %+v", got)
	}
	if _, err := syntax.ParseParameters("(a long)"); err == nil {
		t.Error("a parameter without a colon is accepted")
	}
}

func TestPosition(t *testing.T) {
	line, column := syntax.Position("ab\ncd", 4)
	if line != 2 || column != 2 {
		t.Errorf("position is %d:%d, want 2:2", line, column)
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{
		"T | where a !in~ ('x') and b between (1..2) | summarize n = count() by bin(t, 1h)",
		"let f = (x:long = 1) { T | where y > x }; union f(1), (T | take 1), U*",
		"datatable(a:dynamic)[dynamic({'a':[1,2d,-3]})] | mv-expand a to typeof(long) limit 3",
		"print h@'x', ```y```, 0x1f, 1.5e-3, ['a b'].c[\"d\"][-1], typeof(long)",
		"T | parse kind=regex a with * 'b' c:long * | join kind=inner (U) on $left.a == $right.b",
		"find withsource=S in (T, U*) where * has 'x' and b:'y' project a:long, ['b c'] | top-hitters 2 of a by b",
		"T | fork a=(where b > 1) (take 2) | facet by a, b with (take 1 | count)",
		"T | evaluate python(typeof(*, a:long), 'x') : (*) | getschema kind=csl | where a !like 'x'",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := syntax.ParseQuery(text)
		if err != nil {
			var e *syntax.Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(text) {
				t.Fatalf("error %v of %T, offset beyond the text", err, err)
			}
			return
		}
		// Each operator of a row is a level of its own when printed, and only
		// so many levels are parsed.
		if printed := syntax.Text(q); strings.Count(printed, "(") < 200 {
			again(t, printed)
		}
	})
}
