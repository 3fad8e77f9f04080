package command

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	end    tokenKind = iota
	word             // letters, digits, _ and, between those, -
	text             // a string literal; token.value is its content
	symbol           // punctuation, one character or one of <| .. !
)

// token is a piece of the text; value of a word is as written.
type token struct {
	kind  tokenKind
	value string
	at    int // offset of its first byte
	to    int // offset behind its last byte
}

// lexer reads tokens on demand, because what follows <| or { is not a
// command's text and may hold anything.
type lexer struct {
	src string
	at  int
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// space passes over white space and // comments.
func (l *lexer) space() {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			l.at++
		case strings.HasPrefix(l.src[l.at:], "\u00a0"): // pasted from web pages
			l.at += 2
		case strings.HasPrefix(l.src[l.at:], "//"):
			if i := strings.IndexByte(l.src[l.at:], '\n'); i >= 0 {
				l.at += i + 1
			} else {
				l.at = len(l.src)
			}
		default:
			return
		}
	}
}

// next reads one token; at the end it gives the end token again and again.
func (l *lexer) next() (token, error) {
	l.space()
	start := l.at
	if start == len(l.src) {
		return token{kind: end, at: start, to: start}, nil
	}
	rest := l.src[start:]
	if n := stringPrefix(rest); n >= 0 {
		value, size, ok := stringLiteral(rest[n:], strings.IndexByte(rest[:n], '@') >= 0)
		if !ok {
			return token{}, &Error{Offset: start, Token: rest[:n+1], Reason: "The string literal does not end."}
		}
		l.at += n + size
		return token{kind: text, value: value, at: start, to: l.at}, nil
	}
	if isWordByte(rest[0]) {
		n := 1
		for n < len(rest) && (isWordByte(rest[n]) || rest[n] == '-' && n+1 < len(rest) && isWordByte(rest[n+1])) {
			n++
		}
		l.at += n
		return token{kind: word, value: rest[:n], at: start, to: l.at}, nil
	}
	n := 1
	if strings.HasPrefix(rest, "<|") || strings.HasPrefix(rest, "..") {
		n = 2
	}
	l.at += n
	return token{kind: symbol, value: rest[:n], at: start, to: l.at}, nil
}

// stringPrefix returns the length of the prefix before the quote of a string
// literal (h for obfuscated, @ for verbatim), or -1 if s is not a string literal.
func stringPrefix(s string) int {
	n := 0
	if n < len(s) && (s[n] == 'h' || s[n] == 'H') {
		n++
	}
	if n < len(s) && s[n] == '@' {
		n++
	}
	if n < len(s) && (s[n] == '\'' || s[n] == '"') || strings.HasPrefix(s[n:], "```") || strings.HasPrefix(s[n:], "~~~") {
		return n
	}
	return -1
}

// stringLiteral reads the literal at the beginning of s.
func stringLiteral(s string, verbatim bool) (value string, size int, ok bool) {
	if len(s) >= 3 && (s[:3] == "```" || s[:3] == "~~~") {
		i := strings.Index(s[3:], s[:3])
		if i < 0 {
			return "", 0, false
		}
		return s[3 : 3+i], i + 6, true
	}
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote && verbatim && i+1 < len(s) && s[i+1] == quote:
			b.WriteByte(quote)
			i++
		case c == quote:
			return b.String(), i + 1, true
		case c == '\\' && !verbatim:
			r, n := escape(s[i:])
			if n == 0 {
				return "", 0, false
			}
			b.WriteRune(r)
			i += n - 1
		case c == '\n' && !verbatim:
			return "", 0, false
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, false
}

// escape reads the escape sequence at the beginning of s.
func escape(s string) (r rune, size int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '\\', '\'', '"':
		return rune(s[1]), 2
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case '0':
		return 0, 2
	case 'a':
		return '\a', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'v':
		return '\v', 2
	case 'x':
		return hexRune(s, 2)
	case 'u':
		return hexRune(s, 4)
	}
	return 0, 0
}

func hexRune(s string, digits int) (rune, int) {
	if len(s) < 2+digits {
		return 0, 0
	}
	var r rune
	for _, c := range []byte(s[2 : 2+digits]) {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, 0
		}
	}
	return r, 2 + digits
}
