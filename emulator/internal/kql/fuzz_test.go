package kql_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

// random are the functions and operators whose answers may differ from run to
// run.
var random = regexp.MustCompile("rand|guid|sample")

// FuzzQuery compiles any text and runs what compiles, over few rows and not
// for long; relations that follow the conditions of a scan change no answer.
func FuzzQuery(f *testing.F) {
	c := catalog{
		tables: mapOf(f, map[string]string{
			"T": `datatable(a:long, b:string, c:dynamic, d:datetime, e:real)[1, 'x', dynamic({"k":[1,"2"]}), datetime(2026-01-01), 1.5, long(null), '', dynamic(null), datetime(null), real(nan)]`,
			"U": "datatable(a:long, z:string)[1, 'one', 2, 'two']",
		}),
		functions: map[string]kql.Function{"F": stored("F", "(n:long = 1)", "{ T | where a > n }"), "G": stored("G", "(X:(a:long))", "{ X | count }")},
	}
	for _, s := range []string{
		"T | where a > 1 and b has 'x' | project b, tolower(b), c.k[0]",
		"T | summarize count(), arg_max(d, *), make_list(b) by bin(a, 10) | sort by count_ desc",
		"T | join kind=fullouter (U) on $left.a == $right.a | lookup U on a",
		"T | mv-expand k = c.k to typeof(long) | extend n = tostring(k) | distinct n",
		"T | sort by a asc | extend r = row_number(), p = prev(b), q = next(a, 2, 0) | take 1",
		"let s = T | take 1; union withsource=w s, (s | count), U* | evaluate bag_unpack(c)",
		"let f = (x:long) { x + 1 }; F(f(0)) | as V | invoke G()",
		"T | parse b with p:long ',' q | top 2 by e nulls first | serialize | getschema",
		"range x from 1 to 5 step 1 | where x in (T | project a) | summarize by x | sample 2",
		"T | mv-apply k = c.k on (where tostring(k) != '1' | summarize n = count() by tostring(k)) | take 3",
		"T | partition by b (top 1 by e) | make-series avg(e) on a step 1 by b | top-nested 2 of b by count()",
		"T | sort by a asc | scan with_match_id=m declare (s:long = 0) with (step one: a > 0 => s = a + one.s; step two: b has one.b;)",
		"search in (T, U) 'x' and b:'o*' or a > 1 | take 2",
		"T | search '*' | extend (m, n) = series_stats(c.k), array_sort_asc(c, c) | project-away c",
		"find in (T, U) where a == 1 or b has 'x' project a, z:string | project-away source_",
		"T | where * has 'x' | top-hitters 2 of a by e",
		"T | fork (where a > 1 | count) x=(take 1); U | facet by a, z with (top 1 by a)",
		"macro-expand isfuzzy=true kind=outer G as X (let n = 1; X.T | where a >= n | extend x = X.$current_database) | count",
		"let H = entity_group [database('Home')]; union (macro-expand H as X (macro-expand entity_group [T, U] as Y (Y | take 1))), (print 1)",
		"print x = materialize(T), toscalar(T | count) | extend y = pack_all()",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		if len(query) > 2000 {
			return
		}
		plain, err := kql.Compile(query, environment(federated{c}))
		if err != nil {
			if e, ok := err.(*kql.Error); !ok || e.Message == "" || e.Kind == 0 {
				t.Fatalf("error %v of %T", err, err)
			}
			return
		}
		hinted, err := kql.Compile(query, environment(federated{strictly(c)}))
		if err != nil {
			t.Fatalf("%s: compiles once only: %v", query, err)
		}
		for i, s := range plain.Statements {
			want, ok := firstRows(t, s)
			got, okAlso := firstRows(t, hinted.Statements[i])
			if diff := cmp.Diff(want, got); ok && okAlso && diff != "" && !random.MatchString(query) {
				t.Fatalf("%s: conditions change the answer (-plain +hinted):\n%s", query, diff)
			}
		}
	})
}

// firstRows checks the values of some rows against the schema; false if the
// statement fails.
func firstRows(t *testing.T, s *kql.Statement) ([]string, bool) {
	t.Helper()
	columns := s.Columns()
	var lines []string
	for row, err := range s.Rows(t.Context()) {
		if err != nil {
			return nil, false
		}
		if len(row) != len(columns) {
			t.Fatalf("a row has %d values, %d columns", len(row), len(columns))
		}
		for i, v := range row {
			if v.Kind() != columns[i].Kind {
				t.Fatalf("a value of column %s is a %v, not a %v", columns[i].Name, v.Kind(), columns[i].Kind)
			}
		}
		if lines = append(lines, text(row)); len(lines) == 100 {
			break
		}
	}
	return lines, true
}

// federated is a catalog whose databases all exist, with the group G of two of them.
type federated struct{ kql.Catalog }

func (federated) OwnsCluster(host string) bool { return host == "own" }

func (federated) ClusterURI() string { return "https://own" }

func (federated) Address(host string) (uri string, down, ok bool) {
	return "https://" + host, host == "down", host == "other" || host == "down"
}

func (federated) DatabaseName(name string) (string, bool) { return name, name != "" }

func (federated) EntityGroup(name string) ([]string, bool) {
	return []string{"database('Home')", "cluster('own').database('Other')"}, name == "G"
}
