package kql_test

import (
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{
		"Events1": "datatable(Session:string, Level:string, Text:string, Version:string)['ac', 'Information', 'Some Text1', 'v1.0.0', 'ac', 'Error', 'Some Text2', 'v1.0.0', '28', 'Error', 'Some Text3', 'v1.0.1']",
		"Events2": "datatable(Session:string, Level:string, Text:string, Name:string)['f7', 'Information', 'Other Text1', 'Event1', 'ac', 'Error', 'Other Text3', 'Event3']",
		"Numbers": "datatable(n:long, Level:long)[1, 2]",
	})}
	checkAll(t, c, []queryTest{
		// The examples of the page, with its names cut short.
		{"common columns, the rest packed", "find in (Events1, Events2) where Session == 'ac'", `
			source_:string Session:string Level:string Text:string pack_:dynamic
			Events1 | ac | Information | Some Text1 | {"Version":"v1.0.0"}
			Events1 | ac | Error | Some Text2 | {"Version":"v1.0.0"}
			Events2 | ac | Error | Other Text3 | {"Name":"Event3"}`},
		{"columns that not all have", "find in (Events*) where Version == 'v1.0.0' or Name == 'Event1' project Session, Text, Version, Name", `
			source_:string Session:string Text:string Version:string Name:string
			Events1 | ac | Some Text1 | v1.0.0 |
			Events1 | ac | Some Text2 | v1.0.0 |
			Events2 | f7 | Other Text1 |  | Event1`},
		{"tables without the column are left out", "find withsource=T where n == 1", "T:string n:long Level:long\nNumbers | 1 | 2"},
		{"a column that not all have comes last", "find in (Events*) where Name == 'Event1' or Session == '28' | project-away Text", `
			source_:string Session:string Level:string Name:string pack_:dynamic
			Events1 | 28 | Error |  | {"Version":"v1.0.1"}
			Events2 | f7 | Information | Event1 | {}`},
		{"a term", "find in (Events1, Events2) where 'Text1' project Text", "source_:string Text:string\nEvents1 | Some Text1\nEvents2 | Other Text1"},
		{"a term in any column", "find in (Events1) where * has 'Text2' | project Text", "Text:string\nSome Text2"},
		{"a type", "find in (Numbers) where n == 1 project n:string", "source_:string n:string\nNumbers | 1"},
		{"a table by let", "let E = Events1 | where Level == 'Error'; find in (E) where Session == '28' | project Text", "Text:string\nSome Text3"},
	})
	refusals(t, c, map[string]string{
		"find in (Events1, Numbers) where Level == 'x'":               "the column 'Level' has several types",
		"find in (Events1) where Session == 'ac' project pack_all()":  "find with pack_all() behind project is not supported",
		"find in (Events1) where Nothing == 1":                        "Failed to resolve scalar expression named 'Nothing'",
		"find in (Events1) where Session == 'ac' project Nothing":     "Failed to resolve column named 'Nothing'",
		"find in (Events1) where Session == 'ac' project Text, Text":  "defined more than once",
		"let E = Events1 | take 1; find in (E) where Session == 'ac'": "source_ of what is no table is not supported",
		"Events1 | find 'x'":                      "find operator is not supported here behind a table",
		"find in (Nothing) where Session == 'ac'": "Failed to resolve table or column expression named 'Nothing'",
	})
}

// refusals checks that queries are refused with a text.
func refusals(t *testing.T, c catalog, queries map[string]string) {
	t.Helper()
	for query, why := range queries {
		if _, err := answer(c, query); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: error %v, want %q", query, err, why)
		}
	}
}

func TestStar(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{
		"T": "datatable(a:string, n:long, d:dynamic)['green tea', 443, dynamic({'k':'hot'}), 'Bob', 7, dynamic(null)]",
	})}
	checkAll(t, c, []queryTest{
		{"a word", "T | where * has 'tea' | project n", "n:long\n443"},
		{"in a dynamic", "T | where * has 'hot' | project n", "n:long\n443"},
		{"with another condition", "T | where * startswith 'bo' or n == 443 | count", "Count:long\n2"},
		{"not", "T | where not(* contains_cs 'ree') | project n", "n:long\n7"},
		{"a regex", "T | where * matches regex '^B.b' | project n", "n:long\n7"},
	})
	refusals(t, c, map[string]string{
		"T | where * has '443' | count": "'where' operator: a term that occurs in a column of another type than string",
		"T | where * == 7":              "'*' in place of a column is not supported here with the operator '=='",
		"T | where * !has 'tea'":        "with the operator '!has'",
		"T | where * in ('tea')":        "'*' in place of a column is not supported here",
		"T | where * has 1":             "expected to be a string expression",
	})
}

func TestTopHitters(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{"T": "datatable(a:string, n:long)['x', 1, 'y', 9, 'x', 2, 'z', 1]"})}
	checkAll(t, c, []queryTest{
		{"count", "T | top-hitters 1 of a", "a:string approximate_count_a:long\nx | 2"},
		{"sum", "T | top-hitters 2 of a by n", "a:string approximate_sum_n:long\ny | 9\nx | 3"},
		{"names", "T | top-hitters 1 of b=a by s=n * 2.0", "b:string approximate_sum_s:real\ny | 18.0"},
	})
	refusals(t, c, map[string]string{
		"T | top-hitters 1 of tolower(a)": "a value that is not a column is not supported",
		"T | top-hitters 1 of a by a":     "expected to be a numeric",
	})
}
