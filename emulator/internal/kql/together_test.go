package kql_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

// Legs of a union that read the same rows of one table read it once, count as a
// read each, and answer as they do alone.
func TestLegsShareARead(t *testing.T) {
	const slice = "let a = T | where Id startswith_cs 'a'; "
	const kept = "let a = materialize(T | where Id startswith_cs 'a'); "
	tests := []struct {
		query   string
		scans   int
		scanned int64
		want    []string
	}{
		{slice + "union (a | project Id), (a | summarize N = count())", 1, 6, []string{"Id:string N:long", "aa1 | null", "ab2 | null", " | 2"}},
		{slice + "union (a | summarize n = count() by Id), (a | summarize m = sum(N) | extend m = m + 1)", 1, 6, []string{"Id:string n:long m:long", "aa1 | 1 | null", "ab2 | 1 | null", " | null | 4"}},
		{slice + "union (a | project Id), (print Id = 'x'), (a | count), (a | summarize s = sum(N))", 1, 9, []string{
			"Id:string Count:long s:long", "aa1 | null | null", "ab2 | null | null", "x | null | null", " | 2 | null", " | null | 3",
		}},
		{slice + "union (a | take 1 | project Id), (a | count)", 1, 6, []string{"Id:string Count:long", "aa1 | null", " | 2"}},
		{slice + "union (a | take 1 | count), (a | take 1 | summarize sum(N))", 1, 2, []string{"Count:long sum_N:long", "1 | null", "null | 1"}},
		{slice + "union (a | count), (a | project Id)", 2, 6, []string{"Count:long Id:string", "2 | ", "null | aa1", "null | ab2"}},
		{slice + "union (a | project Id), (a | distinct Id)", 2, 6, []string{"Id:string", "aa1", "ab2", "aa1", "ab2"}},
		{slice + "union (a | project Id), (a | where N > 1 | count)", 2, 6, []string{"Id:string Count:long", "aa1 | null", "ab2 | null", " | 1"}},
		{"union (T | project Id), (U | count)", 2, 4, []string{"Id:string Count:long", "aa1 | null", "ab2 | null", "bb3 | null", " | 1"}},
		{kept + "union (a | project Id), (a | count)", 1, 3, []string{"Id:string Count:long", "aa1 | null", "ab2 | null", " | 2"}},
		{kept + "union (a | where N > 1 | project Id), (a | summarize s = sum(N)), (a | where N == 1 | count)", 1, 3, []string{"Id:string s:long Count:long", "ab2 | null | null", " | 3 | null", " | null | 1"}},
		{kept + "union (a | count), (a | project Id)", 1, 3, []string{"Count:long Id:string", "2 | ", "null | aa1", "null | ab2"}},
		{kept + "union (a | project Id), (a | count), (a | take 1 | project N)", 1, 3, []string{"Id:string Count:long N:long", "aa1 | null | null", "ab2 | null | null", " | 2 | null", " | null | 1"}},
		{kept + "union (a | take 1 | project Id), (a | extend x = toscalar(a | count) | summarize max(x))", 1, 3, []string{"Id:string max_x:long", "aa1 | null", " | 2"}},
		{kept + "union (a | take 1 | project Id), (a | take 1 | count)", 1, 1, []string{"Id:string Count:long", "aa1 | null", " | 1"}},
		{"let a = materialize(T | extend R = rand()); union (a | project N, R), (a | summarize M = sum(R), N = long(0)) | summarize s = round(sum(R) - sum(M), 6)", 1, 3, []string{"s:real", "0.0"}},
		{"union (T | project N), (T | count) | take 1", 1, 2, []string{"N:long Count:long", "1 | null"}},
	}
	for _, tt := range tests {
		relation := devices(t)
		other := &spy{Table: table(t, "print Id = 'u'")}
		c := catalog{tables: map[string]kql.Relation{"T": relation, "U": other}}
		got, err := answer(c, tt.query)
		if d := cmp.Diff(tt.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", tt.query, err, d)
			continue
		}
		if n := len(relation.asked) + len(other.asked); n != tt.scans {
			t.Errorf("%s: %d scans, want %d", tt.query, n, tt.scans)
		}
		q, err := kql.Compile(tt.query, environment(c))
		if err != nil {
			t.Fatal(err)
		}
		for range q.Statements[0].Rows(t.Context()) {
		}
		if n := q.Statements[0].Stats().RowsScanned; n != tt.scanned {
			t.Errorf("%s: %d rows scanned, want %d", tt.query, n, tt.scanned)
		}
		if strict, err := answer(strictly(c), tt.query); err != nil || !cmp.Equal(got, strict) {
			t.Errorf("%s: a relation that follows the request changes the answer: %s, %v", tt.query, cmp.Diff(got, strict), err)
		}
	}
}

// A shared read asks for what any of the legs needs.
func TestNeedOfLegs(t *testing.T) {
	relation := devices(t)
	if _, err := answer(catalog{tables: map[string]kql.Relation{"T": relation}}, "union (T | project Id), (T | summarize max(At))"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]bool{true, false, true, false, false, false, false}, relation.asked[0].Need); d != "" || relation.asked[0].Readers != 2 {
		t.Errorf("%d readers\n%s", relation.asked[0].Readers, d)
	}
}

// An error of any leg ends the query.
func TestErrorOfALeg(t *testing.T) {
	c := catalog{tables: map[string]kql.Relation{"T": devices(t)}}
	if got, err := answer(c, "union (T | project Id), (T | where assert(N < 2, 'two') | count)"); err == nil {
		t.Errorf("no error: %q", got)
	}
}

// A group of which the first row says all is given when that row comes.
func TestFirstRowOfAGroup(t *testing.T) {
	rows := `datatable(k:string, n:long, s:string)['a', 1, '', 'a', 2, 'x', 'b', long(null), 'y', 'b', 3, '', 'a', 4, 'z']`
	relation := &spy{Table: table(t, rows)}
	c := catalog{tables: map[string]kql.Relation{"T": relation}}
	for _, tt := range []struct {
		query string
		read  int
		want  []string
	}{
		{"T | summarize take_any(n, s) by k", 5, []string{"k:string n:long s:string", "a | 1 | ", "b | null | y"}},
		{"T | summarize take_any(n, s) by k | take 1", 1, []string{"k:string n:long s:string", "a | 1 | "}},
		{"T | summarize take_any(n, s), take_any(s, n, 'c') by k | project k, s1, n1, n", 5, []string{"k:string s1:string n1:long n:long", "a |  | 1 | 1", "b | y | null | null"}},
		{"T | summarize take_any(*) by k | project s", 5, []string{"s:string", "", "y"}},
		{"T | summarize take_any(s) by k | take 1", 5, []string{"k:string s:string", "a | x"}},
		{"T | summarize take_any(n, s), count() by k", 5, []string{"k:string n:long s:string count_:long", "a | 1 |  | 3", "b | null | y | 2"}},
		{"T | where n > 9 | summarize take_any(n, s)", 5, []string{"n:long s:string", "null | "}},
		{"T | where n > 9 | summarize take_any(n, s) by k", 5, []string{"k:string n:long s:string"}},
	} {
		relation.yielded = 0
		got, err := answer(c, tt.query)
		if d := cmp.Diff(tt.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", tt.query, err, d)
		}
		if relation.yielded != tt.read {
			t.Errorf("%s: %d rows read, want %d", tt.query, relation.yielded, tt.read)
		}
	}
}
