package progress

import "strings"

// Table lays out cells in columns, the heading in the first line and names in the first
// column. If it is too wide, it leaves out the columns drop, one after another, and
// shortens the names. If little would remain of them, each name has a line of its own.
// The width 0 has no limit.
func Table(cells [][]string, width int, drop ...int) []string {
	if width == 0 {
		return aligned(cells, nil)
	}
	width--         // a terminal may wrap a line that fills its last column
	const fair = 24 // of a name
	gone := map[int]bool{}
	for i := 0; ; i++ {
		names, rest := sizes(cells, gone)
		switch {
		case names+rest <= width:
			return aligned(cells, gone)
		case width-rest >= fair:
			return aligned(renamed(cells, width-rest), gone)
		case i == len(drop):
			return stacked(cells, width, drop)
		}
		gone[drop[i]] = true
	}
}

// stacked has two lines for each line of cells: the name, and below it the others.
func stacked(cells [][]string, width int, drop []int) []string {
	gone := map[int]bool{0: true}
	for _, i := range drop {
		if _, rest := sizes(cells, gone); rest <= width {
			break
		}
		gone[i] = true
	}
	var out []string
	for i, line := range aligned(cells, gone) {
		out = append(out, Shorten([]string{cells[i][0]}, width)[0], Cut(strings.Repeat(" ", between)+line, width))
	}
	return out
}

// between is how many spaces are between columns.
const between = 2

// sizes is how wide the names are, and how wide the other columns are together.
func sizes(cells [][]string, gone map[int]bool) (names, rest int) {
	for i, w := range widths(cells) {
		switch {
		case i == 0:
			names = w
		case !gone[i]:
			rest += between + w
		}
	}
	return names, rest
}

func widths(cells [][]string) []int {
	var out []int
	for _, line := range cells {
		for i, cell := range line {
			if i == len(out) {
				out = append(out, 0)
			}
			out[i] = max(out[i], Width(cell))
		}
	}
	return out
}

// renamed shortens the names, which are the first cells of all lines but the heading.
func renamed(cells [][]string, width int) [][]string {
	var names []string
	for _, line := range cells[1:] {
		names = append(names, line[0])
	}
	out := [][]string{cells[0]}
	for i, name := range Shorten(names, width) {
		out = append(out, append([]string{name}, cells[i+1][1:]...))
	}
	return out
}

func aligned(cells [][]string, gone map[int]bool) []string {
	sizes := widths(cells)
	out := make([]string, len(cells))
	for i, line := range cells {
		text := ""
		for k, cell := range line {
			if !gone[k] {
				text += Pad(cell, sizes[k]+between)
			}
		}
		out[i] = strings.TrimRight(text, " ")
	}
	return out
}
