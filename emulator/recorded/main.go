// Command recorded runs queries whose answers were recorded from the real
// engine against the emulator's query language, and says which answers differ.
//
// It exits with 1 if an answer is wrong. A refusal is not wrong: the emulator
// answers rightly or refuses by name.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

func main() {
	corpus := flag.String("corpus", "", "file of recorded cases")
	show := flag.String("show", "wrong", "outcomes whose cases are listed, separated by commas: equal, types, wrong, incomparable, refused; or all")
	only := flag.String("case", "", "run only cases whose id contains this text, and print both answers")
	page := flag.String("write", "", "page whose table is replaced")
	flag.Parse()
	cases, err := readCorpus(*corpus)
	if err != nil {
		fmt.Fprintln(os.Stderr, "recorded:", err)
		os.Exit(2)
	}
	shown := strings.Split(*show, ",")
	counts := map[outcome]int{}
	refusals := map[string]int{}
	covered := newCoverage(kql.Constructs())
	for _, c := range cases {
		if !strings.Contains(c.ID, *only) {
			continue
		}
		v := judge(c)
		counts[v.outcome]++
		covered.add(c.KQL, v.outcome)
		if v.outcome == refused {
			refusals[v.why]++
		}
		if slices.Contains(shown, string(v.outcome)) || *show == "all" || *only != "" {
			fmt.Printf("%-12s %s: %s\n", v.outcome, c.ID, v.why)
		}
		if *only != "" {
			fmt.Printf("%s\n-- recorded\n%s\n-- emulator\n%s\n\n", c.KQL, c.Expected, v.answer)
		}
	}
	printRefusals(refusals)
	fmt.Printf("recorded: %d cases: %d equal, %d equal except for column types, %d wrong, %d not comparable, %d refused\n",
		len(cases), counts[equal], counts[typesDiffer], counts[wrong], counts[incomparable], counts[refused])
	if *page != "" && *only == "" {
		if err := writeTable(*page, covered.table()); err != nil {
			fmt.Fprintln(os.Stderr, "recorded:", err)
			os.Exit(2)
		}
	}
	if counts[wrong] > 0 {
		os.Exit(1)
	}
}

func printRefusals(by map[string]int) {
	reasons := make([]string, 0, len(by))
	for r := range by {
		reasons = append(reasons, r)
	}
	slices.SortFunc(reasons, func(a, b string) int {
		if by[a] != by[b] {
			return by[b] - by[a]
		}
		return strings.Compare(a, b)
	})
	for _, r := range reasons {
		fmt.Printf("refused %3d  %s\n", by[r], r)
	}
}
