package kql_test

import (
	"fmt"
	"strings"
	"testing"
)

// Groups are found by keys of all kinds, alone and together.
func TestGroups(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{"T": `datatable(s:string, n:long, i:int, b:bool, r:real, at:datetime, g:guid)[
		'a', 0, 0, false, 0.0, datetime(0001-01-01), guid(00000000-0000-0000-0000-000000000000),
		'a', long(null), int(null), bool(null), real(null), datetime(null), guid(null),
		'', 0, 0, false, -0.0, datetime(0001-01-01), guid(00000000-0000-0000-0000-000000000000),
		'a', long(null), int(null), bool(null), real(nan), datetime(null), guid(null),
		'b', -1, 2147483647, true, real(nan), datetime(2026-01-02), guid(00000000-0000-0000-0000-000000000001)]`})}
	checkAll(t, c, []queryTest{
		{"text", "T | summarize count() by s", "s:string count_:long\na | 3\n | 1\nb | 1"},
		{"number", "T | summarize count() by n", "n:long count_:long\n0 | 2\nnull | 2\n-1 | 1"},
		{"bool", "T | summarize count() by b", "b:bool count_:long\nfalse | 2\nnull | 2\ntrue | 1"},
		{"real", "T | summarize count() by r", "r:real count_:long\n0.0 | 2\nnull | 1\nNaN | 2"},
		{"guid", "T | summarize count() by g", "g:guid count_:long\n00000000-0000-0000-0000-000000000000 | 2\nnull | 2\n00000000-0000-0000-0000-000000000001 | 1"},
		{"numbers", "T | summarize count(), max(s) by n, i, b, at", `
			n:long i:int b:bool at:datetime count_:long max_s:string
			0 | 0 | false | 0001-01-01T00:00:00.0000000Z | 2 | a
			null | null | null | null | 2 | a
			-1 | 2147483647 | true | 2026-01-02T00:00:00.0000000Z | 1 | b`},
		{"of several kinds", "T | distinct s, n, r", `
			s:string n:long r:real
			a | 0 | 0.0
			a | null | null
			 | 0 | 0.0
			a | null | NaN
			b | -1 | NaN`},
		{"a condition decides first", "T | summarize sumif(n, isnotnull(n) and n < 0), countif(s == 'a'), count_distinctif(s, n == 0), take_anyif(i, n < 0), avgif(r, b) by all = 1", `
			all:long sumif_n:long countif_:long count_distinctif_s:long i:int avgif_r:real
			1 | -1 | 3 | 2 | 2147483647 | NaN`},
	})
}

// Nulls of each of many keys make groups of their own, and many groups are all kept.
func TestManyGroups(t *testing.T) {
	var names, zeros []string
	for i := range 70 {
		names, zeros = append(names, fmt.Sprintf("c%d", i)), append(zeros, fmt.Sprintf("c%d = iff(x == %d, long(null), 0)", i, i))
	}
	c := catalog{tables: mapOf(t, map[string]string{})}
	checkAll(t, c, []queryTest{
		{"many keys", "range x from 0 to 70 step 1 | union (range x from 60 to 69 step 1) | extend " + strings.Join(zeros, ", ") + " | summarize n = count() by " + strings.Join(names, ", ") + " | summarize count() by n", "n:long count_:long\n1 | 61\n2 | 10"},
		{"many groups", "range x from 1 to 10000 step 1 | summarize n = count() by a = x % 5000, b = tostring(x % 7) | summarize groups = count(), rows = sum(n), dcount(a), dcount(b)", "groups:long rows:long dcount_a:long dcount_b:long\n10000 | 10000 | 5000 | 7"},
	})
}
