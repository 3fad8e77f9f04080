package kql_test

import (
	"strings"
	"testing"
)

func TestSearch(t *testing.T) {
	c := catalog{tables: mapOf(t, map[string]string{
		"Mail":  "datatable(who:string, size:long, more:dynamic)['Ann', 443, dynamic({'k':'green tea'}), 'ann-b', 7, dynamic(null), 'Bob', 9, dynamic(['Evergreen'])]",
		"Files": "datatable(who:string, path:string)['Bob', 'c:\\\\green\\\\x.txt', 'Cid', 'y']",
	})}
	checkAll(t, c, []queryTest{
		{"all tables", "search 'green' | project ['$table'], who", `
			$table:string who:string
			Files | Bob
			Mail | Ann`},
		{"columns of all", "search in (Mail, F*) 'c*' and 'green'", `
			$table:string who:string size:long more:dynamic path:string
			Files | Bob | null | null | c:\green\x.txt`},
		{"behind a table", "Mail | search 'ann' | project ['$table'], size", `
			$table:string size:long
			Mail | 443
			Mail | 7`},
		{"parts of words", "Mail | search '*green' | count", "Count:long\n2"},
		{"anywhere in a word", "Mail | search '*ergre*' | project who", "who:string\nBob"},
		{"words with something between", "search 'gr*tea' | project who", "who:string\nAnn"},
		{"one column, and conditions", "search in (Mail) who:'ann' and size > 100 or who == 'Bob' | project who", `
			who:string
			Ann
			Bob`},
		{"case", "Mail | search kind=case_sensitive 'ann' | project who", "who:string\nann-b"},
		{"everything", "search * | count", "Count:long\n5"},
		{"what is no table has no name, which nobody may read", "let M = Mail | where size > 8; search in (M) 'bob' | project who", "who:string\nBob"},
	})
	for query, why := range map[string]string{
		"search '443' | count":                               "of another type than string",
		"let M = Mail | where size > 8; search in (M) 'bob'": "$table of what is no table",
		"search ''": "an empty term",
		"search kind=case_sensitive 'a' and who == 'b'": "case_sensitive with more",
	} {
		if _, err := answer(c, query); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: error %v, want %q", query, err, why)
		}
	}
}
