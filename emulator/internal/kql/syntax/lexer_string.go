package syntax

import (
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// prefixedString says whether a string with a prefix begins here: @"..", h'..', H@"..".
func (l *lexer) prefixedString() bool {
	rest := l.text[l.at:]
	if rest[0] == 'h' || rest[0] == 'H' {
		rest = rest[1:]
	}
	rest = strings.TrimPrefix(rest, "@")
	return len(rest) < len(l.text)-l.at && startsString(rest)
}

// fences enclose strings of several lines.
var fences = []string{"```", "~~~"}

func startsString(s string) bool {
	if s == "" {
		return false
	}
	return s[0] == '"' || s[0] == '\'' || strings.HasPrefix(s, fences[0]) || strings.HasPrefix(s, fences[1])
}

func (l *lexer) str(t *Token) error {
	if c := l.text[l.at]; c == 'h' || c == 'H' {
		l.at++
	}
	verbatim := l.text[l.at] == '@'
	if verbatim {
		l.at++
	}
	t.Kind = LiteralToken
	for _, fence := range fences {
		rest, ok := strings.CutPrefix(l.text[l.at:], fence)
		if !ok {
			continue
		}
		end := strings.Index(rest, fence)
		if end < 0 {
			return errorAt(*t, "The string literal is not terminated.")
		}
		t.Value = value.NewString(rest[:end])
		l.at += end + 2*len(fence)
		return nil
	}
	quote := l.text[l.at]
	l.at++
	var b strings.Builder
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == quote && verbatim && l.at+1 < len(l.text) && l.text[l.at+1] == quote:
			b.WriteByte(quote)
			l.at += 2
		case c == quote:
			l.at++
			t.Value = value.NewString(b.String())
			return nil
		case c == '\n' && !verbatim:
			return errorAt(*t, "The string literal is not terminated.")
		case c == '\\' && !verbatim:
			if !l.escape(&b) {
				return errorAt(*t, "The string literal holds an escape sequence that is not known.")
			}
		default:
			b.WriteByte(c)
			l.at++
		}
	}
	return errorAt(*t, "The string literal is not terminated.")
}

// escape reads a backslash and what it stands for.
func (l *lexer) escape(b *strings.Builder) bool {
	if l.at+1 >= len(l.text) {
		return false
	}
	const from, to = `abfnrtv\"'`, "\a\b\f\n\r\t\v\\\"'"
	c := l.text[l.at+1]
	if i := strings.IndexByte(from, c); i >= 0 {
		b.WriteByte(to[i])
		l.at += 2
		return true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 || l.at+2+digits > len(l.text) {
		return false
	}
	n, err := strconv.ParseUint(l.text[l.at+2:l.at+2+digits], 16, 32)
	if err != nil {
		return false
	}
	b.WriteRune(rune(n))
	l.at += 2 + digits
	return true
}
