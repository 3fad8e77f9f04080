package scalar

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Case-insensitive operators fold ASCII letters only, as the note of
// https://learn.microsoft.com/kusto/query/datatypes-string-operators says.

// lowerByte folds one ASCII letter.
func lowerByte(c byte) byte {
	if c-'A' < 26 {
		c += 'a' - 'A'
	}
	return c
}

// foldASCII is s with its ASCII letters in lower case.
func foldASCII(s string) string {
	for i := range len(s) {
		if s[i]-'A' < 26 {
			return strings.Map(func(r rune) rune {
				if r >= 'A' && r <= 'Z' {
					r += 'a' - 'A'
				}
				return r
			}, s)
		}
	}
	return s
}

// equalFold compares s with a folded text.
func equalFold(s, folded string) bool {
	if len(s) != len(folded) {
		return false
	}
	for i := range len(s) {
		if lowerByte(s[i]) != folded[i] {
			return false
		}
	}
	return true
}

// indexFold is the first offset of a folded text in s, or -1.
func indexFold(s, folded string) int {
	if folded == "" {
		return 0
	}
	for i := 0; i+len(folded) <= len(s); i++ {
		if lowerByte(s[i]) == folded[0] && equalFold(s[i:i+len(folded)], folded) {
			return i
		}
	}
	return -1
}

// ends says at which ends a match must not run into further letters or digits.
type ends struct{ start, stop bool }

// term is a text to be found as a term: bounded by what is neither letter nor
// digit, or by the ends of the string. Several words make one term that must
// occur unchanged.
type term struct {
	text string // folded unless exact
	find func(s, text string) int
	ends
}

func newTerm(text string, exact bool, e ends) term {
	t := term{text: text, find: strings.Index}
	if !exact {
		t.text, t.find = foldASCII(text), indexFold
	}
	// An end that is no letter or digit is a boundary in itself.
	t.start = e.start && text != "" && wordAt(text, 0)
	t.stop = e.stop && wordBefore(text, len(text))
	return t
}

// in says whether s holds the term.
func (t term) in(s string) bool {
	for from := 0; ; {
		i := t.find(s[from:], t.text)
		if i < 0 {
			return false
		}
		i += from
		if (!t.start || !wordBefore(s, i)) && (!t.stop || !wordAt(s, i+len(t.text))) {
			return true
		}
		if from = i + 1; from > len(s) {
			return false
		}
	}
}

// wordBefore says whether a letter or digit ends at offset i of s.
func wordBefore(s string, i int) bool {
	if i == 0 {
		return false
	}
	if c := s[i-1]; c < utf8.RuneSelf {
		return isWordByte(c)
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// wordAt says whether a letter or digit begins at offset i of s.
func wordAt(s string, i int) bool {
	if i >= len(s) {
		return false
	}
	if c := s[i]; c < utf8.RuneSelf {
		return isWordByte(c)
	}
	r, _ := utf8.DecodeRuneInString(s[i:])
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func isWordByte(c byte) bool { return lowerByte(c)-'a' < 26 || c-'0' < 10 }
