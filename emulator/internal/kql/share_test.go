package kql_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

// With ShareTables, a let table that groups rows is read once for all its uses, and the
// answer is the same.
func TestShareTables(t *testing.T) {
	const groups = "let S = T | summarize n = count(), m = max(N) by Id; "
	tests := []struct {
		query         string
		apart, shared int // scans
	}{
		{groups + "S | join kind=inner S on Id", 2, 1},
		{groups + "S | where n > 0 | join kind=inner (S | summarize total = sum(m) by Id) on Id | project Id, total, n", 2, 1},
		{groups + "let Q = S | summarize k = count(); union S, Q, (S | project m)", 2, 1},
		{groups + "S | extend k = toscalar(S | count)", 2, 1},
		{groups + "S | project Id", 1, 1},
		{groups + "union S, (S | count)", 2, 1},
		{groups + "range x from 1 to 2 step 1 | mv-apply y = range(1, x) to typeof(long) on (summarize s = sum(y) | extend one = 1 | join kind=inner (S | summarize k = sum(m) | extend one = 1) on one)", 2, 1},
		{"let S = T | where N > 1; union (S | count), (S | project Id)", 2, 2},
		{"let S = T | distinct Id; S | join kind=inner S on Id", 2, 2},
		{"let S = T | summarize r = max(rand()) by Id; S | join kind=inner S on Id | count", 2, 2},
		{"let r = rand(); let S = T | summarize m = max(N + r * 0) by Id; S | join kind=inner S on Id | count", 2, 2},
		{"let F = (least:long) { T | where N >= least | summarize n = count() by Id }; union F(1), F(2), F(2)", 2, 2},
		{"let F = (least:long) { let S = T | where N >= least | summarize n = count() by Id; S | join kind=inner S on Id }; union F(1), F(2)", 4, 2},
		{"let S = T | summarize n = count() by Id; let S2 = S | summarize k = sum(n); union (S2 | join kind=inner S2 on k), (S | project n)", 3, 1},
	}
	for _, tt := range tests {
		var got [2][]string
		var scans [2]int
		for i, share := range []bool{false, true} {
			relation := devices(t)
			env := environment(catalog{tables: map[string]kql.Relation{"T": relation}})
			env.ShareTables = share
			q, err := kql.Compile(tt.query, env)
			if err != nil {
				t.Fatalf("%s: %v", tt.query, err)
			}
			if got[i], err = rows(q.Statements[0]); err != nil {
				t.Fatalf("%s: %v", tt.query, err)
			}
			scans[i] = len(relation.asked)
		}
		if d := cmp.Diff(got[0], got[1]); d != "" {
			t.Errorf("%s: apart and shared differ:\n%s", tt.query, d)
		}
		if want := [2]int{tt.apart, tt.shared}; scans != want {
			t.Errorf("%s: %v scans, want %v", tt.query, scans, want)
		}
	}
}
