package kql

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// token is one token of the query language, as it is written.
type token struct {
	kind tokenKind
	text string
}

type tokenKind string

// The kinds of tokens. A message takes the place of the literals that it is made of.
const (
	wordToken    tokenKind = "word" // a name, a number, an operator such as !has
	markToken    tokenKind = "mark"
	literalToken tokenKind = "literal" // a string, with its quotes and prefix
	messageToken tokenKind = "message"
)

func (t token) isMark(text string) bool { return t.kind == markToken && t.text == text }

// scan splits a text into tokens. It leaves out blanks and comments. ok is false
// if a string literal does not end.
func scan(text string) (list []token, ok bool) {
	for {
		if text = text[blanks(text):]; text == "" {
			return list, true
		}
		t := token{wordToken, ""}
		n, ok := literal(text)
		switch {
		case !ok:
			return nil, false
		case n > 0:
			t.kind = literalToken
		case isDigit(text[0]):
			n = number(text)
		case isWordByte(text[0]):
			n = word(text)
		default:
			t.kind, n = markToken, mark(text)
		}
		t.text, text = text[:n], text[n:]
		list = append(list, t)
	}
}

// lineEnds end a comment, and cut off a string literal of one line.
const lineEnds = "\r\n\u2028\u2029"

// blanks is the length of the blanks and comments that text begins with. Blanks
// beyond ASCII are marks: a difference in them is a difference.
func blanks(text string) int {
	rest := text
	for {
		rest = strings.TrimLeft(rest, " \t\r\n\f")
		if !strings.HasPrefix(rest, "//") {
			return len(text) - len(rest)
		}
		end := strings.IndexAny(rest, lineEnds)
		if end < 0 {
			return len(text)
		}
		rest = rest[end:]
		if strings.HasPrefix(rest, "\u2028") || strings.HasPrefix(rest, "\u2029") {
			rest = rest[len("\u2028"):]
		}
	}
}

// fences enclose a string literal of several lines.
var fences = []string{"```", "~~~"}

// escapes are the bytes that follow a backslash in a string literal.
const escapes = `abfnrtv\"'xuU01234567`

// literal is the length of the string literal that text begins with, 0 if it
// begins with none. ok is false if the literal does not end
// (https://learn.microsoft.com/kusto/query/scalar-data-types/string).
func literal(text string) (n int, ok bool) {
	rest := text
	if rest[0] == 'h' || rest[0] == 'H' {
		rest = rest[1:]
	}
	rest, verbatim := strings.CutPrefix(rest, "@")
	for _, fence := range fences {
		if inner, begins := strings.CutPrefix(rest, fence); begins {
			end := strings.Index(inner, fence)
			return len(text) - len(inner) + end + len(fence), end >= 0
		}
	}
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return 0, true
	}
	quote := rest[:1]
	special := quote + lineEnds
	if !verbatim {
		special += `\`
	}
	for rest = rest[1:]; ; {
		at := strings.IndexAny(rest, special)
		if at < 0 {
			return 0, false
		}
		rest = rest[at:]
		switch {
		case verbatim && strings.HasPrefix(rest, quote+quote):
			rest = rest[2:]
		case rest[:1] == quote:
			return len(text) - len(rest) + 1, true
		case rest[0] == '\\' && len(rest) > 1 && strings.IndexByte(escapes, rest[1]) >= 0:
			rest = rest[2:]
		default:
			return 0, false
		}
	}
}

// number is the length of the word that text begins with, a digit being its
// first byte: 12, 1.5, 1e-3, 0x1f, 2.5h, 7zip.
func number(text string) int {
	n := digits(text)
	if n+1 < len(text) && text[n] == '.' && isDigit(text[n+1]) {
		n += 1 + digits(text[n+1:])
	}
	if n+2 < len(text) && (text[n] == 'e' || text[n] == 'E') && (text[n+1] == '+' || text[n+1] == '-') && isDigit(text[n+2]) {
		n += 2
	}
	return n + word(text[n:])
}

func digits(text string) int {
	if n := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }); n >= 0 {
		return n
	}
	return len(text)
}

func word(text string) int {
	for i := range len(text) {
		if !isWordByte(text[i]) {
			return i
		}
	}
	return len(text)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWordByte(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$'
}

// marks are those of more than one byte.
var marks = []string{"==", "=~", "=>", "!=", "!~", "<=", "<>", "<|", ">=", ".."}

func mark(text string) int {
	if i := slices.IndexFunc(marks, func(m string) bool { return strings.HasPrefix(text, m) }); i >= 0 {
		return len(marks[i])
	}
	switch text[0] {
	case '!':
		return 1 + word(text[1:]) // !in, !has
	case '#': // a directive is all of its line
		if end := strings.IndexAny(text, lineEnds); end > 0 {
			return end
		}
		return len(text)
	}
	_, n := utf8.DecodeRuneInString(text)
	return n
}
