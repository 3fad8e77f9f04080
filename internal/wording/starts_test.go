package wording_test

import (
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// mostStarts limits the texts that a rule is looked up by.
const mostStarts = 200

// starts returns texts in lower case, one of which is at the beginning of each
// match of the pattern. They are the matches themselves if exact is true.
func starts(re *syntax.Regexp) (list []string, exact bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{strings.ToLower(string(re.Rune))}, true
	case syntax.OpEmptyMatch, syntax.OpWordBoundary:
		return []string{""}, true
	case syntax.OpCapture:
		return starts(re.Sub[0])
	case syntax.OpQuest:
		list, exact = starts(re.Sub[0])
		return append(list, ""), exact
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i+1]-re.Rune[i] > 3 {
				return []string{""}, false
			}
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				list = append(list, strings.ToLower(string(r)))
			}
		}
		return list, true
	case syntax.OpAlternate:
		exact = true
		for _, sub := range re.Sub {
			l, e := starts(sub)
			list, exact = append(list, l...), exact && e
		}
		return list, exact
	case syntax.OpConcat:
		list, exact = []string{""}, true
		for _, sub := range re.Sub {
			var l []string
			if l, exact = starts(sub); len(l)*len(list) > mostStarts {
				return list, false
			}
			var longer []string
			for _, a := range list {
				for _, b := range l {
					longer = append(longer, a+b)
				}
			}
			if list = longer; !exact {
				return list, false
			}
		}
		return list, exact
	}
	return []string{""}, false
}

// index finds the rules that may match a text, by the beginnings of its words.
// Most texts contain none; regular expressions are slow.
type index [256][]entry

type entry struct {
	start string
	rule  int
}

func newIndex(rules []rule) (x index) {
	for i, r := range rules {
		re, err := syntax.Parse(r.find.String(), syntax.Perl)
		if err != nil {
			panic(err) // it was compiled before
		}
		list, _ := starts(re)
		for _, s := range list {
			if s == "" {
				panic("a rule that may begin with any text: " + r.find.String())
			}
			x[s[0]] = append(x[s[0]], entry{s, i})
		}
	}
	return x
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// candidates returns the rules that may match, in their order.
func (x *index) candidates(text string) []int {
	text = strings.ToLower(text)
	var list []int
	before := false
	for i := range len(text) {
		now := isWord(text[i])
		if now && !before {
			for _, e := range x[text[i]] {
				if strings.HasPrefix(text[i:], e.start) {
					list = append(list, e.rule)
				}
			}
		}
		before = now
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestIndex checks that the index finds a rule by each beginning of a match.
func TestIndex(t *testing.T) {
	for i, r := range rules {
		re, err := syntax.Parse(r.find.String(), syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		list, exact := starts(re)
		for _, s := range list {
			text := "(" + strings.ToUpper(s) + ") 1"
			if exact && !r.find.MatchString(text) {
				t.Errorf("%s does not match %q", r.find, text)
			}
			if !slices.Contains(byStart.candidates(text), i) {
				t.Errorf("%q is no candidate for %s", text, r.find)
			}
		}
	}
}
