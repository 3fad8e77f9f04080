package kql_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

// Texts that are made in buffers are those that the functions give one by one.
func TestTextsInBuffers(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{"T": `datatable(s:string, n:long, b:bool, r:real, at:datetime, d:dynamic)[
		'ä"x', 7, true, 1.0, datetime(2026-01-02), dynamic({"a":[1,null]}),
		'', long(null), bool(null), real(null), datetime(null), dynamic(null),
		'0x1f', -12, false, 0.5, datetime(2026-01-02 03:04:05.6), dynamic("q")]`})}
	checkAll(t, c, []queryTest{
		{"strcat of every type", "T | project x = strcat(s, '|', n, '|', b, '|', r, '|', at, '|', d, '|', tostring(strlen(s)), '|', tostring(n))", `
			x:string
			ä"x|7|True|1.0|2026-01-02T00:00:00.0000000Z|{"a":[1,null]}|3|7
			||||||0|
			0x1f|-12|False|0.5|2026-01-02T03:04:05.6000000Z|q|4|-12`},
		{"strcat within strcat", "T | project x = strcat(strcat(s, n), '-', strcat(s, strcat(n, s)), '-', tostring(strcat(n)))", `
			x:string
			ä"x7-ä"x7ä"x-7
			--
			0x1f-12-0x1f-120x1f--12`},
		{"strcat keeps what did not change", `let rows = datatable(a:string, n:long, b:string)['x', 1, 'p', 'x', 1, 'q', 'x', 2, 'q', 'xy', 2, 'q', 'x', 2, 'q', '', long(null), '', 'x', 2, 'q'];
			let late = toscalar(rows | summarize max(n));
			rows | project x = strcat('<', a, strlen(a), late, n, ':', n + 1, '|', b, a, n + strlen(b), substring(a, 1), substring(b, 0, 1), '>'), y = tolong(strcat('0x', substring(a, 0, 0), n))`, `
			x:string y:long
			<x121:2|px2p> | 1
			<x121:2|qx2q> | 1
			<x122:3|qx3q> | 2
			<xy222:3|qxy3yq> | 2
			<x122:3|qx3q> | 2
			<02:|> | null
			<x122:3|qx3q> | 2`},
		{"hashes of texts", "T | extend x = strcat(s, n) | project same = hash_sha256(strcat(s, n)) == hash_sha256(x), empty = hash_sha256(strcat(s, n)) == '', whole = strlen(hash_sha256(strcat(s)))", `
			same:bool empty:bool whole:long
			true | false | 64
			true | true | 0
			true | false | 64`},
		{"hash of a hash", "print x = hash_sha256(strcat(hash_sha256(strcat('a', tostring(1))))) == hash_sha256(hash_sha256('a1'))", `
			x:bool
			true`},
		{"numbers of texts", "T | project x = tolong(strcat('0x', n)), y = tolong(strcat(s)), z = tolong(strcat(' -', '0x1', '0 '))", `
			x:long y:long z:long
			7 | null | -16
			null | null | -16
			null | 31 | -16`},
	})
}

// Accesses to several slots of one bag find what each finds alone.
func TestSlots(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{"T": `datatable(r:string)[
		'{"a":1,"b":{"c":2},"a":3}', '{"b":"x","a":"y"}', '[1]', '', '"text"', '{"a\\u0062":4,"q\\"":5}', '{}', '{"b":"x","a":"y"}']`})}
	checkAll(t, c, []queryTest{
		{"by name", `T | extend p = parse_json(r) | project a = p.a, b = p['b'], c = p.b.c, ab = p.ab, q = p['q"'], first = p[0]`, `
			a:dynamic b:dynamic c:dynamic ab:dynamic q:dynamic first:dynamic
			1 | {"c":2} | 2 | null | null | null
			y | x | null | null | null | null
			null | null | null | null | null | 1
			null | null | null | null | null | null
			null | null | null | null | null | null
			null | null | null | 4 | 5 | null
			null | null | null | null | null | null
			y | x | null | null | null | null`},
		{"of two bags in turn", `print p = dynamic({"a":1,"b":2}), q = dynamic({"a":3,"b":4}) | project x = p.a, y = q.b, z = p.b, w = q.a, u = bag_pack('a', p.b).a`, `
			x:dynamic y:dynamic z:dynamic w:dynamic u:dynamic
			1 | 4 | 2 | 3 | 2`},
	})
}

// An expression of one column gives each row its own value.
func TestRepeatedTexts(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{"T": `datatable(s:string, n:long, d:dynamic)[
		'aa', 1, 1, 'aa', 2, dynamic(null), 'ab', 3, 'x', 'aa', 4, 'x', '', 5, 1, '', 6, 1]`})}
	checkAll(t, c, []queryTest{
		{"computed and filtered", "T | where s startswith 'a' and strlen(s) == 2 or s == '' | extend k = strcat(s, '!', s) | project n, k, x = tostring(d) in ('1', '')", `
			n:long k:string x:bool
			1 | aa!aa | true
			2 | aa!aa | true
			3 | ab!ab | false
			4 | aa!aa | false
			5 | ! | true
			6 | ! | true`},
		{"keys", "T | summarize n = sum(n) by k = substring(s, 1, 1)", `
			k:string n:long
			a | 7
			b | 3
			 | 11`},
		{"random values stay random", "T | extend r = iff(isempty(s), strcat(s, rand()), strcat(s, rand())) | summarize n = dcount(r)", `
			n:long
			6`},
	})
}

// Groups of several keys: nulls are no numbers, and the order of the keys counts.
func TestKeysByHash(t *testing.T) {
	c := catalog{tables: map[string]kql.Relation{"T": table(t, `datatable(a:long, b:long, s:string, t:bool)[
		1, long(null), '', true, long(null), 1, '', true, 1, 1, 'x', bool(null), 0, 1, 'x', false, long(null), 1, '', true, 1, 1, 'x', bool(null)]`)}}
	checkAll(t, c, []queryTest{
		{"two numbers", "T | summarize n = count() by a, b", `
			a:long b:long n:long
			1 | null | 1
			null | 1 | 2
			1 | 1 | 2
			0 | 1 | 1`},
		{"all", "T | distinct a, b, s, t", `
			a:long b:long s:string t:bool
			1 | null |  | true
			null | 1 |  | true
			1 | 1 | x | null
			0 | 1 | x | false`},
	})
}
