package syntax

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Lex splits a text into tokens, the last of which is an EndToken. The error is a
// *Error.
func Lex(text string) ([]Token, error) { return (&lexer{text: text}).all() }

func (l *lexer) all() ([]Token, error) {
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		l.tokens = append(l.tokens, t)
		if t.Kind == EndToken {
			return l.tokens, nil
		}
	}
}

type lexer struct {
	text    string
	at      int
	tokens  []Token
	dynamic bool // the text is that of a dynamic literal, where no types are declared
}

// puncts are the marks of more than one byte, the longest first.
var puncts = []string{"!in~", "!~", "=~", "==", "!=", "<>", "<=", ">=", "<|", "..", "=>"}

func (l *lexer) next() (Token, error) {
	start := l.at
	l.blanks()
	t := Token{Offset: l.at, Space: l.at > start}
	if l.at >= len(l.text) {
		t.Kind, t.End = EndToken, l.at
		return t, nil
	}
	var err error
	c := l.text[l.at]
	switch {
	case startsString(l.text[l.at:]) || l.prefixedString():
		err = l.str(&t)
	case isDigit(c):
		l.number(&t)
	case c == '[' && l.bracketName(&t):
	case isNameStart(c):
		err = l.name(&t)
	default:
		l.punct(&t)
	}
	t.End = l.at
	if t.Kind == PunctToken || t.Kind == LiteralToken {
		t.Text = l.text[t.Offset:t.End]
	}
	return t, err
}

func (l *lexer) blanks() {
	for l.at < len(l.text) {
		switch c := l.text[l.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f':
			l.at++
		case strings.HasPrefix(l.text[l.at:], "//"):
			end := strings.IndexByte(l.text[l.at:], '\n')
			if end < 0 {
				l.at = len(l.text)
				return
			}
			l.at += end
		default:
			r, n := utf8.DecodeRuneInString(l.text[l.at:])
			if r < utf8.RuneSelf || !isBlank(r) {
				return
			}
			l.at += n
		}
	}
}

// isBlank says whether a character beyond ASCII is a space, also one of no width.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || r >= '\u200b' && r <= '\u200d' || r == '\u180e' || r == '\u2060' || r == '\ufeff'
}

// bracketName reads ['name'] or ["name"]. It does so only where a name is
// allowed, since x['name'] is an access to a bag.
func (l *lexer) bracketName(t *Token) bool {
	if n := len(l.tokens); n > 0 && !t.Space {
		switch last := l.tokens[n-1]; {
		case last.Kind == NameToken, last.Kind == QuotedToken, last.Kind == DynamicToken, last.Is(")"), last.Is("]"):
			return false
		}
	}
	rest := l.text[l.at+1:]
	trimmed := strings.TrimLeft(rest, " \t")
	if trimmed == "" || trimmed[0] != '\'' && trimmed[0] != '"' {
		return false
	}
	sub := &lexer{text: l.text, at: len(l.text) - len(trimmed)}
	var s Token
	if err := sub.str(&s); err != nil {
		return false
	}
	sub.blanks()
	if sub.at >= len(l.text) || l.text[sub.at] != ']' {
		return false
	}
	t.Kind, t.Text = QuotedToken, s.Value.Text()
	l.at = sub.at + 1
	return true
}

func (l *lexer) name(t *Token) error {
	start := l.at
	for l.at < len(l.text) && isNamePart(l.text[l.at]) {
		l.at++
	}
	t.Kind, t.Text = NameToken, l.text[start:l.at]
	switch {
	case strings.EqualFold(t.Text, "true") || strings.EqualFold(t.Text, "false"):
		t.Kind, t.Value = LiteralToken, value.NewBool(strings.EqualFold(t.Text, "true"))
		return nil
	case strings.HasPrefix(l.text[l.at:], "~") && t.Text == "in":
		l.at++
		t.Kind, t.Text = NameToken, "in~"
		return nil
	}
	kind, ok := literalTypes[t.Text]
	if !ok || l.declares() {
		return nil
	}
	end := l.at
	if kind == value.Dynamic { // the only type that may have space before its content
		l.blanks()
	}
	if l.at == len(l.text) || l.text[l.at] != '(' {
		l.at = end
		return nil
	}
	return l.typed(t, kind)
}

// declares says whether the name is in a place for a type or a function name
// rather than a literal: after a colon or after "typeof(".
func (l *lexer) declares() bool {
	n := len(l.tokens)
	return n > 0 && l.tokens[n-1].Is(":") && !l.dynamic
}

func (l *lexer) punct(t *Token) {
	t.Kind = PunctToken
	rest := l.text[l.at:]
	for _, p := range puncts {
		if strings.HasPrefix(rest, p) {
			l.at += len(p)
			return
		}
	}
	if rest[0] == '!' { // !in, !has_cs, ...
		n := 1
		for n < len(rest) && isNamePart(rest[n]) {
			n++
		}
		l.at += n
		return
	}
	_, n := utf8.DecodeRuneInString(rest)
	l.at += n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameStart(c byte) bool {
	return c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) }
