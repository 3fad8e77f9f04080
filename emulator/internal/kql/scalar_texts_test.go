package kql_test

import "testing"

// The first argument of some functions of texts may be of any type.
func TestFirstArgumentsAsTexts(t *testing.T) {
	checkAll(t, nil, []queryTest{
		{
			"literals", "print a = tolower(1), b = substring(12345, 1, 2), c = split(1.5, '.'), d = toupper(true), e = strcmp(1, '1'), f = tolower(long(null))",
			"a:string b:string c:dynamic d:string e:long f:string\n1 | 23 | [\"1\",\"5\"] | TRUE | 0 |",
		},
		{"a column", "datatable(n:long)[12, 3] | where substring(n, 0, 1) == '1'", "n:long\n12"},
	})
	refusals(t, catalog{}, map[string]string{
		"print trim('a', 5)":          "trim(): argument #2 expected to be a string expression",
		"print substring('a', '1')":   "substring(): argument #2 expected to be an integer expression",
		"print indexof_regex('a', 5)": "expected to be a string",
		"print split('a', 5)":         "expected to be a string",
	})
}
