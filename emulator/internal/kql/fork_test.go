package kql_test

import (
	"testing"
)

// Fork and facet have several results.
func TestSeveralResults(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{"T": "datatable(a:string, n:long)['x', 1, 'y', 9, 'x', 2]"})}
	for query, want := range map[string][]string{
		"T | where n < 9 | fork (where n > 1) q=(count) | render table": {"a:string n:long\nx | 2", "Count:long\n2"},
		"T | fork (take 0)":                          {"a:string n:long"},
		"T | facet by a":                             {"a:string count_a:long\nx | 2\ny | 1"},
		"T | facet by a, n with (where n == 9)":      {"a:string n:long\ny | 9", "a:string count_a:long\nx | 2\ny | 1", "n:long count_n:long\n1 | 1\n9 | 1\n2 | 1"},
		"print 1; T | fork (count) (count); print 2": {"print_0:long\n1", "Count:long\n3", "Count:long\n3", "print_0:long\n2"},
	} {
		got, err := answers(c, query)
		if err != nil || len(got) != len(want) {
			t.Errorf("%s: %d results, error %v, want %d", query, len(got), err, len(want))
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: result %d is\n%s\nwant\n%s", query, i, got[i], want[i])
			}
		}
	}
	refusals(t, c, map[string]string{
		"T | fork (count) (count) | count":    "The fork operator is not supported here except at the end of a statement",
		"let F = T | fork (count) (count); F": "The fork operator is not supported here except at the end of a statement",
		"T | facet by a | count":              "The facet operator is not supported here except at the end of a statement",
		"T | fork (join kind=inner T on a)":   "The query operator 'join' is not allowed in the current context",
		"T | fork (fork (count))":             "The query operator 'fork' is not allowed in the current context",
		"T | facet by a with (distinct n)":    "'facet' operator: the operator 'distinct' in a subquery is not supported",
		"T | facet by Nothing":                "Failed to resolve scalar expression named 'Nothing'",
		"T | fork":                            "incomplete",
	})
}
