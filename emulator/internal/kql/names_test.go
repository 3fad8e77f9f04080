package kql_test

import "testing"

// Names that are derived, as the published language service has them, or as
// they were recorded from the service.
func TestDerivedNames(t *testing.T) {
	const rows = "let T = datatable(x:long, y:long, s:string, d:dynamic, Column1:long)[7, 2, 'b,a', dynamic({'b':[1,[2,3]],'k':5}), 9]; T | "
	checkAll(t, nil, []queryTest{
		{"aggregates within conversions", rows + "summarize tostring(make_set(x)), tolong(max(x)), round(percentile(y, 50)), tostring(take_any(s)), tostring(any(s)), strcat_array(make_list(s), '')", `
			set_x:string max_x:long percentile_y_50:long Column1:string any_s:string Column2:string
			[7] | 7 | 2 | b,a | b,a | b,a`},
		{"a derived name comes first", rows + "project abs(x), x, tolong(x)", `
			x:long x1:long x2:long
			7 | 7 | 7`},
		{"project counts its columns", rows + "project Column1, x + 1, x + 2", `
			Column1:long Column11:long Column2:long
			9 | 8 | 9`},
		{"extend leaves out what is taken", rows + "extend x + 1, x + 2 | project Column1, Column2, Column3", `
			Column1:long Column2:long Column3:long
			9 | 8 | 9`},
		{"subscripts", rows + "project d.b[-1], d.b[1][0], d['k'], d[tolower('K')], d.b[y]", `
			d_b__1:dynamic d_b_1_0:dynamic d_k:dynamic d_:dynamic d_b_:dynamic
			[2,3] | 2 | 5 | 5 | null`},
		{"paths with a bracket", rows + "project d.['k'], d.b.[0], z = d.[s]", `
			d_k:dynamic d_b_0:dynamic z:dynamic
			5 | 1 | null`},
		{"sorted arrays", rows + "project array_sort_asc(split(s, ',')), array_sort_desc(array_concat(d.b, d.b)), array_sort_asc(d.b, d.b)", `
			s_sorted:dynamic array0_sorted:dynamic d_b_sorted:dynamic d_b_sorted1:dynamic
			["a","b"] | [1,1,[2,3],[2,3]] | [1,[2,3]] | [1,[2,3]]`},
		{"several names", rows + "extend (a, b) = array_sort_asc(split(s, ','), range(1, 2)), q = array_sort_desc(range(1, 2), range(1, 2)) | project-away x, y, s, d, Column1", `
			a:dynamic b:dynamic q:dynamic array1_sorted:dynamic
			["a","b"] | [2,1] | [2,1] | [2,1]`},
		{"an index that mv-expand counts", rows + "project x, a = range(5, 6) | mv-expand with_itemindex=x a | project x, x1, a", `
			x:long x1:long a:dynamic
			7 | 0 | 5
			7 | 1 | 6`},
		{"print in several columns", "let a = dynamic([2,1]); print x = 1, array_sort_asc(a, dynamic(['p','q'])), (n, o) = array_sort_desc(a, a), 7", `
			x:long a_sorted:dynamic array1_sorted:dynamic n:dynamic o:dynamic print_3:long
			1 | [1,2] | ["q","p"] | [2,1] | [2,1] | 7`},
		{"names that begin with a digit", rows + "project 5h_mean = x, 1d_ = y | project 5h_mean, 1d_, 1d", `
			5h_mean:long 1d_:long Column1:timespan
			7 | 2 | 1.00:00:00`},
		{"count of a column counts rows", rows + "union (print x = long(null)) | summarize count(x), count()", `
			count_x:long count_:long
			2 | 2`},
	})
}

// What published hunting queries write and the service accepts.
func TestHuntersForms(t *testing.T) {
	const rows = "let T = datatable(Port:int, At:datetime, On:bool, Id:guid, d:dynamic, s:string)[443, datetime(2025-06-14), true, guid(74be27de-1e4e-49d9-b579-fe0b331d3642), dynamic({'a':'X','n':3}), 't', int(null), datetime(null), bool(null), guid(null), dynamic(null), '']; T | "
	checkAll(t, nil, []queryTest{
		{"a text against a number", rows + `where Port == "443" | count`, "Count:long\n1"},
		{"the text first, and not equal", rows + `where '80' != Port | count`, "Count:long\n2"},
		{"in a list of texts", rows + `where Port in ("80", "443") or Port !in ('1') | count`, "Count:long\n2"},
		{"other types", rows + `where At == "2025-06-14" and On == "true" and Id == "74BE27DE-1e4e-49d9-b579-fe0b331d3642" | count`, "Count:long\n1"},
		{"a constant of let", "let p = '443'; " + rows + `where Port == p | count`, "Count:long\n1"},
		{"branches of dynamic and string", rows + `project a = iff(On, d.a, s), b = case(On, s, d), c = iff(isnull(Port), d.n, 4)`, `
			a:string b:string c:long
			X | t | 4
			|  | null`},
		{"functions on texts take dynamics", rows + `project tolower(d.a), strcat_delim('-', d.a, d.n), replace_string(d.a, 'X', s), extract('([0-9])', 1, d), split(d.a, 'q'), indexof(d.a, 'X'), has_any_ipv4(d.a, dynamic(['1.2.3.4'])) | take 1`, `
			Column1:string Column2:string Column3:string Column4:string d_a:dynamic Column5:long Column6:bool
			x | X-3 | t | 3 | ["X"] | 0 | false`},
		{"a dynamic null is an empty text", rows + `where isnull(Port) | project toupper(d.a), reverse(d)`, `
			Column1:string Column2:string
			|`},
		{"reverse of what is no text", `print reverse(12345), reverse(datetime(2020-01-02)), reverse(dynamic([1]))`, `
			print_0:string print_1:string print_2:string
			54321 | Z0000000.00:00:00T20-10-0202 | ]1[`},
		{"former names", `print parsejson('{"a":1}').a, base64_decodestring(base64_encodestring('x'))`, `
			print_0:dynamic print_1:string
			1 | x`},
		{"a datetime of parts", `print datetime(2025, 6, 14), datetime(2025,06,14,1,2,3)`, `
			print_0:datetime print_1:datetime
			2025-06-14T00:00:00.0000000Z | 2025-06-14T01:02:03.0000000Z`},
		{"literals within a dynamic", `print dynamic({'a':dynamic({}), "b":[dynamic(1), timespan(1d)], 'c':datetime(2020-01-01)})`, `
			print_0:dynamic
			{"a":{},"b":[1,"1.00:00:00"],"c":"2020-01-01T00:00:00.0000000Z"}`},
		{"spaces of no width", "print\u200b1\u2003,\u30002\ufeff", "print_0:long print_1:long\n1 | 2"},
		{"the time of the query", "set query_now = datetime(2020-01-02); print now(), ago(1d)", `
			print_0:datetime print_1:datetime
			2020-01-02T00:00:00.0000000Z | 2020-01-01T00:00:00.0000000Z`},
		{"bins that the query sets", "set query_bin_auto_size = 10; set query_bin_auto_at = 3; print x = 17 | project bin_auto(x)", "x:long\n13"},
		{"a let of random values has one for each place", "let g = new_guid(); let h = g; print g == h | union (range x from 1 to 2 step 1 | extend y = h | summarize print_0 = dcount(y) == 1)", `
			print_0:bool
			false
			false`},
		{"a table that is kept for its name", "range x from 1 to 3 step 1 | extend r = rand() | as hint.materialized=true T | union T | summarize n = count() by r | summarize max(n), count()", "max_n:long count_:long\n2 | 3"},
		{"tables of a union by their names", "union withsource=t (print x = 1 | as A), (print x = 2), (print x = 3 | as B) | project t", "t:string\nA\nunion_arg1\nB"},
		{"views by a pattern", "let V1 = view () { print x = 1 }; let V2 = view () { print x = 2 }; let W = view () { print x = 3 }; let V3 = () { print x = 4 }; union isfuzzy=true V*, Q* | summarize sum(x)", "sum_x:long\n3"},
	})
}

// Statistics and window functions with several results, weights and conditions;
// the values are recorded from the service or of the documentation.
func TestStatistics(t *testing.T) {
	const latencies = "let T = datatable(n:long, ms:long)[8, 10, 6, 20, 3, 30, 1, 40]; T | "
	const pairs = "let T = datatable(x:real, y:real)[1.0, 14.0, 2.0, 10.0, 3.0, 17.0, 4.0, 20.0, 5.0, 50.0, real(null), 9.0]; T | "
	checkAll(t, nil, []queryTest{
		{"weighted percentiles", latencies + "summarize percentilesw(ms, n, 50, 75, 99.9), a = percentilesw_array(ms, n, dynamic([50, 75, 99.9])), percentilew(ms, n, 50)", `
			percentile_ms_50:long percentile_ms_75:long percentile_ms_99_9:long a:dynamic percentile_ms_501:long
			20 | 20 | 40 | [20,20,40] | 20`},
		{"weights of nothing", latencies + "where n > 99 | summarize percentilew(ms, n, 50), a = percentilesw_array(ms, n, 5)", `
			percentile_ms_50:long a:dynamic
			null | null`},
		{"covariance", pairs + "summarize covariance(x, y), covariancep(x, y), covarianceif(x, y, x < 3)", `
			covariance_x_y:real covariancep_x_y:real covarianceif_x_y:real
			20.5 | 16.4 | -2.0`},
		{"variancepif", "range x from 1 to 100 step 1 | summarize variancepif(x, x % 2 == 0)", `
			variancepif_x:real
			833.0`},
		{"series_stats in columns", "print x = dynamic([3, 1, 2]) | project series_stats(x)", `
			series_stats_x_min:real series_stats_x_min_idx:long series_stats_x_max:real series_stats_x_max_idx:long series_stats_x_avg:real series_stats_x_stdev:real series_stats_x_variance:real
			1.0 | 1 | 3.0 | 0 | 2.0 | 1.0 | 1.0`},
		{"series_fit_line in columns", "print y = dynamic([1, 3, 5]) | extend (r, slope, v, rv, i, fit) = series_fit_line(y) | project-away y", `
			r:real slope:real v:real rv:real i:real fit:dynamic
			1.0 | 2.0 | 4.0 | 0.0 | 1.0 | [1.0,3.0,5.0]`},
		{"series_fit_2lines", "print y = dynamic([0, 1, 2, 9, 8, 7]) | project series_fit_2lines(y) | project series_fit_2lines_y_rsquare, series_fit_2lines_y_line_fit", `
			series_fit_2lines_y_rsquare:real series_fit_2lines_y_line_fit:dynamic
			1.0 | [0.0,1.0,2.0,9.0,8.0,7.0]`},
		{"several results of null", "print y = dynamic(null) | extend (a, b) = series_stats(y) | project a, b", `
			a:real b:long
			null | null`},
		{"ranks", "datatable(c:string, v:int)['A', 10, 'A', 10, 'A', 5, 'A', 20, 'B', 5, 'B', 7] | sort by c asc, v asc | extend m = row_rank_min(v, c != prev(c)), d = row_rank_dense(v, c != prev(c))", `
			c:string v:int m:long d:long
			A | 5 | 1 | 1
			A | 10 | 2 | 2
			A | 10 | 2 | 2
			A | 20 | 4 | 3
			B | 5 | 1 | 1
			B | 7 | 2 | 2`},
		{"sessions", "datatable(id:string, t:datetime)['1', datetime(2024-04-11 10:00), '2', datetime(2024-04-11 10:16), '2', datetime(2024-04-11 10:18), '2', datetime(2024-04-11 13:30)] | sort by id asc, t asc | extend s = row_window_session(t, 1h, 5m, id != prev(id)) | project s", `
			s:datetime
			2024-04-11T10:00:00.0000000Z
			2024-04-11T10:16:00.0000000Z
			2024-04-11T10:16:00.0000000Z
			2024-04-11T13:30:00.0000000Z`},
		{"column_names_of", "let F = (n:long) { print A = '', B = n }; print c = column_names_of(F(1))", `
			c:dynamic
			["A","B"]`},
	})
	if _, err := answer(nil, "print y = dynamic([0, 1, 2, 9]) | project series_fit_2lines(y) | project series_fit_2lines_y_split_idx"); err == nil {
		t.Error("a column that is not known exactly is answered")
	}
	if _, err := answer(nil, "print y = dynamic([1]) | where series_stats(y) == 1"); err == nil {
		t.Error("several values are compared")
	}
}
