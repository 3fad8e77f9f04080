package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport/emulator/kql/value"
)

// Lex splits a text into tokens, the last of which is an EndToken. The error is a
// *Error.
func Lex(text string) ([]Token, error) {
	l := &lexer{text: text}
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
	text   string
	at     int
	tokens []Token
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
		case strings.HasPrefix(l.text[l.at:], "\u00a0"), strings.HasPrefix(l.text[l.at:], "\ufeff"):
			_, n := utf8.DecodeRuneInString(l.text[l.at:])
			l.at += n
		default:
			return
		}
	}
}

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

// number reads 12, 0x1f, 1.5, 1e3, and timespans such as 1d or 2.5h.
func (l *lexer) number(t *Token) {
	t.Kind = LiteralToken
	start := l.at
	if strings.HasPrefix(l.text[l.at:], "0x") || strings.HasPrefix(l.text[l.at:], "0X") {
		l.at += 2
		for l.at < len(l.text) && strings.IndexByte("0123456789abcdefABCDEF", l.text[l.at]) >= 0 {
			l.at++
		}
		n, err := strconv.ParseUint(l.text[start+2:l.at], 16, 64)
		t.Value = value.NewLong(int64(n))
		if err != nil {
			t.Value = value.Null(value.Long)
		}
		return
	}
	l.digits()
	real := false
	if l.at+1 < len(l.text) && l.text[l.at] == '.' && isDigit(l.text[l.at+1]) {
		real = true
		l.at++
		l.digits()
	}
	if l.at < len(l.text) && (l.text[l.at] == 'e' || l.text[l.at] == 'E') {
		rest := strings.TrimLeft(l.text[l.at+1:], "+-")
		if rest != "" && isDigit(rest[0]) && len(l.text)-l.at-1-len(rest) <= 1 {
			real = true
			l.at = len(l.text) - len(rest)
			l.digits()
		}
	}
	number := l.text[start:l.at]
	end := l.at
	for end < len(l.text) && isNamePart(l.text[end]) {
		end++
	}
	if unit := l.text[l.at:end]; unit != "" {
		if span, ok := value.ParseTimeSpan(number + unit); ok {
			l.at = end
			t.Value = span
			return
		}
	}
	if !real {
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			t.Value = value.NewLong(n)
			return
		}
	}
	f, _ := strconv.ParseFloat(number, 64) // out of range is infinity
	t.Value = value.NewReal(f)
}

func (l *lexer) digits() {
	for l.at < len(l.text) && isDigit(l.text[l.at]) {
		l.at++
	}
}

// bracketName reads ['name'] or ["name"]; it does so only where a name can
// stand, since x['name'] is an access to a bag.
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
	case t.Text == "true" || t.Text == "false":
		t.Kind, t.Value = LiteralToken, value.NewBool(t.Text == "true")
		return nil
	case strings.HasPrefix(l.text[l.at:], "~") && t.Text == "in":
		l.at++
		t.Kind, t.Text = NameToken, "in~"
		return nil
	}
	if kind, ok := literalTypes[t.Text]; ok && l.at < len(l.text) && l.text[l.at] == '(' && !l.declares() {
		return l.typed(t, kind)
	}
	return nil
}

// declares says whether the name stands where a type or a function name is
// meant rather than a literal: behind a colon, or behind "typeof(".
func (l *lexer) declares() bool {
	n := len(l.tokens)
	return n > 0 && l.tokens[n-1].Is(":")
}

var literalTypes = map[string]value.Kind{
	"bool": value.Bool, "boolean": value.Bool, "datetime": value.DateTime, "date": value.DateTime,
	"dynamic": value.Dynamic, "guid": value.GUID, "uuid": value.GUID, "uniqueid": value.GUID,
	"int": value.Int, "long": value.Long, "real": value.Real, "double": value.Real,
	"decimal": value.Decimal, "time": value.TimeSpan, "timespan": value.TimeSpan,
}

// typed reads a literal such as datetime(2026-01-02) or long(null).
func (l *lexer) typed(t *Token, kind value.Kind) error {
	inside, end, ok := balanced(l.text, l.at)
	if !ok {
		return errorAt(*t, incomplete)
	}
	if kind == value.Dynamic {
		l.at = end
		t.Kind, t.Text = DynamicToken, inside
		return nil
	}
	v, ok := parseTyped(kind, strings.TrimSpace(inside))
	if !ok {
		return errorAt(*t, "%s(%s) is not a valid literal.", t.Text, inside)
	}
	l.at = end
	t.Kind, t.Value = LiteralToken, v
	return nil
}

func parseTyped(kind value.Kind, s string) (value.Value, bool) {
	if s == "null" {
		return value.Null(kind), true
	}
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		s = s[1 : n-1]
	}
	switch kind {
	case value.Bool:
		switch strings.ToLower(s) {
		case "true", "1":
			return value.NewBool(true), true
		case "false", "0":
			return value.NewBool(false), true
		}
		return value.Value{}, false
	case value.DateTime:
		return value.ParseDateTime(s)
	case value.TimeSpan:
		return value.ParseTimeSpan(s)
	case value.GUID:
		v, err := value.NewGUID(s)
		return v, err == nil
	case value.Decimal:
		v, err := value.NewDecimal(s)
		return v, err == nil
	case value.Real:
		f, err := strconv.ParseFloat(s, 64)
		return value.NewReal(f), err == nil
	}
	base := 10
	digits := s
	if rest, ok := strings.CutPrefix(s, "0x"); ok {
		base, digits = 16, rest
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if kind == value.Int {
		if err != nil || n != int64(int32(n)) {
			return value.Null(value.Int), err == nil
		}
		return value.NewInt(int32(n)), true
	}
	return value.NewLong(n), err == nil
}

// balanced is what stands between the parenthesis at open and its counterpart,
// strings passed over, and the offset behind it.
func balanced(text string, open int) (inside string, end int, ok bool) {
	depth := 0
	for i := open; i < len(text); i++ {
		switch c := text[i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
			if depth == 0 {
				return text[open+1 : i], i + 1, true
			}
		case '"', '\'':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		}
	}
	return "", 0, false
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
