package reasons_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// count is what became of the rows that vanished for one reason.
type count struct{ vanished, unknown, right, wrong int }

// tally is counts by what the emulator did.
type tally struct {
	reasons  map[string]count
	mistaken map[string]int // "said X of what is Y"
}

func newTally() *tally { return &tally{reasons: map[string]count{}, mistaken: map[string]int{}} }

func (t *tally) add(rows []vanished) {
	for _, r := range rows {
		c := t.reasons[r.did]
		c.vanished++
		switch r.said {
		case "unknown":
			c.unknown++
		case r.did:
			c.right++
		default:
			c.wrong++
			t.mistaken["said "+r.said+" of what is "+r.did]++
		}
		t.reasons[r.did] = c
	}
}

func (t *tally) total() (all count) {
	for _, c := range t.reasons {
		all.vanished, all.unknown = all.vanished+c.vanished, all.unknown+c.unknown
		all.right, all.wrong = all.right+c.right, all.wrong+c.wrong
	}
	return all
}

// String is a table by reason.
func (t *tally) String() string {
	var b strings.Builder
	line := func(name string, c count) {
		fmt.Fprintf(&b, "| %-12s | %8d | %7d | %8d | %6d |\n", name, c.vanished, c.unknown, c.right, c.wrong)
	}
	fmt.Fprintf(&b, "\n| %-12s | %8s | %7s | %8s | %6s |\n|---|---|---|---|---|\n", "reason", "vanished", "unknown", "right", "wrong")
	for _, name := range slices.Sorted(maps.Keys(t.reasons)) {
		line(name, t.reasons[name])
	}
	line("all", t.total())
	for _, what := range slices.Sorted(maps.Keys(t.mistaken)) {
		fmt.Fprintf(&b, "%s: %d\n", what, t.mistaken[what])
	}
	return b.String()
}

// tooFew says which figures are worse than they must be: the share of rows that have a reason, and
// for each reason the share of those that are right.
func (t *tally) tooFew(known, right float64) (short []string) {
	if all := t.total(); float64(all.vanished-all.unknown) < known*float64(all.vanished) {
		short = append(short, fmt.Sprintf("%d of %d rows have the reason unknown", all.unknown, all.vanished))
	}
	for _, name := range slices.Sorted(maps.Keys(t.reasons)) {
		if c := t.reasons[name]; float64(c.right) < right*float64(c.vanished-c.unknown) {
			short = append(short, fmt.Sprintf("%s: %d of %d reasons are wrong", name, c.wrong, c.vanished-c.unknown))
		}
	}
	return short
}
