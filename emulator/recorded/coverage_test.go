package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

func TestConstructsIn(t *testing.T) {
	for text, want := range map[string][]string{
		"T | where a has 'x' | summarize dcount(b) by bin(c, 1h)":              {"function bin", "function dcount", "operator summarize", "operator where"},
		"print geo_angle(1) | evaluate f(1) // | take 1":                       {"function geo_angle", "operator evaluate", "operator print", "plugin f"},
		"let f = T | mv-expand a - b; union (f), (range x from 1 to 2 step 1)": {"operator mv-expand", "operator range", "operator union"},
		"T | count | extend x = count(range(1, 2))":                            {"function count", "function range", "operator count", "operator extend"},
		"print 'a": nil,
	} {
		found := constructsIn(text)
		for _, u := range want {
			kind, name, _ := strings.Cut(u, " ")
			if !found[used{kind, name}] {
				t.Errorf("%s: %s is not found", text, u)
			}
		}
		if found[used{"operator", "take"}] || found[used{"function", "mv"}] || want == nil && len(found) > 0 {
			t.Errorf("%s: found %v", text, found)
		}
	}
}

func TestTable(t *testing.T) {
	c := newCoverage([]kql.Construct{{Kind: "operator", Name: "where"}, {Kind: "operator", Name: "count"}, {Kind: "operator", Name: "reduce", Refused: true}, {Kind: "function", Name: "abs"}})
	c.add("T | where abs(x) > 1 | count", equal)
	c.add("T | where rand() > 1 | count", incomparable)
	c.add("T | where a > geo_angle(1) | evaluate p() | reduce by a", refused)
	got := c.table()
	for _, want := range []string{
		"Of 3 recorded queries, 2 are answered: 1 equal, 0 wrong, 1 whose answer the query does not determine. 1 are refused by name.",
		"there are 2, and 2 are answered.",
		"| operator | `where` | answered | 3 | 1 | 0 | 1 | 1 |",
		"| operator | `count` | answered | 2 | 1 | 0 | 1 | 0 |",
		"| operator | `reduce` | refused by name | 1 | 0 | 0 | 0 | 1 |",
		"| plugin | `p` | refused by name | 1 | 0 | 0 | 0 | 1 |",
		"| function | `abs` | answered | 1 | 1 | 0 | 0 | 0 |",
		"| function | `geo_angle` | refused by name | 1 | 0 | 0 | 0 | 1 |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table does not have %q:\n%s", want, got)
		}
	}
	page, err := replaceTable("a\n"+tableBegins+"\nold\n"+tableEnds+"\nb\n", "new\n")
	if want := "a\n" + tableBegins + "\n\nnew\n\n" + tableEnds + "\nb\n"; page != want || err != nil {
		t.Errorf("page %q, error %v", page, err)
	}
	if _, err := replaceTable("a\n", "new"); err == nil {
		t.Error("a page without the lines has no error")
	}
}

// TestTableIsCurrent compares the table of docs/emulator.md with what the corpus gives, where
// it is next to the project.
func TestTableIsCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("runs each query of the corpus")
	}
	const corpus, name = "../../../shared/data/kql-recorded.json", "../../docs/emulator.md"
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("the recorded answers are not next to the project")
	}
	cases, err := readCorpus(corpus)
	if err != nil {
		t.Fatal(err)
	}
	c := newCoverage(kql.Constructs())
	for _, x := range cases {
		c.add(x.KQL, judge(x).outcome)
	}
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := replaceTable(string(page), c.table())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(page)); d != "" {
		t.Errorf("docs/emulator.md is not current; `make recorded` writes it (-want +got)\n%s", d)
	}
	if answered := c.unplaced.cases - c.unplaced.refused; c.all.wrong > 0 || answered < 270 {
		t.Errorf("%d answers are wrong; %d queries without functions on places are answered, want 270", c.all.wrong, answered)
	}
}
