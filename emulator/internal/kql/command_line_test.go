package kql_test

import (
	"strings"
	"testing"
)

// The rules are those of CommandLineToArgvW, which the page on the function refers to.
func TestParseCommandLine(t *testing.T) {
	checkAll(t, nil, []queryTest{
		{"the page's example", `print parse_command_line("echo \"hello world!\"", "windows")`, `
			print_0:dynamic
			["echo","hello world!"]`},
		{"of a column", `datatable(c:string)[@'cmd /c dir', ''] | project a = parse_command_line(c, 'windows')`, `
			a:dynamic
			["cmd","/c","dir"]
			[]`},
	})
	for query, want := range map[string]string{
		`print parse_command_line("a", "unix")`:                   "the only parser",
		`print x = "windows" | extend parse_command_line("a", x)`: "must be a constant",
		`print parse_command_line("a")`:                           "expects 2 argument(s)",
	} {
		if _, err := answer(nil, query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}

// What the language has and the evaluator has not is refused by name, never as a syntax
// error.
func TestOperatorsAreRefusedByName(t *testing.T) {
	for query, want := range map[string]string{
		`print parse_user_agent("a", "browser")`:                 "parse_user_agent() is not supported here",
		`print x = 1 | reduce by x`:                              "The reduce operator is not supported here",
		`print x = "a" | where x like "a"`:                       "The operator 'like' is not supported here",
		`print x = "a" | where x !like "a"`:                      "The operator '!like' is not supported here",
		`print x = 1 | getschema kind=csl`:                       "getschema with a kind is not supported here",
		`print x = 1 | evaluate python(typeof(*), "x")`:          "The plugin python is not supported here",
		`print x = 1 | assert-schema (x:long)`:                   "The assert-schema operator is not supported here",
		`print x = 1 | project-by-names 'x'`:                     "The project-by-names operator is not supported here",
		`print x = 1 | evaluate autocluster()`:                   "The plugin autocluster is not supported here",
		`externaldata(x:string)['https://example.org'] | take 1`: "externaldata is not supported here",
		`print x = 1 | make-graph x --> x`:                       "The make-graph operator is not supported here",
	} {
		if _, err := answer(nil, query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}
