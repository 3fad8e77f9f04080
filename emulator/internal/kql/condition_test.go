package kql_test

import "testing"

// Conditions give the same within others, in filters, and as values.
func TestTruth(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{"T": `datatable(n:long, i:int, s:string, d:dynamic, at:datetime)[
		1, 1, 'ab', dynamic({"a":"ab","b":true}), datetime(2026-01-02),
		2, int(null), '', dynamic({"a":1}), datetime(null),
		long(null), 1, 'b', dynamic(null), datetime(2026-01-01),
		long(null), int(null), 'AB', dynamic([1]), datetime(2026-01-03)]`})}
	checkAll(t, c, []queryTest{
		{"order", "T | project n == i, n != i, n < i, n <= i, n > i, n >= i, 2 > n, i <> 1, at > datetime(2026-01-01), at == at", `
			Column1:bool Column2:bool Column3:bool Column4:bool Column5:bool Column6:bool Column7:bool Column8:bool Column9:bool Column10:bool
			true | false | false | true | false | true | true | false | true | true
			false | true | null | null | null | null | false | true | null | null
			false | true | null | null | null | null | null | false | false | true
			null | null | null | null | null | null | null | true | true | true`},
		{"texts", "T | project s == 'ab', s != 'ab', s startswith_cs 'a', s !startswith_cs 'a', s has 'ab', s =~ 'ab', s in ('ab', 'b'), s !in ('ab', 'b'), isempty(s), isnotempty(s), isnull(n), isnotnull(i)", `
			Column1:bool Column2:bool Column3:bool Column4:bool Column5:bool Column6:bool Column7:bool Column8:bool Column9:bool Column10:bool Column11:bool Column12:bool
			true | false | true | false | true | true | true | false | false | true | false | true
			false | true | false | true | false | false | false | true | true | false | false | false
			false | true | false | true | false | false | true | false | false | true | true | true
			false | true | false | true | true | true | false | true | false | true | true | false`},
		{"joined", "T | project a = n > 0 and i > 0, o = n > 0 or i > 0, x = not(n > 0), y = not(n > 0 and i > 5), z = not(not(s == 'ab'))", `
			a:bool o:bool x:bool y:bool z:bool
			true | true | false | true | true
			null | true | false | null | false
			null | true | null | true | false
			null | null | null | null | false`},
		{"filters", "T | where not(n > 1) or isempty(s) | where s != 'x' and gettype(d) == 'dictionary' | project n", "n:long\n1\n2"},
		{"choices", "T | project a = iff(n > 0, s, 'none'), b = case(n > 1, 'two', i > 0, s, tostring(d)), c = iff(isnull(n), -1, n), d = iff(tobool(d.b), 1, 2.5), e = coalesce(n, 7)", `
			a:string b:string c:long d:real e:long
			ab | ab | 1 | 1.0 | 1
			 | two | 2 | 2.5 | 2
			none | b | -1 | 2.5 | 7
			none | [1] | -1 | 2.5 | 7`},
		{"slots as text", "T | project a = tostring(d.a), b = tostring(d.b), c = isnotempty(tostring(d.a)), e = strcat(d.a, '-', tostring(d.b)), f = tolong(d.a)", `
			a:string b:string c:bool e:string f:long
			ab | true | true | ab-true | null
			1 |  | true | 1- | 1
			 |  | false | - | null
			 |  | false | - | null`},
	})
}
