package faulttable

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown is the table as docs/reliability.md shows it: C where chaos draws
// faults for the cell, a letter for a test, a number for a reason.
func Markdown() string {
	var b strings.Builder
	var reasons, tests []string
	b.WriteString("| request |")
	for _, w := range Ways() {
		b.WriteString(" " + string(w) + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(Ways())) + "\n")
	for _, r := range Requests() {
		b.WriteString("| " + r.Name + " |")
		for _, w := range Ways() {
			var marks []string
			c := CellOf(r, w)
			if len(c.Faults) > 0 {
				marks = append(marks, "C")
			}
			if c.Test != "" {
				marks = append(marks, string(rune('a'+index(&tests, c.Test))))
			}
			if c.Reason != "" && len(marks) == 0 {
				marks = append(marks, fmt.Sprint(1+index(&reasons, c.Reason)))
			}
			b.WriteString(" " + strings.Join(marks, " ") + " |")
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\n%d kinds of requests, %d kinds of wrong answers. C: `make chaos` injects it, among %d pairs of a request and a fault and %d faults that hit several kinds of requests.\n",
		len(Requests()), len(Ways()), len(narrow()), len(wide()))
	for i, t := range tests {
		fmt.Fprintf(&b, "%c: `%s`. ", 'a'+rune(i), t)
	}
	b.WriteString("\n")
	for i, r := range reasons {
		fmt.Fprintf(&b, "\n%d. Not applicable: %s.", i+1, r)
	}
	return b.String() + "\n"
}

// index returns the position of a text in a list; it appends a missing text.
func index(list *[]string, text string) int {
	if i := slices.Index(*list, text); i >= 0 {
		return i
	}
	*list = append(*list, text)
	return len(*list) - 1
}
