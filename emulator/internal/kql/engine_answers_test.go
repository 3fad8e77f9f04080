package kql_test

import "testing"

// Answers that were recorded from the real engine or measured on it, each of a
// kind that the emulator once had wrong.
func TestAnswersOfTheEngine(t *testing.T) {
	checkAll(t, nil, []queryTest{
		{"avg of nothing", `datatable(a:long)[] | summarize avg(a)`, `
			avg_a:real
			NaN`},
		{"null keys match in join", `datatable(k:long, a:long)[long(null), 1, 2, 2] | join kind=inner (datatable(k:long, b:long)[long(null), 3]) on k | project a, b`, `
			a:long b:long
			1 | 3`},
		{"null keys match in lookup", `datatable(k:long, a:long)[long(null), 1] | lookup (datatable(k:long, b:long)[long(null), 3]) on k | project a, b`, `
			a:long b:long
			1 | 3`},
		{"null keys match in leftanti", `datatable(k:long, a:long)[long(null), 1, 2, 2] | join kind=leftanti (datatable(k:long)[long(null)]) on k | project a`, `
			a:long
			2`},
		{"text to integer", `print a = tolong('5.7'), b = tolong('1e3'), c = toint(9999999999), d = tolong(' 5 ')`, `
			a:long b:long c:int d:long
			null | null | 1410065407 | 5`},
		{"bool to text", `print a = tostring(true), b = strcat('x', false), c = tostring(dynamic(true))`, `
			a:string b:string c:string
			True | xFalse | true`},
		{"hash of nothing", `print a = hash_md5(''), b = hash_sha256(''), c = hash_sha1('')`, `
			a:string b:string c:string
			 |  | `},
		{"todatetime", `print a = todatetime('2022/12/02'), b = todatetime('12-02-2022'), c = todatetime('20221202'), d = todatetime('2 Dec 2022'), e = todatetime('Dec 2, 2022')`, `
			a:datetime b:datetime c:datetime d:datetime e:datetime
			2022-12-02T00:00:00.0000000Z | 2022-12-02T00:00:00.0000000Z | 2022-12-02T00:00:00.0000000Z | 2022-12-02T00:00:00.0000000Z | 2022-12-02T00:00:00.0000000Z`},
		{"types of date parts", `print a = getyear(datetime(2022-01-02)), b = monthofyear(datetime(2022-01-02)), c = hourofday(datetime(2022-01-02)), d = datetime_part('year', datetime(2022-01-02)), e = ceiling(2), f = sign(-2)`, `
			a:long b:long c:long d:long e:real f:real
			2022 | 1 | 0 | 2022 | 2.0 | -1.0`},
		{"bools in any case", `print a = True, b = FALSE, c = dynamic([True])`, `
			a:bool b:bool c:dynamic
			true | false | [true]`},
		{"negative step", `print a = bin(5, -2)`, `
			a:long
			null`},
		{"asin out of range", `print a = asin(2)`, `
			a:real
			NaN`},
	})
}
