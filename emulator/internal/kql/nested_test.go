package kql_test

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

func TestMvApply(t *testing.T) {
	const rows = "let T = datatable(k:long, a:dynamic)[0, dynamic([5, 1, 3]), 1, dynamic([4, 10]), 2, dynamic([]), 3, dynamic(null)]; T | "
	checkAll(t, nil, []queryTest{
		{"top of each", rows + "mv-apply e = a to typeof(long) on (top 1 by e | project e)", `
			k:long a:dynamic e:long
			0 | [5,1,3] | 5
			1 | [4,10] | 10
			3 | null | null`},
		{"what an array is replaced by comes last", rows + "where k < 2 | mv-apply a to typeof(long) on (where a > 3)", `
			k:long a:long
			0 | 5
			1 | 4
			1 | 10`},
		{"aggregates see columns of the row", rows + "mv-apply e = a to typeof(long) on (summarize s = sum(e + k), n = count()) | project k, s, n", `
			k:long s:long n:long
			0 | 9 | 3
			1 | 16 | 2
			3 | 0 | 1`},
		{"the subquery replaces a column where it is", rows + "mv-apply e = a on (summarize k = count()) | project-away a", `
			k:long
			3
			2
			1`},
		{"an index and a limit", rows + "mv-apply with_itemindex=i e = a to typeof(long) limit 2 on (where i >= 1 | project e, i)", `
			k:long a:dynamic e:long i:long
			0 | [5,1,3] | 1 | 1
			1 | [4,10] | 10 | 1`},
		{"several arrays, and order", "print p = dynamic([2, 1]), q = dynamic(['x', 'y', 'z']) | mv-apply a = p to typeof(long), b = q to typeof(string) on (sort by a asc | extend n = row_number())| project a, b, n", `
			a:long b:string n:long
			null | z | 1
			1 | y | 2
			2 | x | 3`},
		{"within another", "print p = dynamic([[1, 2], [3]]) | mv-apply q = p on (mv-apply r = q to typeof(long) on (summarize s = sum(r)) | summarize m = max(s)) | project m", `
			m:long
			3`},
		{"take ends the whole", rows + "mv-apply e = a to typeof(long) on (take 2) | take 3 | summarize count(), sum(e)", `
			count_:long sum_e:long
			3 | 10`},
		{"columns that nobody reads", rows + "mv-apply e = a to typeof(long) on (where e > 3) | count", `
			Count:long
			3`},
	})
	refused(t, "print a = dynamic([1]) | mv-apply a on (evaluate bag_unpack(a))", "in a subquery")
}

// refused verifies that a query is refused by name.
func refused(t *testing.T, query, why string) {
	t.Helper()
	_, err := kql.Compile(query, environment(nil))
	e, ok := err.(*kql.Error)
	if !ok || e.Kind != kql.Unsupported || !strings.Contains(e.Message, why) {
		t.Errorf("%s: error %v, want a refusal with %q", query, err, why)
	}
}

func TestOtherClustersAreRefused(t *testing.T) {
	for _, query := range []string{
		"cluster('elsewhere').database('Other').T1 | take 1", "cluster('help.kusto.windows.net').database('Other').F(1)",
		"print cluster('10.0.0.1').database('Other').G(1)",
	} {
		refused(t, query, "is not this one")
	}
}

// Where there are no databases, as in hunting, there are no groups of them.
func TestMacroExpandNeedsDatabases(t *testing.T) {
	refused(t, "macro-expand entity_group [database('Other')] as X (X.T1)", "The macro-expand operator is not supported here")
}

func TestPartition(t *testing.T) {
	const rows = "let T = datatable(k:string, n:long)['a', 1, 'b', 7, 'a', 3, 'b', 5, '', 2]; T | "
	checkAll(t, nil, []queryTest{
		{"top of each", rows + "partition hint.strategy=native by k (top 1 by n)", `
			k:string n:long
			a | 3
			b | 7
			| 2`},
		{"aggregates of each", rows + "partition by k (summarize s = sum(n), k = take_any(k) | where s > 2) | project k, s", `
			k:string s:long
			a | 4
			b | 12`},
		{"distances within each", rows + "sort by n asc | partition hint.strategy=shuffle by k (extend d = n - prev(n) | where isnotnull(d)) | project k, d", `
			k:string d:long
			a | 2
			b | 2`},
		{"partitions of partitions", "range x from 0 to 7 step 1 | extend k = x % 2, l = x / 4 | partition by k (partition by l (summarize s = sum(x)))", `
			s:long
			2
			10
			4
			12`},
	})
	refused(t, "print a = 1 | partition by a { print 1 }", "partition with a table of its own")
	if _, err := answer(nil, "range x from 1 to 65 step 1 | partition by x (take 1)"); err == nil || !strings.Contains(err.Error(), "more than 64") {
		t.Errorf("65 partitions: %v", err)
	}
}

func TestMakeSeries(t *testing.T) {
	const rows = "let T = datatable(t:datetime, n:long, k:string)[datetime(2026-01-01 05:00), 3, 'a', datetime(2026-01-01 06:00), 4, 'a', datetime(2026-01-03), 5, 'a', datetime(2026-01-02), 6, 'b', datetime(2026-01-09), 7, 'c', datetime(null), 8, 'a']; T | "
	checkAll(t, nil, []queryTest{
		{"between bounds", rows + "make-series sum(n), c = count() default=-1 on t from datetime(2026-01-01) to datetime(2026-01-04) step 1d by k", `
			k:string sum_n:dynamic c:dynamic t:dynamic
			a | [7,0,5] | [2,-1,1] | ["2026-01-01T00:00:00.0000000Z","2026-01-02T00:00:00.0000000Z","2026-01-03T00:00:00.0000000Z"]
			b | [0,6,0] | [-1,1,-1] | ["2026-01-01T00:00:00.0000000Z","2026-01-02T00:00:00.0000000Z","2026-01-03T00:00:00.0000000Z"]`},
		{"steps begin where from does", rows + "make-series count() on t from datetime(2026-01-01 05:30) to datetime(2026-01-03) step 1d", `
			count_:dynamic t:dynamic
			[2,0] | ["2026-01-01T05:30:00.0000000Z","2026-01-02T05:30:00.0000000Z"]`},
		{"a null by default", "datatable(x:long, y:real)[1, 2.5, 4, 3.5] | make-series avg(y) default=real(null) on x from 0 to 6 step 2", `
			avg_y:dynamic x:dynamic
			[2.5,null,3.5] | [0,2,4]`},
		{"without bounds each series has its own", "datatable(x:long, k:string)[11, 'a', 35, 'a', 20, 'b'] | make-series n = count() on x step 10 by k", `
			k:string n:dynamic x:dynamic
			a | [1,0,1] | [10,20,30]
			b | [1] | [20]`},
		{"no rows give no series", rows + "where n > 99 | make-series count() on t from datetime(2026-01-01) to datetime(2026-01-03) step 1d", `
			count_:dynamic t:dynamic`},
		{"unless the text asks for it", rows + "where n > 99 | make-series kind=nonempty count() default=9 on t from datetime(2026-01-01) to datetime(2026-01-03) step 1d | project count_", `
			count_:dynamic
			[9,9]`},
		{"an axis of reals", "datatable(x:real)[0.1, 0.6, 0.7] | make-series count() on x from 0.0 to 1.0 step 0.5", `
			count_:dynamic x:dynamic
			[1,2] | [0.0,0.5]`},
	})
	refused(t, "range x from 1 to 2 step 1 | make-series count() on x in range(1, 2, 1)", "in range()")
	refused(t, "range x from 1 to 2 step 1 | make-series count() on x to 2 step 1", "to without from")
	refused(t, "range x from 1 to 2 step 1 | make-series make_set(x) on x step 1", "of type dynamic")
	for _, query := range []string{
		"range x from 1 to 2 step 1 | make-series count() on x from 0 to 9000000 step 1",
		"range x from 1 to 2 step 1 | make-series count() on x step 0",
	} {
		if _, err := answer(nil, query); err == nil {
			t.Errorf("%s: no error", query)
		}
	}
}

func TestTopNested(t *testing.T) {
	const rows = "let T = datatable(a:string, b:string, n:long)['x', 'p', 1, 'x', 'q', 5, 'y', 'p', 9, 'z', 'p', 2, 'x', 'q', 2]; T | "
	checkAll(t, nil, []queryTest{
		{"two levels", rows + "top-nested 2 of a by sum(n), top-nested 1 of b by m = max(n)", `
			a:string aggregated_a:long b:string m:long
			y | 9 | p | 9
			x | 8 | q | 5`},
		{"ascending, with the others", rows + "top-nested 1 of a with others='rest' by s = sum(n) asc", `
			a:string s:long
			z | 2
			rest | 17`},
		{"all values, in expressions", rows + "top-nested of k = strcat(a, b) by max(n) + 1", `
			k:string aggregated_k:long
			yp | 10
			xq | 6
			zp | 3
			xp | 2`},
	})
	refused(t, "print a = 1, b = 2 | top-nested 1 of a with others=0 by max(b), top-nested 1 of b by max(a)", "more than one level")
}

// The examples of https://learn.microsoft.com/kusto/query/scan-operator and
// states that are carried on.
func TestScanOperator(t *testing.T) {
	const events = "let E = datatable(t:long, e:string)[0, 'A', 1, 'Start', 2, 'B', 3, 'D', 4, 'Stop', 6, 'C', 8, 'Start', 11, 'E', 12, 'Stop', 13, 'F']; E | sort by t asc | "
	checkAll(t, nil, []queryTest{
		{"sums that restart", "range x from 1 to 5 step 1 | extend y = 2 * x | scan declare (cx:long = 0, cy:long = 0) with (step s: true => cx = iff(s.cx >= 10, x, x + s.cx), cy = iff(s.cy >= 10, y, y + s.cy);)", `
			x:long y:long cx:long cy:long
			1 | 2 | 1 | 2
			2 | 4 | 3 | 6
			3 | 6 | 6 | 12
			4 | 8 | 10 | 8
			5 | 10 | 5 | 18`},
		{"sequences with numbers", events + "scan with_match_id=m with (step s1: e == 'Start'; step s2: e !in ('Start', 'Stop') and t - s1.t <= 5; step s3: e == 'Stop' and t - s1.t <= 5;)", `
			t:long e:string m:long
			1 | Start | 0
			2 | B | 0
			3 | D | 0
			4 | Stop | 0
			8 | Start | 1
			11 | E | 1
			12 | Stop | 1`},
		{"a sequence that goes on keeps its number", "datatable(t:long)[0, 1, 2, 32, 36, 75] | sort by t asc | scan with_match_id=m declare (first:long) with (step a: true => first = iff(isnull(a.first), t, a.first); step b output=none: t - a.first > 30;)", `
			t:long first:long m:long
			0 | 0 | 0
			1 | 0 | 0
			2 | 0 | 0
			32 | 32 | 1
			36 | 32 | 1
			75 | 75 | 2`},
		{"steps without output", events + "scan declare (from:long) with (step s1 output=none: e == 'Start'; step s2: e == 'Stop' => from = s1.t;)", `
			t:long e:string from:long
			4 | Stop | 1
			12 | Stop | 8`},
		{"a state that is empty is null", "print x = 1 | scan declare (p:long, q:string = 'none') with (step s: isnull(s.x) => p = s.x;)", `
			x:long p:long q:string
			1 | null | none`},
	})
	refused(t, "range x from 1 to 2 step 1 | scan with (step s output=last: true;)", "output=last")
	if _, err := answer(nil, "datatable(x:long)[1] | scan with (step s: true;)"); err == nil || !strings.Contains(err.Error(), "serialized") {
		t.Errorf("rows without an order: %v", err)
	}
}
