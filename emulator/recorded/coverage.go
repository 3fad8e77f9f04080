package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// tally counts the outcomes of the cases that use a construct.
type tally struct{ cases, equal, wrong, incomparable, refused int }

func (t *tally) add(o outcome) {
	t.cases++
	switch o {
	case equal, typesDiffer:
		t.equal++
	case wrong:
		t.wrong++
	case incomparable:
		t.incomparable++
	case refused:
		t.refused++
	}
}

// coverage is what is known of each construct: whether it is refused by name, and how
// its cases came out.
type coverage struct {
	order    []kql.Construct
	tallies  map[used]*tally
	all      tally
	unplaced tally // without functions on places, geo_*
}

// used is a construct by name, in a text.
type used struct{ kind, name string }

func newCoverage(constructs []kql.Construct) *coverage {
	c := &coverage{order: constructs, tallies: map[used]*tally{}}
	for _, x := range constructs {
		c.tallies[used{x.Kind, x.Name}] = &tally{}
	}
	return c
}

// add counts the outcome of a case for each construct in its text.
func (c *coverage) add(text string, o outcome) {
	c.all.add(o)
	if !strings.Contains(text, "geo_") {
		c.unplaced.add(o)
	}
	for u := range constructsIn(text) {
		t, ok := c.tallies[u]
		if !ok && u.kind == "function" {
			t, ok = c.tallies[used{"aggregate", u.name}]
		}
		switch {
		case !ok && (u.kind == "plugin" || u.kind == "function" && strings.HasPrefix(u.name, "geo_")): // refused without being listed
			t = &tally{}
			c.tallies[u] = t
			c.order = append(c.order, kql.Construct{Kind: u.kind, Name: u.name, Refused: true})
		case !ok:
			continue
		}
		t.add(o)
	}
}

// constructsIn finds the names that can be of operators, plugins and functions in a text.
// It reads tokens: a query that is refused has no tree.
func constructsIn(text string) map[used]bool {
	found := map[used]bool{}
	tokens, err := syntax.Lex(text)
	if err != nil {
		return found
	}
	for i, t := range tokens {
		if t.Kind != syntax.NameToken {
			continue
		}
		next := func(n int) syntax.Token { return tokens[min(i+n, len(tokens)-1)] }
		first := i == 0 || slices.ContainsFunc([]string{"|", ";", "(", "="}, tokens[i-1].Is)
		name, n := t.Text, 1
		for next(n).Is("-") && !next(n).Space && next(n+1).Kind == syntax.NameToken && !next(n+1).Space {
			name += "-" + next(n+1).Text
			n += 2
		}
		switch {
		case i > 0 && tokens[i-1].Is("evaluate"):
			found[used{"plugin", name}] = true
		case next(1).Is("("):
			found[used{"function", t.Text}] = true
		}
		if first {
			found[used{"operator", name}] = true
		}
	}
	return found
}

// The lines between which the table is.
const (
	tableBegins = "<!-- The table is written by `make recorded`. -->"
	tableEnds   = "<!-- The table ends. -->"
)

// table is the coverage as Markdown. Constructs of one kind with the same counts share a row.
func (c *coverage) table() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Of %d recorded queries, %d are answered: %d equal, %d wrong, %d whose answer the query does not determine. %d are refused by name.",
		c.all.cases, c.all.cases-c.all.refused, c.all.equal, c.all.wrong, c.all.incomparable, c.all.refused)
	line("Without functions on places there are %d, and %d are answered.\n", c.unplaced.cases, c.unplaced.cases-c.unplaced.refused)
	line("| kind | construct | here | queries | equal | wrong | not determined | refused |")
	line("|---|---|---|---|---|---|---|---|")
	type row struct {
		kind    string
		refused bool
		tally   tally
	}
	names := map[row][]string{}
	for _, x := range c.order {
		r := row{x.Kind, x.Refused, *c.tallies[used{x.Kind, x.Name}]}
		names[r] = append(names[r], "`"+x.Name+"`")
	}
	rows := make([]row, 0, len(names))
	for r := range names {
		rows = append(rows, r)
	}
	kinds := []string{"operator", "plugin", "aggregate", "function"}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.kind), slices.Index(kinds, b.kind)), compareBool(a.refused, b.refused),
			cmp.Compare(b.tally.cases, a.tally.cases), cmp.Compare(b.tally.equal, a.tally.equal), cmp.Compare(b.tally.incomparable, a.tally.incomparable),
			cmp.Compare(b.tally.refused, a.tally.refused))
	})
	for _, r := range rows {
		here := "answered"
		if r.refused {
			here = "refused by name"
		}
		slices.Sort(names[r])
		t := r.tally
		line("| %s | %s | %s | %d | %d | %d | %d | %d |", r.kind, strings.Join(names[r], " "), here, t.cases, t.equal, t.wrong, t.incomparable, t.refused)
	}
	return b.String()
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// replaceTable puts a table between the lines of a page.
func replaceTable(page, table string) (string, error) {
	before, rest, ok := strings.Cut(page, tableBegins)
	_, after, ended := strings.Cut(rest, tableEnds)
	if !ok || !ended {
		return "", errors.New("the page does not have the lines that a table is between")
	}
	return before + tableBegins + "\n\n" + table + "\n" + tableEnds + after, nil
}

func writeTable(file, table string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := replaceTable(string(page), table)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if text == string(page) {
		return nil
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
