package progress

import (
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// gap shows where a name is shortened. It is ASCII, which every terminal can draw.
const gap = ".."

// Width is how many columns of a terminal a text takes.
func Width(s string) int { return runewidth.StringWidth(s) }

// Pad fills a text with spaces to a width, in columns of a terminal.
func Pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-Width(s)))
}

// Cut ends a text at a width, in columns of a terminal.
func Cut(s string, width int) string {
	if width < len(gap) {
		return runewidth.Truncate(s, max(width, 0), "")
	}
	return runewidth.Truncate(s, width, gap)
}

// Shorten returns the names so that none is wider than width. If all fit, they stay
// as they are. Otherwise the words with which all of them begin are replaced, and
// names that are still too wide lose their middle. Different names stay different
// where the width allows it.
func Shorten(names []string, width int) []string {
	short := append([]string(nil), names...)
	if widest(short) <= width {
		return short
	}
	if n := commonWords(names); n > len(gap) {
		for i, name := range names {
			short[i] = gap + name[n:]
		}
	}
	for tail := (width - len(gap)) / 2; ; tail++ {
		out := make([]string, len(short))
		for i, s := range short {
			out[i] = withoutMiddle(s, width, tail)
		}
		if tail >= width-len(gap) || distinct(out) == distinct(names) {
			return out
		}
	}
}

func widest(names []string) int {
	most := 0
	for _, name := range names {
		most = max(most, Width(name))
	}
	return most
}

// withoutMiddle keeps the beginning of a name and a tail of some width.
func withoutMiddle(name string, width, tail int) string {
	w := Width(name)
	switch {
	case w <= width:
		return name
	case tail <= 0:
		return Cut(name, width)
	}
	return runewidth.Truncate(name, width-len(gap)-tail, "") + gap + strings.TrimLeft(runewidth.TruncateLeft(name, w-tail, ""), " ")
}

func distinct(names []string) int {
	seen := map[string]bool{}
	for _, name := range names {
		seen[name] = true
	}
	return len(seen)
}

// commonWords is how many bytes the words take with which all names begin. A word
// begins with a capital letter. One word at least remains of each name.
func commonWords(names []string) int {
	if distinct(names) < 2 {
		return 0
	}
	n := 0
	for i, r := range names[0] {
		for _, name := range names {
			if !strings.HasPrefix(name, names[0][:i]) {
				return n
			}
		}
		if i == 0 || !unicode.IsUpper(r) {
			continue
		}
		remains := func() bool {
			for _, name := range names {
				if len(name) <= i || !unicode.IsUpper([]rune(name[i:])[0]) {
					return false
				}
			}
			return true
		}
		if remains() {
			n = i
		}
	}
	return n
}
