package kql_test

import "testing"

func TestProjection(t *testing.T) {
	const people = "let T = datatable(Name:string, Age:long, Extra:dynamic) ['Ann', 31, dynamic({'a':{'b':[1,2,{'c':'x'}]}}), 'Bo', long(null), dynamic(null)];\n"
	checkAll(t, nil, []queryTest{
		{"where keeps only true", people + "T | where Age > 30", `
			Name:string Age:long Extra:dynamic
			Ann | 31 | {"a":{"b":[1,2,{"c":"x"}]}}`},
		{"not of null is null", people + "T | where not(Age > 30)", `Name:string Age:long Extra:dynamic`},
		{"project swaps", people + "T | project Age = Name, Name = Age | take 1", `
			Age:string Name:long
			Ann | 31`},
		{"names of expressions", people + "T | project Extra.a.b[2], tostring(Extra.a['b']), strlen(Name), tolower(Name), Age + 1, bin(Age, 10) | take 1", `
			Extra_a_b_2:dynamic Extra_a_b:string strlen_Name:long Column1:string Column2:long Age:long
			{"c":"x"} | [1,2,{"c":"x"}] | 3 | ann | 32 | 30`},
		{"paths", people + "T | project x = Extra.a.b[-1].c, y = Extra['a'].b[0], z = Extra.nothing.here", `
			x:dynamic y:dynamic z:dynamic
			x | 1 | null
			null | null | null`},
		{"extend replaces and adds", people + "T | extend Age = Age * 2, Twice = Age | project Age, Twice | take 1", `
			Age:long Twice:long
			62 | 31`},
		{"project-away", people + "T | project-away A*, Extra | take 1", `
			Name:string
			Ann`},
		{"project-keep keeps the order", people + "T | project-keep Age, N* | take 1", `
			Name:string Age:long
			Ann | 31`},
		{"project-rename", people + "T | project-rename Years = Age | project-away Extra | take 1", `
			Name:string Years:long
			Ann | 31`},
		{"project-reorder", "print b = 1, a100 = 2, a20 = 3, c = 4 | project-reorder a* granny-asc, c", `
			a20:long a100:long c:long b:long
			3 | 2 | 4 | 1`},
		{"project-reorder descending", "print b = 1, a1 = 2, a2 = 3 | project-reorder a* desc", `
			a2:long a1:long b:long
			3 | 2 | 1`},
		{"pack_all", people + "T | project-away Extra | extend p = pack_all() | project p", `
			p:dynamic
			{"Name":"Ann","Age":31}
			{"Name":"Bo","Age":null}`},
		{"pack_all without nulls", people + "T | project-away Extra | project p = pack_all(true)", `
			p:dynamic
			{"Name":"Ann","Age":31}
			{"Name":"Bo"}`},
		{"column_ifexists", people + "T | project column_ifexists('Age', 0), x = column_ifexists('Nope', 'none') | take 1", `
			Age:long x:string
			31 | none`},
		{"names with blanks", "print ['a b'] = 1 | extend c = ['a b'] + 1", `
			a b:long c:long
			1 | 2`},
		{"print without names", "print 1 + 1, x = 'a', strlen('abc')", `
			print_0:long x:string print_2:long
			2 | a | 3`},
		{"getschema", people + "T | getschema", `
			ColumnName:string ColumnOrdinal:int DataType:string ColumnType:string
			Name | 0 | System.String | string
			Age | 1 | System.Int64 | long
			Extra | 2 | System.Object | dynamic`},
		{"the clock", "print now(), now(-1h), ago(1d)", `
			print_0:datetime print_1:datetime print_2:datetime
			2026-11-23T12:00:00.0000000Z | 2026-11-23T11:00:00.0000000Z | 2026-11-22T12:00:00.0000000Z`},
		{"the database", "print current_database()", `
			print_0:string
			Home`},
		{"render changes nothing", "print a = 1 | render timechart with (title = 'x')", `
			a:long
			1`},
	})
}

func TestRowsAndOrder(t *testing.T) {
	const numbers = "let T = datatable(n:long, s:string)[3, 'c', 1, 'a', long(null), '', 2, 'b'];\n"
	checkAll(t, nil, []queryTest{
		{"sort is descending, nulls last", numbers + "T | sort by n", `
			n:long s:string
			3 | c
			2 | b
			1 | a
			null |`},
		{"ascending, nulls first", numbers + "T | order by n asc | project n", `
			n:long
			null
			1
			2
			3`},
		{"nulls placed", numbers + "T | sort by n asc nulls last | project n", `
			n:long
			1
			2
			3
			null`},
		{"several keys", "datatable(a:long, b:long)[1,1, 2,1, 1,2] | sort by a asc, b desc", `
			a:long b:long
			1 | 2
			1 | 1
			2 | 1`},
		{"top", numbers + "T | top 2 by n", `
			n:long s:string
			3 | c
			2 | b`},
		{"top ascending by an expression", numbers + "T | top 2 by strlen(s), n asc | project s", `
			s:string
			a
			b`},
		{"take", "range x from 1 to 1000000000 step 1 | take 2", `
			x:long
			1
			2`},
		{"take nothing", "range x from 1 to 3 step 1 | take 0", `x:long`},
		{"count", "range x from 1 to 5 step 1 | count", `
			Count:long
			5`},
		{"ranges", "range x from 5 to 1 step -2", `
			x:long
			5
			3
			1`},
		{"range of times", "range t from datetime(2026-01-01) to datetime(2026-01-02) step 12h", `
			t:datetime
			2026-01-01T00:00:00.0000000Z
			2026-01-01T12:00:00.0000000Z
			2026-01-02T00:00:00.0000000Z`},
		{"sample-distinct", "range x from 1 to 9 step 1 | extend y = x % 2 | sample-distinct 5 of y | count", `
			Count:long
			2`},
		{"sample", "range x from 1 to 9 step 1 | sample 4 | summarize n = dcount(x)", `
			n:long
			4`},
		{"row_number", "range x from 10 to 12 step 1 | extend n = row_number(), m = row_number(7)", `
			x:long n:long m:long
			10 | 1 | 7
			11 | 2 | 8
			12 | 3 | 9`},
		// https://learn.microsoft.com/kusto/query/row-number-function
		{"row_number restarts", `datatable (Airport:string, Airline:string, Departures:long) ["TLV", "LH", 1, "TLV", "LY", 100, "SEA", "LH", 1, "SEA", "BA", 2, "SEA", "LY", 0]
			| sort by Airport asc, Departures desc | extend Rank=row_number(1, prev(Airport) != Airport)`, `
			Airport:string Airline:string Departures:long Rank:long
			SEA | BA | 2 | 1
			SEA | LH | 1 | 2
			SEA | LY | 0 | 3
			TLV | LY | 100 | 1
			TLV | LH | 1 | 2`},
		// https://learn.microsoft.com/kusto/query/row-cumsum-function
		{"row_cumsum", "datatable (a:long) [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] | sort by a asc | extend cs=row_cumsum(a) | where a > 7", `
			a:long cs:long
			8 | 36
			9 | 45
			10 | 55`},
		{"prev and next", "range x from 1 to 4 step 1 | extend p = prev(x), n = next(x), p2 = prev(x, 2, -1), n2 = next(x, 2, -1)", `
			x:long p:long n:long p2:long n2:long
			1 | null | 2 | -1 | 3
			2 | 1 | 3 | -1 | 4
			3 | 2 | 4 | 1 | -1
			4 | 3 | null | 2 | -1`},
		{"next behind take", "range x from 1 to 9 step 1 | extend n = next(x) | take 2 | extend m = next(n, 1, 0)", `
			x:long n:long m:long
			1 | 2 | 3
			2 | 3 | 0`},
		{"serialize", "print x = 1 | union (print x = 2) | serialize n = row_number() | project n", `
			n:long
			1
			2`},
	})
}

// summarize follows https://learn.microsoft.com/kusto/query/summarize-operator.
func TestSummarize(t *testing.T) {
	const fruit = "let T = datatable(Kind:string, Price:long, At:datetime)['apple', 3, datetime(2026-01-01 10:00), 'pear', 5, datetime(2026-01-01 11:00), 'apple', 4, datetime(2026-01-02 10:00), 'fig', long(null), datetime(null)];\n"
	checkAll(t, nil, []queryTest{
		{"default names", fruit + "T | summarize count(), sum(Price), dcount(Kind), max(Price), avg(Price + 1), countif(Price > 3), make_set(Kind), take_any(Kind)", `
			count_:long sum_Price:long dcount_Kind:long max_Price:long avg_:real countif_:long set_Kind:dynamic Kind:string
			4 | 12 | 3 | 5 | 5.0 | 2 | ["apple","pear","fig"] | apple`},
		{"by a column", fruit + "T | summarize n = count(), total = sum(Price) by Kind", `
			Kind:string n:long total:long
			apple | 2 | 7
			pear | 1 | 5
			fig | 1 | 0`},
		{"by bins", fruit + "T | summarize count() by bin(At, 1d), Cheap = Price < 4", `
			At:datetime Cheap:bool count_:long
			2026-01-01T00:00:00.0000000Z | true | 1
			2026-01-01T00:00:00.0000000Z | false | 1
			2026-01-02T00:00:00.0000000Z | false | 1
			null | null | 1`},
		{"by an expression without a name", fruit + "T | summarize count() by substring(Kind, 0, 1)", `
			Column1:string count_:long
			a | 2
			p | 1
			f | 1`},
		{"keys only", fruit + "T | summarize by Kind", `
			Kind:string
			apple
			pear
			fig`},
		{"of no rows", fruit + "T | where Price > 100 | summarize count(), sum(Price), max(Price), make_list(Kind)", `
			count_:long sum_Price:long max_Price:long list_Kind:dynamic
			0 | 0 | null | []`},
		{"of no rows by key", fruit + "T | where Price > 100 | summarize count() by Kind", `Kind:string count_:long`},
		{"expressions of aggregates", fruit + "T | summarize x = sum(Price) * 1.0 / count(), round(avg(Price), 0) by k = strlen(Kind) | where k == 5", `
			k:long x:real avg_Price:real
			5 | 3.5 | 4.0`},
		{"arg_max with *", fruit + "T | summarize arg_max(Price, *) by Kind | where Kind != 'fig'", `
			Kind:string Price:long At:datetime
			apple | 4 | 2026-01-02T10:00:00.0000000Z
			pear | 5 | 2026-01-01T11:00:00.0000000Z`},
		{"arg_min by name", fruit + "T | summarize arg_min(At, Price), arg_max(At, Price)", `
			At:datetime Price:long At1:datetime Price1:long
			2026-01-01T10:00:00.0000000Z | 3 | 2026-01-02T10:00:00.0000000Z | 4`},
		{"names for several results", fruit + "T | summarize (a, b) = arg_max(At, Kind)", `
			a:datetime b:string
			2026-01-02T10:00:00.0000000Z | apple`},
		{"percentiles", "range x from 1 to 100 step 1 | summarize percentiles(x, 5, 50)", `
			percentile_x_5:long percentile_x_50:long
			5 | 50`},
		{"arguments nobody reads", fruit + "T | summarize arg_max(Price, *), n = count() | project n, Kind", `
			n:long Kind:string
			4 | pear`},
		{"distinct", fruit + "T | distinct Kind", `
			Kind:string
			apple
			pear
			fig`},
		{"distinct *", "datatable(a:long, b:string)[1, 'x', 1, 'x', 1, 'y'] | distinct *", `
			a:long b:string
			1 | x
			1 | y`},
		{"null is a key", "datatable(a:long)[1, long(null), 1, long(null)] | summarize n = count() by a", `
			a:long n:long
			1 | 2
			null | 2`},
		{"numbers of several kinds", "datatable(a:real, b:guid)[1.5, guid(null), 1.5, guid(null), real(nan), guid(null), real(nan), guid(null)] | summarize n = count() by a, b", `
			a:real b:guid n:long
			1.5 | null | 2
			NaN | null | 2`},
	})
}

// The examples of the pages on the kinds of join, such as
// https://learn.microsoft.com/kusto/query/join-innerunique.
func TestJoin(t *testing.T) {
	const tables = `let X = datatable(Key:string, Value1:long)['a',1, 'b',2, 'b',3, 'c',4];
		let Y = datatable(Key:string, Value2:long)['b',10, 'c',20, 'c',30, 'd',40];
		`
	checkAll(t, nil, []queryTest{
		{"innerunique is the default", tables + "X | join Y on Key", `
			Key:string Value1:long Key1:string Value2:long
			b | 2 | b | 10
			c | 4 | c | 20
			c | 4 | c | 30`},
		{"inner", tables + "X | join kind=inner Y on Key", `
			Key:string Value1:long Key1:string Value2:long
			b | 2 | b | 10
			b | 3 | b | 10
			c | 4 | c | 20
			c | 4 | c | 30`},
		{"leftouter", tables + "X | join kind=leftouter Y on Key", `
			Key:string Value1:long Key1:string Value2:long
			a | 1 |  | null
			b | 2 | b | 10
			b | 3 | b | 10
			c | 4 | c | 20
			c | 4 | c | 30`},
		{"rightouter", tables + "X | join kind=rightouter Y on Key", `
			Key:string Value1:long Key1:string Value2:long
			b | 2 | b | 10
			b | 3 | b | 10
			c | 4 | c | 20
			c | 4 | c | 30
			| null | d | 40`},
		{"fullouter", tables + "X | join kind=fullouter Y on Key", `
			Key:string Value1:long Key1:string Value2:long
			a | 1 |  | null
			b | 2 | b | 10
			b | 3 | b | 10
			c | 4 | c | 20
			c | 4 | c | 30
			| null | d | 40`},
		{"leftsemi", tables + "X | join kind=leftsemi Y on Key", `
			Key:string Value1:long
			b | 2
			b | 3
			c | 4`},
		{"leftanti", tables + "X | join kind=leftanti Y on Key", `
			Key:string Value1:long
			a | 1`},
		{"rightsemi", tables + "X | join kind=rightsemi Y on Key", `
			Key:string Value2:long
			b | 10
			c | 20
			c | 30`},
		{"rightanti", tables + "X | join kind=rightanti Y on Key", `
			Key:string Value2:long
			d | 40`},
		{"left and right names", tables + "X | join kind=inner (Y | project-rename K = Key) on $left.Key == $right.K, $left.Value1 == $right.Value2", `Key:string Value1:long K:string Value2:long`},
		{"conditions joined by and, sides exchanged", tables + "X | join kind=inner (Y | extend V = Value2 / 5) on $right.Key == $left.Key and $left.Value1 == $right.V", `
			Key:string Value1:long Key1:string Value2:long V:long
			b | 2 | b | 10 | 2
			c | 4 | c | 20 | 4`},
		{"only what is read", tables + "X | join kind=inner Y on Key | project Value2 | where Value2 > 10", `
			Value2:long
			20
			30`},
		{"null matches null", "datatable(k:long)[1, long(null)] | join kind=inner (datatable(k:long, v:long)[1, 1, long(null), 2]) on k", `
			k:long k1:long v:long
			1 | 1 | 1
			null | null | 2`},
		{"null in a full outer join", "datatable(k:long)[1, long(null)] | join kind=fullouter (datatable(k:long)[1, long(null)]) on k", `
			k:long k1:long
			1 | 1
			null | null`},
		{"lookup has no second key", tables + "X | lookup Y on Key", `
			Key:string Value1:long Value2:long
			a | 1 | null
			b | 2 | 10
			b | 3 | 10
			c | 4 | 20
			c | 4 | 30`},
		{"lookup kind=inner", tables + "X | lookup kind=inner (Y | where Value2 < 15) on Key", `
			Key:string Value1:long Value2:long
			b | 2 | 10
			b | 3 | 10`},
	})
}

func TestUnion(t *testing.T) {
	c := catalog{tables: nil}
	c.tables = mapOf(t, map[string]string{
		"T1": "datatable(a:long, b:string)[1, 'x']", "T2": "datatable(a:string, c:long)['y', 2]", "U": "datatable(a:long)[3]",
		"Other.T1": "datatable(z:long)[9]",
	})
	checkAll(t, c, []queryTest{
		{"outer, types apart", "union T1, T2", `
			a_long:long b:string a_string:string c:long
			1 | x |  | null
			null |  | y | 2`},
		{"inner", "union kind=inner T1, U", `
			a:long
			1
			3`},
		{"behind a pipe with source", "T1 | union withsource=From U", `
			From:string a:long b:string
			union_arg0 | 1 | x
			U | 3 |`},
		{"wildcards", "union withsource=From T* | project From", `
			From:string
			T1
			T2`},
		{"legs in parentheses", "union (T1 | project a), (U | where a > 100), U | summarize sum(a)", `
			sum_a:long
			4`},
		{"fuzzy", "union isfuzzy=true U, Nope, Nope2*", `
			a:long
			3`},
		{"another database", "database('Other').T1", `
			z:long
			9`},
		{"a database that a let names", "let d = 'Other'; database(d).T1", `
			z:long
			9`},
		{"a database that an argument names", "let f = (d:string) { database(d).T1 | project z }; f('Other')", `
			z:long
			9`},
		{"another database in a cluster", "cluster('https://k.localhost:8443').database('Other').T1 | project z", `
			z:long
			9`},
	})
}

func TestExpand(t *testing.T) {
	checkAll(t, nil, []queryTest{
		// https://learn.microsoft.com/kusto/query/mv-expand-operator
		{"array", "datatable (a: int, b: dynamic)[1, dynamic([10, 20]), 2, dynamic(['a', 'b'])] | mv-expand b", `
			a:int b:dynamic
			1 | 10
			1 | 20
			2 | a
			2 | b`},
		{"bag", `datatable (a: int, b: dynamic)[1, dynamic({"prop1": "a1", "prop2": "b1"})] | mv-expand b`, `
			a:int b:dynamic
			1 | {"prop1":"a1"}
			1 | {"prop2":"b1"}`},
		{"bag to pairs", `datatable (a: int, b: dynamic)[1, dynamic({"prop1": "a1", "prop2": "b1"})] | mv-expand kind=array b | extend key = b[0], val = b[1]`, `
			a:int b:dynamic key:dynamic val:dynamic
			1 | ["prop1","a1"] | prop1 | a1
			1 | ["prop2","b1"] | prop2 | b1`},
		{"side by side", `datatable (a: int, b: dynamic, c: dynamic)[1, dynamic({"prop1": "a", "prop2": "b"}), dynamic([5, 4, 3])] | mv-expand b, c`, `
			a:int b:dynamic c:dynamic
			1 | {"prop1":"a"} | 5
			1 | {"prop2":"b"} | 4
			1 | null | 3`},
		{"to a type", `print b = dynamic([1, 2]), c = dynamic(['x', 3]) | mv-expand b, c to typeof(int)`, `
			b:dynamic c:int
			1 | null
			2 | 3`},
		{"index", "range x from 1 to 4 step 1 | summarize x = make_list(x) | mv-expand with_itemindex=Index x", `
			x:dynamic Index:long
			1 | 0
			2 | 1
			3 | 2
			4 | 3`},
		{"null and empty", "datatable(a:long, b:dynamic)[1, dynamic(null), 2, dynamic([]), 3, dynamic('s')] | mv-expand b", `
			a:long b:dynamic
			1 | null
			3 | s`},
		{"limit and name", "print b = dynamic([1, 2, 3]) | mv-expand e = b to typeof(long) limit 2 | project e", `
			e:long
			1
			2`},
		// https://learn.microsoft.com/kusto/query/bag-unpack-plugin
		{"mvexpand has a limit", "print b = range(1, 200, 1) | mvexpand b | count", `
			Count:long
			128`},
		{"pivot counts", `datatable(u:string, d:string)['ann', '1', 'bob', '2', 'ann', '2', 'ann', '2'] | evaluate pivot(d) | sort by u asc`, `
			u:string 1:long 2:long
			ann | 1 | 2
			bob | 0 | 1`},
		{"pivot with a schema", `datatable(u:string, d:string, x:real)['ann', 'p', 1.5, 'bob', 'q', 2.0, 'ann', 'p', 3.0] | evaluate pivot(d, sum(x), u) : (p:real, u:string, other:long) | sort by u asc`, `
			p:real u:string other:long
			4.5 | ann | 0
			0.0 | bob | 0`},
		{"pivot by two columns", `datatable(a:string, b:long, d:string, n:int)['x', 1, 'p', 5, 'x', 1, 'q', 6, 'x', 2, 'p', 7] | evaluate pivot(d, sum(n)) | sort by b asc`, `
			a:string b:long p:long q:long
			x | 1 | 5 | 6
			x | 2 | 7 | 0`},
		{"pivot(d, count())", `datatable(d:string)['p', 'q', 'p'] | evaluate pivot(d, count())`, `
			p:long q:long
			2 | 1`},
		{"bag_unpack", `datatable(d:dynamic)[dynamic({"Name": "John", "Age":20}), dynamic({"Name": "Dave", "Age":40}), dynamic({"Name": "Jasmine", "Age":30})] | evaluate bag_unpack(d)`, `
			Age:long Name:string
			20 | John
			40 | Dave
			30 | Jasmine`},
		{"bag_unpack with a prefix", `datatable(d:dynamic)[dynamic({"Name": "John", "Age":20})] | evaluate bag_unpack(d, 'Property_')`, `
			Property_Age:long Property_Name:string
			20 | John`},
		{"bag_unpack that keeps the source", `datatable(Name:string, d:dynamic)["James", dynamic({"Name": "John", "Age":20})] | evaluate bag_unpack(d, columnsConflict='keep_source')`, `
			Name:string Age:long
			James | 20`},
		{"bag_unpack that replaces the source", `datatable(Name:string, d:dynamic)["James", dynamic({"Name": "John", "Age":20})] | evaluate bag_unpack(d, columnsConflict='replace_source', ignoredProperties=dynamic(["Age"]))`, `
			Name:string
			John`},
		{"bag_unpack of what depends on a kept table", `let m = materialize(range x from 1 to 3 step 1 | sort by x); let n = toscalar(m | summarize max(x));
			datatable(d:dynamic, a:long)[dynamic({"k": 1}), 3, dynamic({"l": 1}), 1] | where a == n | evaluate bag_unpack(d)`, `
			a:long k:long
			3 | 1`},
		{"bag_unpack with a schema", `datatable(Name:string, Description:dynamic)['John', dynamic({"Age":20})] | evaluate bag_unpack(Description) : (*, Age:long, Height:real)`, `
			Name:string Age:long Height:real
			John | 20 | null`},
	})
}

// The examples of https://learn.microsoft.com/kusto/query/parse-operator.
func TestParse(t *testing.T) {
	const traces = `let Traces = datatable(EventText:string) [
		"Event: NotifySliceRelease (resourceName=PipelineScheduler, totalSlices=27, sliceNumber=23, lockTime=02/17/2016 08:40:01, releaseTime=02/17/2016 08:40:01, previousLockTime=02/17/2016 08:39:01)",
		"Event: NotifySliceRelease (resourceName=PipelineScheduler, totalSlices=invalid_number, sliceNumber=15, lockTime=02/17/2016 08:40:00, releaseTime=02/17/2016 08:40:00, previousLockTime=02/17/2016 08:39:00)"];
		`
	checkAll(t, nil, []queryTest{
		{"simple", traces + `Traces | parse EventText with * "resourceName=" resourceName ", totalSlices=" totalSlices:long * "sliceNumber=" sliceNumber:long * "lockTime=" lockTime ", releaseTime=" releaseTime:date "," * "previousLockTime=" previousLockTime:date ")" * | project resourceName, totalSlices, sliceNumber, lockTime, releaseTime, previousLockTime`, `
			resourceName:string totalSlices:long sliceNumber:long lockTime:string releaseTime:datetime previousLockTime:datetime
			PipelineScheduler | 27 | 23 | 02/17/2016 08:40:01 | 2016-02-17T08:40:01.0000000Z | 2016-02-17T08:39:01.0000000Z
			| null | null |  | null | null`},
		{"relaxed", traces + `Traces | parse kind=relaxed EventText with * "resourceName=" resourceName ", totalSlices=" totalSlices:long ", sliceNumber=" sliceNumber:long * | project resourceName, totalSlices, sliceNumber`, `
			resourceName:string totalSlices:long sliceNumber:long
			PipelineScheduler | 27 | 23
			PipelineScheduler | null | 15`},
		{"parse-where", traces + `Traces | parse-where EventText with * "totalSlices=" totalSlices:long "," * | project totalSlices`, `
			totalSlices:long
			27`},
		{"regex is greedy", `print s = "a=1, b=2, c=3" | parse kind=regex s with "a=" x "," *`, `
			s:string x:string
			a=1, b=2, c=3 | 1, b=2`},
		{"regex with the flag U is not", `print s = "a=1, b=2, c=3" | parse kind=regex flags=U s with "a=" x "," *`, `
			s:string x:string
			a=1, b=2, c=3 | 1`},
		{"regex with a group of its own and a typed column", `print s = "aab=27, c=3" | parse kind=regex s with "(a+)b=" n:long "," *`, `
			s:string n:long
			aab=27, c=3 | 27`},
		{"make_set of arrays", `datatable(d:dynamic)[dynamic(["a","b"]), dynamic(["b","c"])] | summarize make_set(d)`, `
			set_d:dynamic
			["a","b","c"]`},
		{"regex", `print s = "a12b345" | parse kind=regex s with "[a-z]" x:long "[a-z]" y:long`, `
			s:string x:long y:long
			a12b345 | 12 | 345`},
		{"from the start", `print s = "key=value" | parse s with k "=" v | project k, v`, `
			k:string v:string
			key | value`},
	})
}
